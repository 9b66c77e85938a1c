"""Trino text to a syntax tree.

sqlglot's Trino parser, with its rewriting of functions switched off: every call stays a call by
its own name, so that `functions` decides what it means.
"""

from __future__ import annotations

import re

from sqlglot import exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokenizer_core import TokenType

from localaws.athena.errors import Position, QueryError, not_supported, syntax_error

_SYNTAX = ("CAST", "TRY_CAST", "EXTRACT", "POSITION", "SUBSTRING", "TRIM")


def _literal(_parser: object, this: exp.Expr, kind: exp.DataType) -> exp.Expr:
    """A literal of a type, as `DATE '2026-11-01'`, is a cast."""
    if kind.this == exp.DType.TIMESTAMP:
        if re.search(r"\.\d{4}", this.name):
            raise not_supported(f"the timestamp '{this.name}', as it is written,")
        if this.name.endswith(" UTC"):
            kind = exp.DataType.build("timestamptz")
    return exp.Cast(this=this, to=kind)


class AthenaSelect(Trino):
    """Trino's grammar; functions are not interpreted and subscripts stay as written."""

    INDEX_OFFSET = 0
    PSEUDOCOLUMNS: set[str] = set()  # noqa: RUF012

    class Parser(TrinoParser):
        FUNCTIONS = {}  # noqa: RUF012  (sqlglot's own convention)
        TYPE_LITERAL_PARSERS = dict.fromkeys(exp.DType, _literal)
        FUNCTION_PARSERS = {  # noqa: RUF012
            name: parser for name, parser in TrinoParser.FUNCTION_PARSERS.items() if name in _SYNTAX
        }


# What sqlglot accepts from other dialects and Trino's grammar does not have.
_FOREIGN = (
    *(TokenType.DCOLON, TokenType.QUALIFY, TokenType.DIV, TokenType.ILIKE, TokenType.COLON),
    *(TokenType.L_BRACE, TokenType.RLIKE, TokenType.PIPE_GT),
)
_FOREIGN_TEXT = ("==", "??", "&", "|", "^", "<<", ">>", "<=>")
_AFTER_COMMA = (TokenType.FROM, TokenType.R_PAREN, TokenType.WHERE, TokenType.ORDER_BY)


def parse_query(statement: str) -> exp.Expr:
    """The syntax tree of one query; raises QueryError."""
    dialect = AthenaSelect()
    try:
        tokens = dialect.tokenize(statement)
        trees = dialect.parser().parse(tokens, statement)
    except TokenError as error:
        raise syntax_error(f"the statement cannot be read: {error}") from error
    except ParseError as error:
        raise _parse_error(error) from error
    except RecursionError as error:
        raise not_supported("a statement nested this deeply") from error
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        foreign = token.token_type in _FOREIGN or token.text in _FOREIGN_TEXT
        if foreign and token.token_type not in (TokenType.STRING, TokenType.IDENTIFIER):
            raise _mismatched(token.text, place(statement, token.start))
        if token.token_type == TokenType.COMMA and (
            after is None or after.token_type in _AFTER_COMMA
        ):
            where = len(statement) if after is None else after.start
            raise _mismatched(after.text if after else "<EOF>", place(statement, where))
    found = [tree for tree in trees if tree is not None]
    if len(found) != 1:
        raise syntax_error("Only one sql statement is allowed.")
    return found[0]


def _mismatched(text: str, position: Position | None) -> QueryError:
    return syntax_error(f"mismatched input '{text}'", position)


def _parse_error(error: ParseError) -> QueryError:
    first = error.errors[0] if error.errors else {}
    line, column = first.get("line"), first.get("col")
    highlight = str(first.get("highlight") or "<EOF>")
    position = None
    if isinstance(line, int) and isinstance(column, int):
        position = Position(line, max(1, column - len(highlight) + 1))
    return _mismatched(highlight, position)


def place(statement: str, offset: int) -> Position:
    """The line and column of a character offset."""
    before = statement[:offset]
    return Position(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def position_of(statement: str, node: exp.Expr) -> Position | None:
    """Where `node` starts; None when nothing in it carries a position."""
    offsets = [start for inner in node.walk() if isinstance(start := inner.meta.get("start"), int)]
    return place(statement, min(offsets)) if offsets else None


def shown(node: exp.Expr) -> str:
    """A piece of syntax for a message, cut to a line."""
    text = node.sql("trino")
    return text if len(text) <= 80 else text[:77] + "..."
