"""What kind of statement a text is, and the query inside it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from localaws.athena.ddl import Definition, Name, parse_definition, qualified_name
from localaws.athena.errors import QueryError, not_supported, syntax_error
from localaws.athena.lexer import Cursor, tokens
from localaws.athena.parsing import parse_query

StatementType = Literal["DDL", "DML", "UTILITY"]
Option = str | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Select:
    """A query whose rows are the result."""

    query: exp.Expr


@dataclass(frozen=True, slots=True)
class CreateView:
    """``CREATE [OR REPLACE] VIEW``; `text` is the query as written."""

    name: Name
    replace: bool
    query: exp.Expr
    text: str


@dataclass(frozen=True, slots=True)
class CreateTableAs:
    """``CREATE TABLE … AS``."""

    name: Name
    if_not_exists: bool
    options: dict[str, Option]
    with_data: bool
    query: exp.Expr


@dataclass(frozen=True, slots=True)
class Insert:
    """``INSERT INTO``; `columns` is empty for all, in order."""

    name: Name
    columns: tuple[str, ...]
    query: exp.Expr


@dataclass(frozen=True, slots=True)
class Unload:
    """``UNLOAD (query) TO location WITH (options)``."""

    query: exp.Expr
    location: str
    options: dict[str, Option]


Statement = Definition | Select | CreateView | CreateTableAs | Insert | Unload

_WITH_NO_DATA = re.compile(r"\bWITH\s+NO\s+DATA\s*;?\s*$", re.IGNORECASE)
_WITH_DATA = re.compile(r"\bWITH\s+DATA\s*;?\s*$", re.IGNORECASE)
_MAX_BYTES = 262_144


def parse(statement: str) -> Statement:
    """The statement; raises QueryError for what is malformed or not supported."""
    if len(statement.encode()) > _MAX_BYTES:
        raise syntax_error(f"the statement is longer than {_MAX_BYTES} bytes")
    opening = tuple(token.text.upper() for token in itertools.islice(tokens(statement), 4))
    if not opening:
        raise QueryError("", "Query is empty")
    for words, parser in _QUERY_STATEMENTS:
        if opening[: len(words)] == words:
            return parser(Cursor(statement))
    if opening[0] in ("SELECT", "WITH", "VALUES", "TABLE", "("):
        return Select(parse_query(statement))
    definition = parse_definition(statement)
    if definition is None:
        raise not_supported(f"the statement {opening[0]}")
    return definition


def query_of(statement: str) -> exp.Expr:
    """The query a statement is or holds; raises QueryError."""
    found = parse(statement)
    if isinstance(found, (Select, CreateView, CreateTableAs, Insert, Unload)):
        return found.query
    raise syntax_error("the statement holds no query")


def statement_type(statement: Statement) -> StatementType:
    """``QueryExecution.StatementType``."""
    if isinstance(statement, (Select, CreateTableAs, Insert, Unload)):
        return "DML" if not isinstance(statement, CreateTableAs) else "DDL"
    name = type(statement).__name__
    return "UTILITY" if name.startswith(("Show", "Describe")) else "DDL"


def _inside(cursor: Cursor, start: int, end: int) -> exp.Expr:
    """A part of the statement parsed as a query, positions as in the whole."""
    blank = re.sub(r"[^\n]", " ", cursor.statement[:start])
    return parse_query(blank + cursor.statement[start:end])


def _unload(cursor: Cursor) -> Unload:
    cursor.expect("UNLOAD")
    query = _inside(cursor, *cursor.group())
    cursor.expect("TO")
    location = cursor.string()
    options = _options(cursor) if cursor.take("WITH") else {}
    cursor.finish()
    return Unload(query, location, options)


def _insert(cursor: Cursor) -> Insert:
    cursor.expect("INSERT", "INTO")
    name = qualified_name(cursor)
    columns: list[str] = []
    token = cursor.peek(1)
    # A parenthesis may also open the query itself.
    starts_query = token is not None and token.text.upper() in ("SELECT", "WITH", "VALUES", "(")
    if not starts_query and cursor.take_mark("("):
        columns.append(cursor.identifier())
        while cursor.take_mark(","):
            columns.append(cursor.identifier())
        cursor.expect_mark(")")
    query = _inside(cursor, cursor.offset, len(cursor.statement))
    return Insert(name, tuple(columns), query)


def _create_view(cursor: Cursor) -> CreateView:
    cursor.expect("CREATE")
    replace = cursor.take("OR", "REPLACE")
    cursor.expect("VIEW")
    name = qualified_name(cursor)
    cursor.expect("AS")
    start = cursor.offset
    text = cursor.statement[start:].rstrip().rstrip(";").rstrip()
    return CreateView(name, replace, _inside(cursor, start, len(cursor.statement)), text)


def _create_table_as(cursor: Cursor) -> CreateTableAs:
    cursor.expect("CREATE", "TABLE")
    if_not_exists = cursor.take("IF", "NOT", "EXISTS")
    name = qualified_name(cursor)
    options = _options(cursor) if cursor.take("WITH") else {}
    if not cursor.take("AS"):
        raise not_supported("CREATE TABLE of anything but a query or an EXTERNAL table")
    text = cursor.statement
    without_data = _WITH_NO_DATA.search(text)
    ending = without_data or _WITH_DATA.search(text)
    end = ending.start() if ending else len(text)
    return CreateTableAs(
        name, if_not_exists, options, without_data is None, _inside(cursor, cursor.offset, end)
    )


def _options(cursor: Cursor) -> dict[str, Option]:
    """``(name = 'text' | number | ARRAY['text', …], …)``."""
    found: dict[str, Option] = {}
    cursor.expect_mark("(")
    while True:
        name = cursor.identifier()
        cursor.expect_mark("=")
        if name in found:
            raise syntax_error(f"Duplicate property: {name}")
        found[name] = _option_value(cursor)
        if cursor.take_mark(")"):
            return found
        cursor.expect_mark(",")


def _option_value(cursor: Cursor) -> Option:
    if cursor.take("ARRAY"):
        cursor.expect_mark("[")
        items: list[str] = []
        while not cursor.take_mark("]"):
            if items:
                cursor.expect_mark(",")
            items.append(cursor.string())
        return tuple(items)
    token = cursor.next()
    if token.kind not in ("string", "number", "word"):
        raise not_supported("a property that is not a literal")
    return token.text


_QUERY_STATEMENTS: tuple[tuple[tuple[str, ...], Callable[[Cursor], Statement]], ...] = (
    (("UNLOAD",), _unload),
    (("INSERT",), _insert),
    (("CREATE", "VIEW"), _create_view),
    (("CREATE", "OR", "REPLACE", "VIEW"), _create_view),
    (("CREATE", "TABLE"), _create_table_as),
)
