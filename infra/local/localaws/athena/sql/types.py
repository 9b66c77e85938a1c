"""Trino's types: their names here, in Hive and in DuckDB, and how they widen.

Two simplifications, both invisible in values: a varchar's length is not tracked, and a
``timestamp with time zone`` is always in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp
from sqlglot.errors import SqlglotError

from localaws.athena.errors import QueryError, not_supported

MAX_DECIMAL: Final = 38


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

INTEGERS: Final = (TINYINT, SMALLINT, INTEGER, BIGINT)
FLOATS: Final = (REAL, DOUBLE)
DIGITS: Final = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}
"""Digits of the decimal that an integer type widens to."""
TEMPORAL: Final = ("date", "timestamp", ZONED)


def decimal(precision: int, scale: int) -> Type:
    """``decimal(precision, scale)``."""
    return Type("decimal", (precision, scale))


def array(element: Type) -> Type:
    """``array(element)``."""
    return Type("array", args=(element,))


def map_of(key: Type, value: Type) -> Type:
    """``map(key, value)``."""
    return Type("map", args=(key, value))


def row(fields: Sequence[tuple[str, Type]]) -> Type:
    """``row(name type, …)``."""
    return Type(
        "row",
        args=tuple(kind for _, kind in fields),
        names=tuple(name.lower() for name, _ in fields),
    )


def is_number(kind: Type) -> bool:
    """Whether arithmetic is defined on `kind`."""
    return kind in INTEGERS or kind in FLOATS or kind.base == "decimal"


def is_orderable(kind: Type) -> bool:
    """Whether values of `kind` can be sorted and compared with ``<``."""
    return kind.base not in ("map", "json") and all(is_orderable(arg) for arg in kind.args)


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


_DTYPES = {
    exp.DType.BOOLEAN: BOOLEAN,
    exp.DType.TINYINT: TINYINT,
    exp.DType.SMALLINT: SMALLINT,
    exp.DType.INT: INTEGER,
    exp.DType.BIGINT: BIGINT,
    exp.DType.FLOAT: REAL,
    exp.DType.DOUBLE: DOUBLE,
    exp.DType.DATE: DATE,
}
_TRINO = {exp.DType.VARCHAR: VARCHAR, exp.DType.VARBINARY: VARBINARY, exp.DType.JSON: JSON}
_HIVE = {
    exp.DType.TEXT: VARCHAR,
    # Its length is a promise about the data; Trino does not cut on read either.
    exp.DType.VARCHAR: VARCHAR,
    exp.DType.BINARY: VARBINARY,
    exp.DType.TIMESTAMP: TIMESTAMP,
}


def parse_hive(text: str) -> Type:
    """The Trino type of a Hive column type; raises QueryError when it has none here."""
    try:
        return of_hive(exp.DataType.build(text, dialect="hive"))
    except (SqlglotError, RecursionError) as error:
        message = f"Malformed Hive type: {text}"
        raise QueryError("HIVE_UNSUPPORTED_FORMAT", message) from error


def of_hive(node: exp.DataType) -> Type:
    """The Trino type of a column type in Hive's grammar; raises QueryError."""
    inner = node.expressions
    if node.this in _HIVE:
        return _HIVE[node.this]
    if node.this == exp.DType.DECIMAL:
        return _decimal(node, (10, 0))
    if node.this in (exp.DType.ARRAY, exp.DType.MAP) and inner:
        return Type(node.this.value.lower(), args=tuple(map(of_hive, inner)))
    if node.this == exp.DType.STRUCT and inner:
        return row([(one.name, of_hive(one.args["kind"])) for one in inner])
    if node.this not in _DTYPES or inner:
        raise not_supported(f"the column type {node.sql('hive').lower()}")
    return _DTYPES[node.this]


def _decimal(node: exp.DataType, default: tuple[int, int]) -> Type:
    numbers = [int(one.name) for one in node.expressions]
    precision, scale = (*numbers, 0)[:2] if numbers else default
    if not 1 <= precision <= MAX_DECIMAL or scale > precision:
        raise not_supported(f"the type {node.sql('trino').lower()}")
    return decimal(precision, scale)


def parse_sql(node: exp.DataType) -> Type:
    """The type in a CAST; raises QueryError for one that is not supported."""
    if node.this in (_DTYPES | _TRINO) and not node.expressions:
        return (_DTYPES | _TRINO)[node.this]
    if node.this == exp.DType.DECIMAL:
        return _decimal(node, (MAX_DECIMAL, 0))
    numbers = tuple(int(one.name) for one in node.expressions if isinstance(one, exp.DataTypeParam))
    # DuckDB's timestamps count microseconds.
    if node.this in (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ) and numbers <= (6,):
        base = "timestamp" if node.this == exp.DType.TIMESTAMP else ZONED
        return Type(base, numbers or (3,))
    if node.this == exp.DType.ARRAY and len(node.expressions) == 1:
        return array(parse_sql(node.expressions[0]))
    if node.this == exp.DType.MAP and len(node.expressions) == 2:
        return map_of(*map(parse_sql, node.expressions))
    raise not_supported(f"the type {node.sql('trino').lower()}")


_WIDENING = ("tinyint", "smallint", "integer", "bigint", "decimal", "real", "double")


def common_type(left: Type, right: Type) -> Type | None:
    """The type both coerce to without losing anything Trino would keep; None when there is none."""
    if right in (left, UNKNOWN):
        return left
    if left == UNKNOWN:
        return right
    if is_number(left) and is_number(right):
        return _common_number(left, right)
    if left.base in TEMPORAL and right.base in TEMPORAL:
        base = max(left.base, right.base, key=TEMPORAL.index)
        return Type(base, max(left.numbers, right.numbers))
    if left.base == right.base and left.args and left.names == right.names:
        args = [common_type(a, b) for a, b in zip(left.args, right.args, strict=True)]
        if all(args):
            return Type(left.base, args=tuple(arg for arg in args if arg), names=left.names)
    return None


def _common_number(left: Type, right: Type) -> Type:
    if left.base != "decimal" and right.base != "decimal":
        return max(left, right, key=lambda kind: _WIDENING.index(kind.base))
    if left in FLOATS or right in FLOATS:
        return left if left in FLOATS else right
    (p1, s1), (p2, s2) = as_decimal(left).numbers, as_decimal(right).numbers
    scale = max(s1, s2)
    return decimal(min(MAX_DECIMAL, scale + max(p1 - s1, p2 - s2)), scale)


def as_decimal(kind: Type) -> Type:
    """The decimal an integer type widens to; a decimal stays."""
    return kind if kind.base == "decimal" else decimal(DIGITS[kind.base], 0)


def can_coerce(source: Type, target: Type) -> bool:
    """Whether Trino converts `source` to `target` by itself."""
    common = common_type(source, target)
    if common is None or (source in FLOATS and target.base == "decimal"):
        return False
    # The precision of a parameter is not part of the choice of a function.
    return common == target or (common.base == target.base and target.base in TEMPORAL)
