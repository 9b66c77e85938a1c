"""One DuckDB database per query: no files but its own folders, no network, settings locked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from localaws.athena import udfs
from localaws.athena.errors import QueryError, internal_error, not_supported

_MEMORY = "2GB"
_THREADS = 2


class Session:
    """A DuckDB connection that only sees `folders`."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._connection = duckdb.connect(":memory:")
        self._registered: set[str] = set()
        self._refused: list[str] = []
        allowed = ", ".join(_literal(f"{folder}/") for folder in folders)
        for setting in (
            f"memory_limit = '{_MEMORY}'",
            f"threads = {_THREADS}",
            # Athena's session zone, and what our own functions assume.
            "TimeZone = 'UTC'",
            "autoinstall_known_extensions = false",
            "autoload_known_extensions = false",
            # It evaluates constant expressions early, so that an error is raised in a branch of a
            # CASE that is never taken.
            "disabled_optimizers = 'expression_rewriter'",
            f"temp_directory = {_literal(str(folders[0] / 'spill'))}",
            f"allowed_directories = [{allowed}]",
            "enable_external_access = false",
            "lock_configuration = true",
        ):
            self._connection.execute(f"SET {setting}")

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def run(self, sql: str, parameters: Sequence[object] = ()) -> duckdb.DuckDBPyConnection:
        """Execute one DuckDB statement; raises QueryError in Athena's words."""
        # Making a function known takes milliseconds, and there are many.
        missing = udfs.named_in(sql) - self._registered
        udfs.register(self._connection, missing, self._refused.append)
        self._registered |= missing
        try:
            cursor = self._connection.execute(sql, list(parameters))
        except duckdb.Error as error:
            raise translated(error) from error
        self.check_refused()
        return cursor

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a DuckDB query."""
        cursor = self.run(sql)
        try:
            found: list[tuple[Any, ...]] = cursor.fetchall()
        except duckdb.Error as error:
            raise translated(error) from error
        self.check_refused()
        return found

    def check_refused(self) -> None:
        """Raise QueryError if a function refused a value and the statement went on (see TRY)."""
        if self._refused:
            code, _, message = self._refused[0].partition(": ")
            raise QueryError(code, message)

    def interrupt(self) -> None:
        """Make the running statement fail; callable from another thread."""
        self._connection.interrupt()


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def translated(error: duckdb.Error) -> QueryError:
    """DuckDB's error in Athena's words."""
    message = str(error)
    _, ours, text = message.partition(udfs.MARK)
    if ours:
        code, _, explanation = text.splitlines()[0].partition(": ")
        return QueryError(code, explanation)
    first = message.splitlines()[0]
    if isinstance(error, duckdb.NotImplementedException):
        return not_supported(f"this statement ({first.partition(': ')[2]})")
    return next(
        (
            QueryError(code, fixed or first.partition(": ")[2])
            for kind, pattern, code, fixed in _KNOWN
            if isinstance(error, kind) and re.search(pattern, message)
        ),
        internal_error(f"the query engine failed: {first}"),
    )


# DuckDB's errors by class and text, and Trino's name and words for them; the first match counts.
_KNOWN: tuple[tuple[type[duckdb.Error], str, str, str | None], ...] = (
    (duckdb.Error, "Division by zero", "DIVISION_BY_ZERO", "Division by zero"),
    (duckdb.OutOfRangeException, "", "NUMERIC_VALUE_OUT_OF_RANGE", None),
    (duckdb.Error, "out of range", "NUMERIC_VALUE_OUT_OF_RANGE", None),
    (duckdb.ConversionException, "", "INVALID_CAST_ARGUMENT", None),
    (
        duckdb.InvalidInputException,
        "More than one row returned by a subquery",
        "SUBQUERY_MULTIPLE_ROWS",
        "Scalar sub-query has returned multiple rows",
    ),
    (duckdb.InvalidInputException, "", "INVALID_FUNCTION_ARGUMENT", None),
    (
        duckdb.BinderException,
        "must appear in (the )?GROUP BY",
        "EXPRESSION_NOT_AGGREGATE",
        "what is selected or sorted by must be an aggregate or appear in GROUP BY clause",
    ),
)
