"""Trino text to a syntax tree.

sqlglot's Trino parser, with its rewriting of functions switched off: every call stays a call by
its own name, so that `functions` decides what it means.
"""

from __future__ import annotations

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokenizer_core import TokenType

from localaws.athena.errors import Position, not_supported, syntax_error

_SYNTAX = ("CAST", "TRY_CAST", "EXTRACT", "POSITION", "SUBSTRING", "TRIM")


class _AthenaSelect(Trino):
    """Trino's grammar; functions are not interpreted and subscripts stay as written."""

    INDEX_OFFSET = 0

    class Parser(TrinoParser):
        FUNCTIONS = {}  # noqa: RUF012  (sqlglot's own convention)
        FUNCTION_PARSERS = {  # noqa: RUF012
            name: parser for name, parser in TrinoParser.FUNCTION_PARSERS.items() if name in _SYNTAX
        }


# What sqlglot accepts from other dialects and Trino refuses.
_FOREIGN = {TokenType.DCOLON: "'::'", TokenType.QUALIFY: "QUALIFY", TokenType.DIV: "DIV"}


def parse_query(statement: str) -> exp.Expr:
    """The syntax tree of one query; raises QueryError."""
    dialect = _AthenaSelect()
    try:
        tokens = dialect.tokenize(statement)
        trees = dialect.parser().parse(tokens, statement)
    except TokenError as error:
        raise syntax_error(f"the statement cannot be read: {error}") from error
    except ParseError as error:
        raise _parse_error(error) from error
    except RecursionError as error:
        raise not_supported("a statement nested this deeply") from error
    for token in tokens:
        if token.token_type in _FOREIGN:
            raise syntax_error(
                f"mismatched input {_FOREIGN[token.token_type]}", place(statement, token.start)
            )
    found = [tree for tree in trees if tree is not None]
    if len(found) != 1:
        raise syntax_error("Only one sql statement is allowed.")
    return found[0]


def placeholders(statement: str) -> list[int]:
    """The offsets of every ``?``; raises QueryError."""
    try:
        tokens = _AthenaSelect().tokenize(statement)
    except TokenError as error:
        raise syntax_error(f"the statement cannot be read: {error}") from error
    return [token.start for token in tokens if token.token_type == TokenType.PLACEHOLDER]


def _parse_error(error: ParseError) -> Exception:
    if not error.errors:
        return syntax_error(str(error))
    first = error.errors[0]
    line, column = first.get("line"), first.get("col")
    highlight = str(first.get("highlight") or "<EOF>")
    position = None
    if isinstance(line, int) and isinstance(column, int):
        position = Position(line, max(1, column - len(highlight) + 1))
    return syntax_error(f"mismatched input '{highlight}'", position)


def place(statement: str, offset: int) -> Position:
    """The line and column of a character offset."""
    before = statement[:offset]
    return Position(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def position_of(statement: str, node: exp.Expr) -> Position | None:
    """Where `node` starts; None when nothing in it carries a position."""
    offsets = [
        start
        for inner in node.walk()
        if isinstance(start := (inner.meta if inner._meta else {}).get("start"), int)  # noqa: SLF001
    ]
    return place(statement, min(offsets)) if offsets else None
