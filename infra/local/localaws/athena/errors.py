"""Why a statement failed, in Athena's words.

A message starts with Trino's error name (`SYNTAX_ERROR`, `TABLE_NOT_FOUND`…), as in the
`StateChangeReason` of a failed query. Categories are those of `AthenaError`: 1 system, 2 user,
3 other (https://docs.aws.amazon.com/athena/latest/ug/error-reference.html).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Category = Literal[1, 2, 3]

_TYPES = {
    "SYNTAX_ERROR": 1006,
    "COLUMN_NOT_FOUND": 1006,
    "FUNCTION_NOT_FOUND": 1006,
    "TYPE_MISMATCH": 1006,
    "HIVE_BAD_DATA": 1001,
    "HIVE_CURSOR_ERROR": 1001,
    "FAILED": 1003,
    "INVALID_FUNCTION_ARGUMENT": 1104,
    "VIEW_IS_STALE": 1105,
    "TABLE_NOT_FOUND": 1108,
    "NOT_SUPPORTED": 1200,
}


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the statement's text, counted from 1, as Trino prints it."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"line {self.line}:{self.column}"


class QueryError(Exception):
    """The statement cannot be run; `str(error)` is the StateChangeReason."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        position: Position | None = None,
        category: Category = 2,
        kind: int | None = None,
    ) -> None:
        """`kind` is `AthenaError.ErrorType`, where the code alone does not tell it."""
        self.code = code
        self.category = category
        self.error_type = kind or _TYPES.get(code, 200 if category == 1 else 1000)
        self.message = message
        self.position = position
        super().__init__(message)

    def at(self, position: Position | None) -> QueryError:
        """The error with the place of what is wrong, unless it has one."""
        self.position = self.position or position
        return self

    def __str__(self) -> str:
        """The StateChangeReason."""
        where = f"{self.position}: " if self.position else ""
        return f"{self.code}: {where}{self.message}" if self.code else f"{where}{self.message}"


def not_supported(what: str, position: Position | None = None) -> QueryError:
    """What Athena may well do, but this stand-in does not."""
    return QueryError(
        "NOT_SUPPORTED", f"{what} is not supported by the local Athena", position=position
    )


def syntax_error(message: str, position: Position | None = None) -> QueryError:
    """A statement that Trino's grammar does not have."""
    return QueryError("SYNTAX_ERROR", message, position=position)


def type_mismatch(message: str, position: Position | None = None) -> QueryError:
    """An expression of a type that does not fit where it stands."""
    return QueryError("TYPE_MISMATCH", message, position=position)


def internal_error(message: str) -> QueryError:
    """A failure that is not the statement's fault."""
    return QueryError("INTERNAL_ERROR", message, category=1)


class Cancelled(Exception):
    """The query was stopped by StopQueryExecution."""


class ScanLimitExceeded(Exception):
    """The query would read more than its workgroup allows."""
