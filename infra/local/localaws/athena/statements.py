"""What kind of statement a text is, and what it says.

Queries are read by `sql.parsing`, `CREATE EXTERNAL TABLE` by `hive`; what else there is has one
form each, which a regular expression can tell.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from localaws.athena import hive
from localaws.athena.errors import QueryError, not_supported, syntax_error
from localaws.athena.sql.parsing import parse_query, place

Name = tuple[str | None, str]
"""A database (None: the query's) and a name in it, in lower case."""
PartitionSpec = tuple[tuple[str, str], ...]
"""Partition columns (lower case) and their values."""


@dataclass(frozen=True, slots=True)
class Select:
    """A query whose rows are the result."""

    query: exp.Expr


@dataclass(frozen=True, slots=True)
class CreateView:
    """`CREATE [OR REPLACE] VIEW`; `text` is the query as written."""

    name: Name
    replace: bool
    query: exp.Expr
    text: str


@dataclass(frozen=True, slots=True)
class CreateTableAs:
    """`CREATE TABLE … AS`; `location` None: below the results."""

    name: Name
    if_not_exists: bool
    location: str | None
    query: exp.Expr


@dataclass(frozen=True, slots=True)
class CreateTable:
    """`CREATE EXTERNAL TABLE`; `table` is a `TableInput` of the Glue catalog."""

    name: Name
    if_not_exists: bool
    table: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Drop:
    """`DROP TABLE` or `DROP VIEW`."""

    name: Name
    if_exists: bool
    view: bool


@dataclass(frozen=True, slots=True)
class AddPartitions:
    """`ALTER TABLE … ADD PARTITION`; a location that is None follows from the table's."""

    table: Name
    if_not_exists: bool
    partitions: tuple[tuple[PartitionSpec, str | None], ...]


@dataclass(frozen=True, slots=True)
class DropPartitions:
    """`ALTER TABLE … DROP PARTITION`."""

    table: Name
    if_exists: bool
    partitions: tuple[PartitionSpec, ...]


@dataclass(frozen=True, slots=True)
class SetLocation:
    """`ALTER TABLE … PARTITION … SET LOCATION`."""

    table: Name
    partition: PartitionSpec
    location: str


@dataclass(frozen=True, slots=True)
class ShowPartitions:
    """`SHOW PARTITIONS`."""

    table: Name


Definition = CreateTable | Drop | AddPartitions | DropPartitions | SetLocation | ShowPartitions
Statement = Select | CreateView | CreateTableAs | Definition

MAX_BYTES = 262_144

_SPACE = re.compile(r"(?:\s|--[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = r"'(?:[^'\\]|\\.)*'"
_NAME = r"""((?:\w+|`[^`]+`|"[^"]+")(?:\.(?:\w+|`[^`]+`|"[^"]+"))*)"""
_SPEC = rf"PARTITION\s*\((?:{_STRING}|[^'()])*\)"
_LOCATION = rf"(?:\s*LOCATION\s*{_STRING})?"
_VALUE = re.compile(rf"\s*(\w+|`\w+`)\s*=\s*({_STRING}|\d+)\s*(,|\))")

# What Athena has, so that a statement that is only not supported here is not called malformed.
_KNOWN = re.compile(
    r"(UNLOAD|INSERT|DELETE|UPDATE|MERGE|EXPLAIN|ANALYZE|PREPARE|EXECUTE|DEALLOCATE|DESCRIBE|DESC"
    r"|MSCK|OPTIMIZE|VACUUM|TRUNCATE|USE|SET|RESET|GRANT|REVOKE|CALL|VALUES"
    r"|(?:CREATE|DROP|ALTER)\s+(?:TABLE|EXTERNAL|VIEW|DATABASE|SCHEMA|OR|PROTECTED|ROLE|FUNCTION)"
    r"|SHOW\s+(?:PARTITIONS|TABLES|VIEWS|DATABASES|SCHEMAS|COLUMNS|CREATE|TBLPROPERTIES))\b",
    re.IGNORECASE,
)


def parse(statement: str) -> Statement:
    """The statement; raises QueryError for what is malformed or not supported."""
    if len(statement.encode()) > MAX_BYTES:
        raise syntax_error(f"the statement is longer than {MAX_BYTES} bytes")
    statement = statement.rstrip().rstrip(";").rstrip()
    start = _after_space(statement, 0)
    first = _word(statement, start)
    if not first:
        raise QueryError("", "Query is empty")
    if first.upper() in ("SELECT", "WITH", "TABLE", "("):
        return Select(parse_query(statement))
    for pattern, build in _FORMS:
        match = pattern.match(statement, start)
        if match is not None:
            return build(statement, match)
    known = _KNOWN.match(statement, start)
    if known is not None:
        raise not_supported(f"the statement {' '.join(known[1].upper().split())}")
    if first.upper() in ("CREATE", "DROP", "ALTER", "SHOW"):
        start = _after_space(statement, start + len(first))
    raise _mismatched(statement, start)


def _after_space(statement: str, offset: int) -> int:
    match = _SPACE.match(statement, offset)
    return match.end() if match else offset


def _word(statement: str, offset: int) -> str:
    match = re.compile(r"\w+|\S").match(statement, offset)
    return match.group() if match else ""


def _mismatched(statement: str, offset: int) -> QueryError:
    word = _word(statement, offset) or "<EOF>"
    return syntax_error(f"mismatched input '{word}'", place(statement, offset))


def _name(text: str) -> Name:
    """`[database.]name`."""
    parts = [part.strip('`"').lower() for part in re.findall(r'`[^`]+`|"[^"]+"|\w+', text)]
    if len(parts) == 3 and parts[0] == "awsdatacatalog":
        del parts[0]
    if len(parts) > 2:
        raise not_supported(f"the catalog {parts[0]}")
    return (parts[0], parts[1]) if len(parts) == 2 else (None, parts[0])


def _inside(statement: str, offset: int) -> exp.Expr:
    """The rest of the statement, after AS, as a query, positions as in the whole."""
    at = _after_space(statement, offset)
    if _word(statement, at).upper() != "AS":
        raise _mismatched(statement, at)
    offset = at + len("AS")
    blank = re.sub(r"[^\n]", " ", statement[:offset])
    return parse_query(blank + statement[offset:])


def _create_view(statement: str, match: re.Match[str]) -> CreateView:
    query = _inside(statement, match.end())
    text = statement[_after_space(statement, match.end()) + len("AS") :].strip()
    return CreateView(_name(match[2]), bool(match[1]), query, text)


def _create_table_as(statement: str, match: re.Match[str]) -> CreateTableAs:
    option = re.compile(rf"\s*(\w+)\s*=\s*({_STRING})\s*")
    given: dict[str, str] = {}
    for one in re.split(r",(?=\s*\w+\s*=)", match[3] or "") if match[3] else ():
        found = option.fullmatch(one)
        if found is None:
            raise not_supported(f"the property {one.strip()}")
        given[found[1].lower()] = _text(found[2])
    form = given.pop("format", "PARQUET").upper()
    if form != "PARQUET":
        raise not_supported(f"the format {form}")
    location = given.pop("external_location", None)
    if given:
        raise not_supported(f"the property {next(iter(given))}")
    return CreateTableAs(_name(match[2]), bool(match[1]), location, _inside(statement, match.end()))


def _create_table(statement: str, match: re.Match[str]) -> CreateTable:
    name = _name(match[2])
    return CreateTable(name, bool(match[1]), hive.table_input(statement[match.start() :], name[1]))


def _drop(_statement: str, match: re.Match[str]) -> Drop:
    return Drop(_name(match[3]), bool(match[2]), match[1].upper() == "VIEW")


def _add_partitions(statement: str, match: re.Match[str]) -> AddPartitions:
    parts = re.finditer(rf"({_SPEC})({_LOCATION})", match[3], re.IGNORECASE)
    added = tuple(
        (_spec(statement, part[1]), _location(part[2]) if part[2] else None) for part in parts
    )
    return AddPartitions(_name(match[1]), bool(match[2]), added)


def _drop_partitions(statement: str, match: re.Match[str]) -> DropPartitions:
    specs = re.findall(_SPEC, match[3], re.IGNORECASE)
    return DropPartitions(
        _name(match[1]), bool(match[2]), tuple(_spec(statement, one) for one in specs)
    )


def _set_location(statement: str, match: re.Match[str]) -> SetLocation:
    return SetLocation(_name(match[1]), _spec(statement, match[2]), _location(match[3]))


def _location(written: str) -> str:
    return hive.location(_text(written[written.index("'") :]))


def _spec(statement: str, written: str) -> PartitionSpec:
    """The columns and values of `PARTITION (…)`; raises QueryError."""
    found: list[tuple[str, str]] = []
    index = written.index("(") + 1
    while index < len(written):
        match = _VALUE.match(written, index)
        if match is None:
            right = re.compile(r"\s*(?:\w+|`\w+`)?\s*(?:=\s*)?").match(written, index)
            index = right.end() if right else index
            raise _mismatched(statement, statement.index(written) + index)
        found.append((match[1].strip("`").lower(), _text(match[2])))
        index = match.end()
    return tuple(found)


def _text(written: str) -> str:
    """A literal's value; a number's is as written."""
    return re.sub(r"\\(.)", r"\1", written[1:-1]) if written.startswith("'") else written


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.replace(" ", r"\s+"), re.IGNORECASE | re.DOTALL)


_FORMS: tuple[tuple[re.Pattern[str], Callable[[str, re.Match[str]], Statement]], ...] = (
    (_form(rf"CREATE( OR REPLACE)? VIEW {_NAME}"), _create_view),
    (
        _form(
            rf"CREATE TABLE( IF NOT EXISTS)? {_NAME}(?:\s*WITH\s*\(((?:{_STRING}|[^')])*)\))?"
            r"(?=\s*AS\b)"
        ),
        _create_table_as,
    ),
    (_form(rf"CREATE EXTERNAL TABLE( IF NOT EXISTS)? {_NAME}"), _create_table),
    (_form(rf"DROP (TABLE|VIEW)( IF EXISTS)? {_NAME}$"), _drop),
    (
        _form(rf"ALTER TABLE {_NAME} ADD( IF NOT EXISTS)? ((?:{_SPEC}{_LOCATION}\s*)+)$"),
        _add_partitions,
    ),
    (
        _form(rf"ALTER TABLE {_NAME} DROP( IF EXISTS)? ({_SPEC}(?:\s*,\s*{_SPEC})*)$"),
        _drop_partitions,
    ),
    (_form(rf"ALTER TABLE {_NAME} ({_SPEC})\s*SET (LOCATION\s*{_STRING})$"), _set_location),
    (_form(rf"SHOW PARTITIONS {_NAME}$"), lambda _, match: ShowPartitions(_name(match[1]))),
)
