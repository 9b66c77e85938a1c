"""Trino's types: their names here, in Hive and in DuckDB.

Two simplifications, both invisible in values: a varchar's length is not tracked, and a
`timestamp with time zone` is always in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp
from sqlglot.errors import SqlglotError

from localaws.athena.errors import QueryError, not_supported


@dataclass(frozen=True, slots=True)
class Type:
    """One type.

    `numbers` holds a decimal's precision and scale or a timestamp's precision; `args` the types of
    elements, keys and values or fields; `names` a row's field names, in lower case.
    """

    base: str
    numbers: tuple[int, ...] = ()
    args: tuple[Type, ...] = ()
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The type as Trino prints it."""
        numbers = ",".join(map(str, self.numbers))
        if self.base == ZONED:
            return f"timestamp({numbers}) with time zone"
        if self.base == "row":
            fields = zip(self.names, self.args, strict=True)
            return f"row({', '.join(f'{name} {kind}' for name, kind in fields)})"
        inside = numbers or ", ".join(map(str, self.args))
        return f"{self.base}({inside})" if inside else self.base


ZONED: Final = "timestamp with time zone"
UNKNOWN: Final = Type("unknown")
BOOLEAN: Final = Type("boolean")
TINYINT: Final = Type("tinyint")
SMALLINT: Final = Type("smallint")
INTEGER: Final = Type("integer")
BIGINT: Final = Type("bigint")
REAL: Final = Type("real")
DOUBLE: Final = Type("double")
VARCHAR: Final = Type("varchar")
VARBINARY: Final = Type("varbinary")
DATE: Final = Type("date")
JSON: Final = Type("json")
TIMESTAMP: Final = Type("timestamp", (3,))
TIMESTAMP_TZ: Final = Type(ZONED, (3,))


def decimal(precision: int, scale: int) -> Type:
    """`decimal(precision, scale)`."""
    return Type("decimal", (precision, scale))


def array(element: Type) -> Type:
    """`array(element)`."""
    return Type("array", args=(element,))


def map_of(key: Type, value: Type) -> Type:
    """`map(key, value)`."""
    return Type("map", args=(key, value))


def row(fields: Sequence[tuple[str, Type]]) -> Type:
    """`row(name type, …)`."""
    return Type(
        "row",
        args=tuple(kind for _, kind in fields),
        names=tuple(name.lower() for name, _ in fields),
    )


_DUCKDB = {
    "unknown": "INTEGER",
    "real": "FLOAT",
    "varbinary": "BLOB",
    "json": "VARCHAR",
    "timestamp": "TIMESTAMP",
    ZONED: "TIMESTAMP",
}


def duckdb_name(kind: Type) -> str:
    """The DuckDB type that holds `kind`."""
    if kind.base == "decimal":
        return str(kind).upper()
    if kind.base == "array":
        return f"{duckdb_name(kind.args[0])}[]"
    if kind.base == "map":
        return f"MAP({duckdb_name(kind.args[0])}, {duckdb_name(kind.args[1])})"
    if kind.base == "row":
        fields = zip(kind.names, kind.args, strict=True)
        return f"STRUCT({', '.join(f'{quoted(name)} {duckdb_name(arg)}' for name, arg in fields)})"
    return _DUCKDB.get(kind.base, kind.base.upper())


def quoted(name: str) -> str:
    """`name` as a DuckDB identifier."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """`value` as a DuckDB string literal."""
    return "'" + value.replace("'", "''") + "'"


_HIVE_NAMES = {
    "integer": "int",
    "real": "float",
    "varchar": "string",
    "varbinary": "binary",
    "timestamp": "timestamp",
    **{name: name for name in ("boolean", "tinyint", "smallint", "bigint", "double", "date")},
}


def hive_name(kind: Type) -> str:
    """The type as Athena writes it to the Glue catalog; raises QueryError where Hive has none."""
    if kind.base == "decimal":
        return str(kind)
    if kind.base in ("array", "map"):
        return f"{kind.base}<{','.join(map(hive_name, kind.args))}>"
    if kind.base == "row":
        fields = zip(kind.names, kind.args, strict=True)
        return f"struct<{','.join(f'{name}:{hive_name(arg)}' for name, arg in fields)}>"
    if kind.base not in _HIVE_NAMES:
        raise QueryError("NOT_SUPPORTED", f"Unsupported Hive type: {kind}")
    return _HIVE_NAMES[kind.base]


_KINDS = {
    exp.DType.BOOLEAN: BOOLEAN,
    exp.DType.TINYINT: TINYINT,
    exp.DType.SMALLINT: SMALLINT,
    exp.DType.INT: INTEGER,
    exp.DType.FLOAT: REAL,
    exp.DType.DOUBLE: DOUBLE,
    exp.DType.DATE: DATE,
    exp.DType.TIMESTAMPTZ: TIMESTAMP_TZ,
    exp.DType.JSON: JSON,
    # DuckDB's sum of bigints.
    **dict.fromkeys((exp.DType.BIGINT, exp.DType.INT128), BIGINT),
    # Its length is a promise about the data; Trino does not cut on read either.
    **dict.fromkeys((exp.DType.TEXT, exp.DType.VARCHAR), VARCHAR),
    **dict.fromkeys((exp.DType.BINARY, exp.DType.VARBINARY), VARBINARY),
    **dict.fromkeys((exp.DType.TIMESTAMP, exp.DType.TIMESTAMPNTZ), TIMESTAMP),
}


def parse_hive(text: str) -> Type:
    """The Trino type of a Hive column type; raises QueryError when it has none here."""
    try:
        return of(exp.DataType.build(text, dialect="hive"))
    except (SqlglotError, RecursionError) as error:
        message = f"Malformed Hive type: {text}"
        raise QueryError("HIVE_UNSUPPORTED_FORMAT", message) from error


def parse_duckdb(text: str) -> Type:
    """The Trino type of what DuckDB gives; raises QueryError when it has none here."""
    return UNKNOWN if text == '"NULL"' else of(exp.DataType.build(text, dialect="duckdb"))


def of(node: exp.DataType) -> Type:
    """The Trino type of a Hive or DuckDB type as sqlglot reads it; raises QueryError."""
    inner = node.expressions
    if node.this == exp.DType.DECIMAL:
        numbers = [int(one.name) for one in inner]
        precision, scale = (*numbers, 0)[:2] if numbers else (10, 0)
        if 1 <= precision <= 38 and scale <= precision:
            return decimal(precision, scale)
    if node.this in (exp.DType.ARRAY, exp.DType.LIST) and inner:
        return array(of(inner[0]))
    if node.this == exp.DType.MAP and inner:
        return map_of(*map(of, inner))
    if node.this == exp.DType.STRUCT and inner:
        return row([(one.name, of(one.args["kind"])) for one in inner])
    if node.this not in _KINDS or (inner and node.this != exp.DType.VARCHAR):
        raise not_supported(f"the type {node.sql('hive').lower()}")
    return _KINDS[node.this]
