"""Hive's and Athena's data definition statements, parsed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from localaws.athena.errors import QueryError, not_supported
from localaws.athena.lexer import Cursor
from localaws.athena.types import hive_name, parse_hive

Name = tuple[str | None, str]
"""A database (None: the query's) and a name in it, in lower case."""


@dataclass(frozen=True, slots=True)
class ColumnDefinition:
    """A column as the Glue catalog keeps it."""

    name: str
    type: str
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class CreateTable:
    """``CREATE EXTERNAL TABLE``."""

    name: Name
    if_not_exists: bool
    columns: tuple[ColumnDefinition, ...]
    partition_keys: tuple[ColumnDefinition, ...] = ()
    comment: str | None = None
    serde: str = ""
    serde_parameters: dict[str, str] = field(default_factory=dict)
    input_format: str = ""
    output_format: str = ""
    location: str = ""
    properties: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DropTable:
    """``DROP TABLE``."""

    name: Name
    if_exists: bool


@dataclass(frozen=True, slots=True)
class DropView:
    """``DROP VIEW``."""

    name: Name
    if_exists: bool


@dataclass(frozen=True, slots=True)
class CreateDatabase:
    """``CREATE DATABASE`` or ``CREATE SCHEMA``."""

    name: str
    if_not_exists: bool
    comment: str | None
    location: str | None


@dataclass(frozen=True, slots=True)
class DropDatabase:
    """``DROP DATABASE`` or ``DROP SCHEMA``."""

    name: str
    if_exists: bool
    cascade: bool


PartitionSpec = tuple[tuple[str, str], ...]
"""Partition columns (lower case) and their values."""


@dataclass(frozen=True, slots=True)
class AddPartitions:
    """``ALTER TABLE … ADD PARTITION``: each with its location (None: from the table's)."""

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
    """``ALTER TABLE … [PARTITION …] SET LOCATION``."""

    table: Name
    partition: PartitionSpec | None
    location: str


@dataclass(frozen=True, slots=True)
class RepairTable:
    """``MSCK REPAIR TABLE``."""

    table: Name


@dataclass(frozen=True, slots=True)
class ShowPartitions:
    """``SHOW PARTITIONS``."""

    table: Name


@dataclass(frozen=True, slots=True)
class ShowTables:
    """``SHOW TABLES`` or ``SHOW VIEWS``; `pattern` is a regular expression, ``|`` and ``*``."""

    database: str | None
    pattern: str | None
    views: bool


@dataclass(frozen=True, slots=True)
class ShowDatabases:
    """``SHOW DATABASES`` or ``SHOW SCHEMAS``."""

    pattern: str | None


@dataclass(frozen=True, slots=True)
class ShowColumns:
    """``SHOW COLUMNS``."""

    table: Name


@dataclass(frozen=True, slots=True)
class ShowCreateTable:
    """``SHOW CREATE TABLE``."""

    table: Name


@dataclass(frozen=True, slots=True)
class ShowCreateView:
    """``SHOW CREATE VIEW``."""

    view: Name


@dataclass(frozen=True, slots=True)
class Describe:
    """``DESCRIBE table``."""

    table: Name


Definition = (
    CreateTable
    | DropTable
    | DropView
    | CreateDatabase
    | DropDatabase
    | AddPartitions
    | DropPartitions
    | SetLocation
    | RepairTable
    | ShowPartitions
    | ShowTables
    | ShowDatabases
    | ShowColumns
    | ShowCreateTable
    | ShowCreateView
    | Describe
)

TEXT_INPUT = "org.apache.hadoop.mapred.TextInputFormat"
TEXT_OUTPUT = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
LAZY_SIMPLE = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
PARQUET_INPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
PARQUET_OUTPUT = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
PARQUET_SERDE = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"

# STORED AS: input format, output format, SerDe unless ROW FORMAT names one.
_STORED_AS = {
    "TEXTFILE": (TEXT_INPUT, TEXT_OUTPUT, LAZY_SIMPLE),
    "PARQUET": (PARQUET_INPUT, PARQUET_OUTPUT, PARQUET_SERDE),
}


def parse_definition(statement: str) -> Definition | None:
    """The definition a statement is; None when it is something else.

    Raises QueryError for one that is malformed, or has a clause that is not supported.
    """
    cursor = Cursor(statement, hive=True)
    for words, parser in _PARSERS:
        if cursor.take(*words):
            return parser(cursor)
    return None


def qualified_name(cursor: Cursor) -> Name:
    """``[database.]name``."""
    first = cursor.identifier()
    if cursor.take_mark("."):
        second = cursor.identifier()
        if cursor.take_mark("."):
            if first != "awsdatacatalog":
                raise not_supported(f"the catalog {first}")
            return second, cursor.identifier()
        return first, second
    return None, first


def _create_table(cursor: Cursor) -> CreateTable:
    if_not_exists = cursor.take("IF", "NOT", "EXISTS")
    name = qualified_name(cursor)
    columns = _columns(cursor)
    clauses = _Clauses()
    while not cursor.done:
        _clause(cursor, clauses)
    if clauses.location is None:
        raise QueryError("FAILED", "SemanticException: No location specified for the table")
    _check_location(clauses.location)
    names = [column.name for column in (*columns, *clauses.partition_keys)]
    duplicate = next((one for one in names if names.count(one) > 1), None)
    if duplicate is not None:
        raise QueryError("FAILED", f"SemanticException: Duplicate column name: {duplicate}")
    input_format, output_format, serde = clauses.formats or _STORED_AS["TEXTFILE"]
    return CreateTable(
        name,
        if_not_exists,
        columns,
        clauses.partition_keys,
        clauses.comment,
        clauses.serde or serde or LAZY_SIMPLE,
        clauses.serde_parameters or {"serialization.format": "1"},
        input_format,
        output_format,
        clauses.location,
        clauses.properties,
    )


def _check_location(location: str) -> None:
    if not location.startswith("s3://") or len(location) <= len("s3://"):
        raise QueryError(
            "FAILED", f"SemanticException: The location '{location}' is not an s3:// path"
        )


@dataclass(slots=True)
class _Clauses:
    partition_keys: tuple[ColumnDefinition, ...] = ()
    comment: str | None = None
    serde: str | None = None
    serde_parameters: dict[str, str] = field(default_factory=dict)
    formats: tuple[str, str, str] | None = None
    location: str | None = None
    properties: dict[str, str] = field(default_factory=dict)


def _clause(cursor: Cursor, clauses: _Clauses) -> None:
    if cursor.take("PARTITIONED", "BY"):
        clauses.partition_keys = _columns(cursor)
    elif cursor.take("COMMENT"):
        clauses.comment = cursor.string()
    elif cursor.take("ROW", "FORMAT", "SERDE"):
        clauses.serde = cursor.string()
    elif cursor.take("ROW", "FORMAT", "DELIMITED"):
        clauses.serde_parameters = _delimited(cursor)
    elif cursor.take("WITH", "SERDEPROPERTIES"):
        clauses.serde_parameters = _properties(cursor)
    elif cursor.take("STORED", "AS"):
        clauses.formats = _stored_as(cursor)
    elif cursor.take("LOCATION"):
        clauses.location = cursor.string()
    elif cursor.take("TBLPROPERTIES"):
        clauses.properties = _properties(cursor)
    else:
        raise cursor.error()


def _stored_as(cursor: Cursor) -> tuple[str, str, str]:
    if cursor.take("INPUTFORMAT"):
        input_format = cursor.string()
        cursor.expect("OUTPUTFORMAT")
        return input_format, cursor.string(), ""
    word = cursor.next().text.upper()
    if word not in _STORED_AS:
        raise not_supported(f"STORED AS {word}")
    return _STORED_AS[word]


_DELIMITED = (
    (("FIELDS", "TERMINATED", "BY"), "field.delim"),
    (("ESCAPED", "BY"), "escape.delim"),
    (("COLLECTION", "ITEMS", "TERMINATED", "BY"), "collection.delim"),
    (("MAP", "KEYS", "TERMINATED", "BY"), "mapkey.delim"),
    (("LINES", "TERMINATED", "BY"), "line.delim"),
    (("NULL", "DEFINED", "AS"), "serialization.null.format"),
)


def _delimited(cursor: Cursor) -> dict[str, str]:
    found: dict[str, str] = {}
    while True:
        name = next((name for words, name in _DELIMITED if cursor.take(*words)), None)
        if name is None:
            break
        found[name] = cursor.string()
    if "field.delim" in found:
        found["serialization.format"] = found["field.delim"]
    return found


def _columns(cursor: Cursor) -> tuple[ColumnDefinition, ...]:
    columns: list[ColumnDefinition] = []
    cursor.expect_mark("(")
    while True:
        name = cursor.identifier()
        kind = _type(cursor)
        comment = cursor.string() if cursor.take("COMMENT") else None
        columns.append(ColumnDefinition(name, kind, comment))
        if cursor.take_mark(")"):
            return tuple(columns)
        cursor.expect_mark(",")


def _type(cursor: Cursor) -> str:
    """A Hive type in the catalog's spelling: lower case, no spaces."""
    pieces: list[str] = []
    depth = 0
    while True:
        token = cursor.peek()
        if token is None:
            raise cursor.error()
        if token.kind == "mark" and token.text in "(<":
            depth += 1
        elif token.kind == "mark" and token.text in ")>" and depth:
            depth -= 1
        elif depth == 0 and (pieces and (token.kind != "mark" or token.text in ",)")):
            break
        if token.kind == "string" or (token.kind == "mark" and token.text not in "()<>,:"):
            raise cursor.error()
        if depth and cursor.at("COMMENT"):
            raise not_supported("a comment inside a struct")
        pieces.append(token.text.lower())
        cursor.next()
    text = "".join(pieces)
    try:
        parsed = parse_hive(text)
    except QueryError as error:
        raise QueryError("FAILED", f"ParseException: {error}") from error
    # varchar(n) and int stay as written: the catalog shows the user's own words.
    return text if text.startswith(("varchar", "char")) else hive_name(parsed)


def _properties(cursor: Cursor) -> dict[str, str]:
    found: dict[str, str] = {}
    cursor.expect_mark("(")
    while True:
        name = cursor.string()
        cursor.expect_mark("=")
        found[name] = cursor.string()
        if cursor.take_mark(")"):
            return found
        cursor.expect_mark(",")


def _drop_table(cursor: Cursor) -> DropTable:
    if_exists = cursor.take("IF", "EXISTS")
    name = qualified_name(cursor)
    cursor.finish()
    return DropTable(name, if_exists)


def _drop_view(cursor: Cursor) -> DropView:
    if_exists = cursor.take("IF", "EXISTS")
    name = qualified_name(cursor)
    cursor.finish()
    return DropView(name, if_exists)


def _create_database(cursor: Cursor) -> CreateDatabase:
    if_not_exists = cursor.take("IF", "NOT", "EXISTS")
    name = cursor.identifier()
    comment = location = None
    while not cursor.done:
        if cursor.take("COMMENT"):
            comment = cursor.string()
        elif cursor.take("LOCATION"):
            location = cursor.string()
        else:
            raise cursor.error()
    return CreateDatabase(name, if_not_exists, comment, location)


def _drop_database(cursor: Cursor) -> DropDatabase:
    if_exists = cursor.take("IF", "EXISTS")
    name = cursor.identifier()
    cascade = cursor.take("CASCADE")
    if not cascade:
        cursor.take("RESTRICT")
    cursor.finish()
    return DropDatabase(name, if_exists, cascade)


def _alter_table(cursor: Cursor) -> AddPartitions | DropPartitions | SetLocation:
    table = qualified_name(cursor)
    if cursor.take("ADD"):
        return _add_partitions(cursor, table)
    if cursor.take("DROP"):
        if_exists = cursor.take("IF", "EXISTS")
        dropped = [_partition(cursor)]
        while cursor.take_mark(","):
            dropped.append(_partition(cursor))
        cursor.finish()
        return DropPartitions(table, if_exists, tuple(dropped))
    partition = _partition(cursor) if cursor.at("PARTITION") else None
    if not cursor.take("SET", "LOCATION"):
        raise not_supported("this form of ALTER TABLE")
    location = cursor.string()
    _check_location(location)
    cursor.finish()
    return SetLocation(table, partition, location)


def _add_partitions(cursor: Cursor, table: Name) -> AddPartitions:
    if_not_exists = cursor.take("IF", "NOT", "EXISTS")
    if not cursor.at("PARTITION"):
        raise not_supported("ALTER TABLE ADD of anything but partitions")
    added: list[tuple[PartitionSpec, str | None]] = []
    while not cursor.done:
        spec = _partition(cursor)
        location = cursor.string() if cursor.take("LOCATION") else None
        if location is not None:
            _check_location(location)
        added.append((spec, location))
    return AddPartitions(table, if_not_exists, tuple(added))


def _partition(cursor: Cursor) -> PartitionSpec:
    cursor.expect("PARTITION")
    cursor.expect_mark("(")
    pairs: list[tuple[str, str]] = []
    while True:
        name = cursor.identifier()
        cursor.expect_mark("=")
        token = cursor.next()
        if token.kind not in ("string", "number"):
            raise not_supported("a partition value that is not a literal")
        pairs.append((name, token.text))
        if cursor.take_mark(")"):
            return tuple(pairs)
        cursor.expect_mark(",")


def _repair(cursor: Cursor) -> RepairTable:
    table = qualified_name(cursor)
    cursor.finish()
    return RepairTable(table)


def _show_partitions(cursor: Cursor) -> ShowPartitions:
    table = qualified_name(cursor)
    cursor.finish()
    return ShowPartitions(table)


def _show_relations(cursor: Cursor, *, views: bool) -> ShowTables:
    database = pattern = None
    if cursor.take("IN") or cursor.take("FROM"):
        database = cursor.identifier()
    if not cursor.done:
        cursor.take("LIKE")
        pattern = cursor.string()
    cursor.finish()
    return ShowTables(database, pattern, views)


def _show_databases(cursor: Cursor) -> ShowDatabases:
    pattern = None
    if cursor.take("LIKE") or not cursor.done:
        pattern = cursor.string()
    cursor.finish()
    return ShowDatabases(pattern)


def _show_columns(cursor: Cursor) -> ShowColumns:
    if not (cursor.take("IN") or cursor.take("FROM")):
        raise cursor.error()
    table = qualified_name(cursor)
    if cursor.take("IN") or cursor.take("FROM"):
        table = (cursor.identifier(), table[1])
    cursor.finish()
    return ShowColumns(table)


def _show_create_table(cursor: Cursor) -> ShowCreateTable:
    table = qualified_name(cursor)
    cursor.finish()
    return ShowCreateTable(table)


def _show_create_view(cursor: Cursor) -> ShowCreateView:
    view = qualified_name(cursor)
    cursor.finish()
    return ShowCreateView(view)


def _describe(cursor: Cursor) -> Describe:
    if cursor.at("EXTENDED") or cursor.at("FORMATTED"):
        raise not_supported("DESCRIBE EXTENDED and FORMATTED")
    table = qualified_name(cursor)
    cursor.finish()
    return Describe(table)


_PARSERS: tuple[tuple[tuple[str, ...], Callable[[Cursor], Definition]], ...] = (
    (("CREATE", "EXTERNAL", "TABLE"), _create_table),
    (("DROP", "TABLE"), _drop_table),
    (("DROP", "VIEW"), _drop_view),
    (("CREATE", "DATABASE"), _create_database),
    (("CREATE", "SCHEMA"), _create_database),
    (("DROP", "DATABASE"), _drop_database),
    (("DROP", "SCHEMA"), _drop_database),
    (("ALTER", "TABLE"), _alter_table),
    (("MSCK", "REPAIR", "TABLE"), _repair),
    (("SHOW", "PARTITIONS"), _show_partitions),
    (("SHOW", "TABLES"), lambda cursor: _show_relations(cursor, views=False)),
    (("SHOW", "VIEWS"), lambda cursor: _show_relations(cursor, views=True)),
    (("SHOW", "DATABASES"), _show_databases),
    (("SHOW", "SCHEMAS"), _show_databases),
    (("SHOW", "COLUMNS"), _show_columns),
    (("SHOW", "CREATE", "TABLE"), _show_create_table),
    (("SHOW", "CREATE", "VIEW"), _show_create_view),
    (("DESCRIBE",), _describe),
    (("DESC",), _describe),
)
