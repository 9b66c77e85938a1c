"""What kind of statement a text is, and what it says."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlglot import exp

from localaws.athena.errors import QueryError, not_supported, syntax_error
from localaws.athena.lexer import Cursor, tokens
from localaws.athena.sql.parsing import parse_query, place
from localaws.athena.sql.types import hive_name, parse_hive

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
    """``CREATE [OR REPLACE] VIEW``; `text` is the query as written."""

    name: Name
    replace: bool
    query: exp.Expr
    text: str


@dataclass(frozen=True, slots=True)
class CreateTableAs:
    """``CREATE TABLE … AS``; `location` None: below the results."""

    name: Name
    if_not_exists: bool
    location: str | None
    compression: str
    query: exp.Expr


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    """A column as the Glue catalog keeps it."""

    name: str
    type: str
    comment: str | None = None


@dataclass(slots=True)
class CreateTable:
    """``CREATE EXTERNAL TABLE``."""

    name: Name
    if_not_exists: bool
    columns: list[ColumnDefinition]
    partition_keys: list[ColumnDefinition] = field(default_factory=list)
    comment: str | None = None
    serde: str = ""
    serde_parameters: dict[str, str] = field(default_factory=dict)
    input_format: str = ""
    output_format: str = ""
    location: str = ""
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drop:
    """``DROP TABLE`` or ``DROP VIEW``."""

    name: Name
    if_exists: bool
    view: bool


@dataclass(frozen=True, slots=True)
class AddPartitions:
    """``ALTER TABLE … ADD PARTITION``; a location that is None follows from the table's."""

    table: Name
    if_not_exists: bool
    partitions: tuple[tuple[PartitionSpec, str | None], ...]


@dataclass(frozen=True, slots=True)
class DropPartitions:
    """``ALTER TABLE … DROP PARTITION``."""

    table: Name
    if_exists: bool
    partitions: tuple[PartitionSpec, ...]


@dataclass(frozen=True, slots=True)
class SetLocation:
    """``ALTER TABLE … PARTITION … SET LOCATION``."""

    table: Name
    partition: PartitionSpec
    location: str


@dataclass(frozen=True, slots=True)
class ShowPartitions:
    """``SHOW PARTITIONS``."""

    table: Name


Definition = CreateTable | Drop | AddPartitions | DropPartitions | SetLocation | ShowPartitions
Statement = Select | CreateView | CreateTableAs | Definition

MAX_BYTES = 262_144
TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
PARQUET_INPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
PARQUET_OUTPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"

_QUERY_WORDS = ("SELECT", "WITH", "VALUES", "TABLE", "(")
# What Athena's statements start with; what follows CREATE and the like is a word of its own.
_OBJECTS = frozenset(
    ["TABLE", "EXTERNAL", "VIEW", "DATABASE", "SCHEMA", "OR", "PROTECTED", "ROLE", "FUNCTION"]
)
_OTHER_WORDS = frozenset(
    [
        "UNLOAD",
        "INSERT",
        "DELETE",
        "UPDATE",
        "MERGE",
        "EXPLAIN",
        "ANALYZE",
        "PREPARE",
        "EXECUTE",
        "DEALLOCATE",
        "DESCRIBE",
        "DESC",
        "MSCK",
        "OPTIMIZE",
        "VACUUM",
        "TRUNCATE",
        "USE",
        "SET",
        "RESET",
        "GRANT",
        "REVOKE",
        "CALL",
        "COMMIT",
        "ROLLBACK",
        "START",
    ]
)
_SHOWN = frozenset(
    ["PARTITIONS", "TABLES", "VIEWS", "DATABASES", "SCHEMAS", "COLUMNS", "CREATE", "TBLPROPERTIES"]
)


def parse(statement: str) -> Statement:
    """The statement; raises QueryError for what is malformed or not supported."""
    if len(statement.encode()) > MAX_BYTES:
        raise syntax_error(f"the statement is longer than {MAX_BYTES} bytes")
    opening = list(itertools.islice(tokens(statement), 2))
    words = [token.text.upper() for token in opening]
    if not words:
        raise QueryError("", "Query is empty")
    if words[0] in _QUERY_WORDS:
        return Select(parse_query(statement))
    for start, parser, hive in _PARSERS:
        cursor = Cursor(statement, hive=hive)
        if cursor.take(*start):
            return parser(cursor)
    known, wrong = words[0] in _OTHER_WORDS, opening[0]
    if words[0] in ("CREATE", "DROP", "ALTER", "SHOW"):
        known, wrong = words[-1] in (_SHOWN if words[0] == "SHOW" else _OBJECTS), opening[-1]
    if known:
        raise not_supported(f"the statement {' '.join(words if words[0] == 'SHOW' else words[:1])}")
    raise syntax_error(
        f"mismatched input '{statement[wrong.start : wrong.end]}'", place(statement, wrong.start)
    )


def _name(cursor: Cursor) -> Name:
    """``[database.]name``."""
    first = cursor.identifier()
    if not cursor.take_mark("."):
        return None, first
    second = cursor.identifier()
    if not cursor.take_mark("."):
        return first, second
    if first != "awsdatacatalog":
        raise not_supported(f"the catalog {first}")
    return second, cursor.identifier()


def _inside(cursor: Cursor) -> exp.Expr:
    """The rest of the statement as a query, positions as in the whole."""
    blank = re.sub(r"[^\n]", " ", cursor.statement[: cursor.offset])
    return parse_query(blank + cursor.statement[cursor.offset :])


def _create_view(cursor: Cursor, *, replace: bool = False) -> CreateView:
    name = _name(cursor)
    cursor.expect("AS")
    text = cursor.statement[cursor.offset :].rstrip().rstrip(";").rstrip()
    return CreateView(name, replace, _inside(cursor), text)


def _create_table_as(cursor: Cursor) -> CreateTableAs:
    if_not_exists = cursor.take("IF", "NOT", "EXISTS")
    name = _name(cursor)
    given = dict(cursor.listed(lambda: _option(cursor)) if cursor.take("WITH") else ())
    if not cursor.take("AS"):
        raise not_supported("CREATE TABLE of anything but a query or an EXTERNAL table")
    form = given.pop("format", "PARQUET").upper()
    if form != "PARQUET":
        raise not_supported(f"the format {form}")
    compression = given.pop("write_compression", given.pop("parquet_compression", "GZIP")).upper()
    if compression not in ("GZIP", "SNAPPY", "ZSTD"):
        raise not_supported(f"compression {compression} of Parquet")
    location = given.pop("external_location", None)
    if given:
        raise not_supported(f"the property {next(iter(given))}")
    return CreateTableAs(name, if_not_exists, location, compression, _inside(cursor))


def _option(cursor: Cursor) -> tuple[str, str]:
    name = cursor.identifier()
    cursor.expect_mark("=")
    if cursor.at("ARRAY"):
        raise not_supported(f"the property {name}")
    return name, cursor.string()


def _create_table(cursor: Cursor) -> CreateTable:
    if_not_exists = cursor.take("IF", "NOT", "EXISTS")
    made = CreateTable(_name(cursor), if_not_exists, cursor.listed(lambda: _column(cursor)))
    while not cursor.done:
        _clause(cursor, made)
    if not made.location:
        raise QueryError("FAILED", "SemanticException: No location specified for the table")
    names = [column.name for column in (*made.columns, *made.partition_keys)]
    duplicate = next((one for one in names if names.count(one) > 1), None)
    if duplicate is not None:
        raise QueryError("FAILED", f"SemanticException: Duplicate column name: {duplicate}")
    if not made.serde:
        raise not_supported("a table without ROW FORMAT SERDE or STORED AS PARQUET")
    if not made.input_format:
        made.input_format, made.output_format = TEXT_INPUT, TEXT_OUTPUT
    return made


def _clause(cursor: Cursor, made: CreateTable) -> None:
    if cursor.take("PARTITIONED", "BY"):
        made.partition_keys = cursor.listed(lambda: _column(cursor))
    elif cursor.take("COMMENT"):
        made.comment = cursor.string()
    elif cursor.take("ROW", "FORMAT", "SERDE"):
        made.serde = cursor.string()
    elif cursor.take("WITH", "SERDEPROPERTIES"):
        made.serde_parameters = dict(cursor.listed(lambda: _property(cursor)))
    elif cursor.take("STORED", "AS"):
        _stored_as(cursor, made)
    elif cursor.take("LOCATION"):
        made.location = _location(cursor)
    elif cursor.take("TBLPROPERTIES"):
        made.properties = dict(cursor.listed(lambda: _property(cursor)))
    elif cursor.at("ROW", "FORMAT", "DELIMITED") or cursor.at("CLUSTERED"):
        raise not_supported("ROW FORMAT DELIMITED and CLUSTERED BY")
    else:
        raise cursor.error()


def _stored_as(cursor: Cursor, made: CreateTable) -> None:
    if cursor.take("INPUTFORMAT"):
        made.input_format = cursor.string()
        cursor.expect("OUTPUTFORMAT")
        made.output_format = cursor.string()
    elif cursor.take("PARQUET"):
        made.input_format, made.output_format = PARQUET_INPUT, PARQUET_OUTPUT
        made.serde = made.serde or PARQUET_SERDE
    elif not cursor.take("TEXTFILE"):
        raise not_supported(f"STORED AS {cursor.next().text.upper()}")


def _location(cursor: Cursor) -> str:
    location = cursor.string()
    if not location.startswith("s3://") or len(location) <= len("s3://"):
        raise QueryError(
            "FAILED", f"SemanticException: The location '{location}' is not an s3:// path"
        )
    return location


def _column(cursor: Cursor) -> ColumnDefinition:
    name, kind = cursor.identifier(), _type(cursor)
    return ColumnDefinition(name, kind, cursor.string() if cursor.take("COMMENT") else None)


def _type(cursor: Cursor) -> str:
    """A Hive type in the catalog's spelling: lower case, no spaces."""
    pieces: list[str] = []
    depth = 0
    while True:
        token = cursor.peek()
        mark = token.text if token is not None and token.kind == "mark" else ""
        if depth == 0 and pieces and mark not in ("(", "<"):
            break
        if token is None or token.kind == "string" or (mark and mark not in "()<>,:"):
            raise cursor.error()
        depth += (mark in ("(", "<")) - (mark in (")", ">"))
        pieces.append(token.text.lower())
        cursor.next()
    text = "".join(pieces)
    try:
        parsed = parse_hive(text)
    except QueryError as error:
        raise QueryError("FAILED", f"ParseException: {error}") from error
    # varchar(n) stays as written: the catalog shows the user's own words.
    return text if text.startswith("varchar") else hive_name(parsed)


def _property(cursor: Cursor) -> tuple[str, str]:
    name = cursor.string()
    cursor.expect_mark("=")
    return name, cursor.string()


def _drop(cursor: Cursor, *, view: bool) -> Drop:
    if_exists = cursor.take("IF", "EXISTS")
    name = _name(cursor)
    cursor.finish()
    return Drop(name, if_exists, view)


def _alter_table(cursor: Cursor) -> AddPartitions | DropPartitions | SetLocation:
    table = _name(cursor)
    if cursor.take("ADD"):
        if_not_exists = cursor.take("IF", "NOT", "EXISTS")
        added: list[tuple[PartitionSpec, str | None]] = []
        while not added or not cursor.done:
            spec = _partition(cursor)
            added.append((spec, _location(cursor) if cursor.take("LOCATION") else None))
        return AddPartitions(table, if_not_exists, tuple(added))
    if cursor.take("DROP"):
        if_exists = cursor.take("IF", "EXISTS")
        dropped = [_partition(cursor)]
        while cursor.take_mark(","):
            dropped.append(_partition(cursor))
        cursor.finish()
        return DropPartitions(table, if_exists, tuple(dropped))
    if not cursor.at("PARTITION"):
        raise not_supported("this form of ALTER TABLE")
    partition = _partition(cursor)
    cursor.expect("SET", "LOCATION")
    location = _location(cursor)
    cursor.finish()
    return SetLocation(table, partition, location)


def _partition(cursor: Cursor) -> PartitionSpec:
    cursor.expect("PARTITION")
    return tuple(cursor.listed(lambda: _partition_value(cursor)))


def _partition_value(cursor: Cursor) -> tuple[str, str]:
    name = cursor.identifier()
    cursor.expect_mark("=")
    return name, cursor.next("string", "number").text


def _show_partitions(cursor: Cursor) -> ShowPartitions:
    table = _name(cursor)
    cursor.finish()
    return ShowPartitions(table)


_PARSERS: tuple[tuple[tuple[str, ...], Callable[[Cursor], Statement], bool], ...] = (
    (("CREATE", "VIEW"), _create_view, False),
    (("CREATE", "OR", "REPLACE", "VIEW"), lambda c: _create_view(c, replace=True), False),
    (("CREATE", "TABLE"), _create_table_as, False),
    (("CREATE", "EXTERNAL", "TABLE"), _create_table, True),
    (("DROP", "TABLE"), lambda c: _drop(c, view=False), True),
    (("DROP", "VIEW"), lambda c: _drop(c, view=True), True),
    (("ALTER", "TABLE"), _alter_table, True),
    (("SHOW", "PARTITIONS"), _show_partitions, True),
)
