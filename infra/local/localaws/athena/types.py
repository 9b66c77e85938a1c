"""Trino's types: their names here, in Hive and in DuckDB, and how they widen.

Two simplifications, both invisible in values: a varchar's length is not tracked (a cast to
``varchar(n)`` still cuts), and a ``timestamp with time zone`` is kept as its instant, in UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from localaws.athena.errors import QueryError, not_supported

MAX_DECIMAL: Final = 38


@dataclass(frozen=True, slots=True)
class Type:
    """One type.

    `numbers` holds a decimal's precision and scale or a timestamp's precision; `args` the types of
    elements, keys and values or fields; `names` a row's field names (lower case, None if it has
    none). `zone` says of a timestamp with time zone whether its values are known to be in UTC.
    """

    base: str
    numbers: tuple[int, ...] = ()
    args: tuple[Type, ...] = ()
    names: tuple[str | None, ...] = ()
    zone: str | None = None

    def __str__(self) -> str:
        return trino_name(self)

    @property
    def precision(self) -> int:
        """Digits of a decimal, or of a timestamp's fraction of a second."""
        return self.numbers[0]

    @property
    def scale(self) -> int:
        """Digits after a decimal's point."""
        return self.numbers[1]


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
DAY_INTERVAL: Final = Type("interval day to second")
MONTH_INTERVAL: Final = Type("interval year to month")

INTEGERS: Final = (TINYINT, SMALLINT, INTEGER, BIGINT)
FLOATS: Final = (REAL, DOUBLE)
INTEGER_DIGITS: Final = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}


def decimal(precision: int, scale: int) -> Type:
    """``decimal(precision, scale)``."""
    return Type("decimal", (precision, scale))


def timestamp(precision: int = 3) -> Type:
    """``timestamp(precision)``."""
    return Type("timestamp", (precision,))


def timestamp_tz(precision: int = 3, *, utc: bool = True) -> Type:
    """``timestamp(precision) with time zone``; not `utc` when each value has a zone of its own."""
    return Type("timestamp with time zone", (precision,), zone="UTC" if utc else None)


def array(element: Type) -> Type:
    """``array(element)``."""
    return Type("array", args=(element,))


def map_of(key: Type, value: Type) -> Type:
    """``map(key, value)``."""
    return Type("map", args=(key, value))


def row(fields: Sequence[tuple[str | None, Type]]) -> Type:
    """``row(name type, …)``."""
    return Type(
        "row",
        args=tuple(kind for _, kind in fields),
        names=tuple(name.lower() if name else None for name, _ in fields),
    )


def is_integer(kind: Type) -> bool:
    """Whether `kind` is one of the four integer types."""
    return kind in INTEGERS


def is_number(kind: Type) -> bool:
    """Whether arithmetic is defined on `kind`."""
    return kind in INTEGERS or kind in FLOATS or kind.base == "decimal"


def is_timestamp(kind: Type) -> bool:
    """A timestamp without or with time zone."""
    return kind.base in ("timestamp", "timestamp with time zone")


def is_orderable(kind: Type) -> bool:
    """Whether values of `kind` can be sorted and compared with ``<``."""
    if kind.base in ("map", "json"):
        return False
    return all(is_orderable(arg) for arg in kind.args)


def has_unknown_zone(kind: Type) -> bool:
    """Whether `kind` has a timestamp in it whose values have zones of their own."""
    if kind.base == "timestamp with time zone":
        return kind.zone is None
    return any(has_unknown_zone(arg) for arg in kind.args)


def field_names(kind: Type) -> tuple[str, ...]:
    """The physical names of a row's fields; Trino's unnamed ones count from ``field0``."""
    return tuple(name or f"field{index}" for index, name in enumerate(kind.names))


def trino_name(kind: Type) -> str:
    """The type as Trino prints it."""
    if kind.base == "decimal":
        return f"decimal({kind.precision},{kind.scale})"
    if kind.base == "timestamp":
        return f"timestamp({kind.precision})"
    if kind.base == "timestamp with time zone":
        return f"timestamp({kind.precision}) with time zone"
    if kind.base == "row":
        fields = (
            f"{name} {trino_name(arg)}" if name else trino_name(arg)
            for name, arg in zip(kind.names, kind.args, strict=True)
        )
        return f"row({', '.join(fields)})"
    if kind.args:
        return f"{kind.base}({', '.join(map(trino_name, kind.args))})"
    return kind.base


_DUCKDB = {
    "unknown": "INTEGER",
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double": "DOUBLE",
    "varchar": "VARCHAR",
    "varbinary": "BLOB",
    "date": "DATE",
    "json": "VARCHAR",
    "timestamp": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMP",
    "interval day to second": "INTERVAL",
    "interval year to month": "INTERVAL",
}


def duckdb_name(kind: Type) -> str:
    """The DuckDB type that holds `kind`."""
    if kind.base == "decimal":
        return f"DECIMAL({kind.precision},{kind.scale})"
    if kind.base == "array":
        return f"{duckdb_name(kind.args[0])}[]"
    if kind.base == "map":
        return f"MAP({duckdb_name(kind.args[0])}, {duckdb_name(kind.args[1])})"
    if kind.base == "row":
        fields = zip(field_names(kind), kind.args, strict=True)
        return f"STRUCT({', '.join(f'{quoted(name)} {duckdb_name(arg)}' for name, arg in fields)})"
    return _DUCKDB[kind.base]


def quoted(name: str) -> str:
    """`name` as a DuckDB identifier."""
    return '"' + name.replace('"', '""') + '"'


_HIVE = {
    "boolean": "boolean",
    "tinyint": "tinyint",
    "smallint": "smallint",
    "integer": "int",
    "bigint": "bigint",
    "real": "float",
    "double": "double",
    "varchar": "string",
    "varbinary": "binary",
    "date": "date",
    "timestamp": "timestamp",
}


def hive_name(kind: Type) -> str:
    """The type as Athena writes it to the Glue catalog; raises QueryError where Hive has none."""
    if kind.base == "decimal":
        return f"decimal({kind.precision},{kind.scale})"
    if kind.base == "array":
        return f"array<{hive_name(kind.args[0])}>"
    if kind.base == "map":
        return f"map<{hive_name(kind.args[0])},{hive_name(kind.args[1])}>"
    if kind.base == "row":
        fields = zip(field_names(kind), kind.args, strict=True)
        return f"struct<{','.join(f'{name}:{hive_name(arg)}' for name, arg in fields)}>"
    if kind.base not in _HIVE:
        raise QueryError("NOT_SUPPORTED", f"Unsupported Hive type: {kind}")
    return _HIVE[kind.base]


_FROM_HIVE = {
    "boolean": BOOLEAN,
    "tinyint": TINYINT,
    "smallint": SMALLINT,
    "int": INTEGER,
    "integer": INTEGER,
    "bigint": BIGINT,
    "float": REAL,
    "double": DOUBLE,
    "string": VARCHAR,
    "varchar": VARCHAR,
    "binary": VARBINARY,
    "date": DATE,
    "timestamp": timestamp(3),
}
_HIVE_DEPTH = 32


def parse_hive(text: str) -> Type:
    """The Trino type of a Hive column type; raises QueryError when it has none here."""
    kind, rest = _hive_type(text.strip(), 0)
    if rest.strip():
        raise QueryError("HIVE_UNSUPPORTED_FORMAT", f"Unsupported Hive type: {text}")
    return kind


def _hive_type(text: str, depth: int) -> tuple[Type, str]:
    """The type `text` starts with, and what follows it."""
    if depth > _HIVE_DEPTH:
        raise QueryError("HIVE_UNSUPPORTED_FORMAT", f"Hive type nested deeper than {_HIVE_DEPTH}")
    text = text.lstrip()
    word, rest = _split_name(text)
    name = word.lower()
    match name:
        case "array":
            element, rest = _hive_type(_skip(rest, "<", text), depth + 1)
            return array(element), _skip(rest, ">", text)
        case "map":
            key, rest = _hive_type(_skip(rest, "<", text), depth + 1)
            value, rest = _hive_type(_skip(rest, ",", text), depth + 1)
            return map_of(key, value), _skip(rest, ">", text)
        case "struct":
            return _hive_struct(rest, text, depth)
        case "decimal":
            return _hive_decimal(rest, text)
        case "varchar":
            # The length is a promise about the data; Trino does not cut on read either.
            return VARCHAR, _skip_numbers(rest, text)[1]
    if name not in _FROM_HIVE:
        raise not_supported(f"the column type {text!r}")
    return _FROM_HIVE[name], rest


def _hive_struct(rest: str, text: str, depth: int) -> tuple[Type, str]:
    fields: list[tuple[str | None, Type]] = []
    rest = _skip(rest, "<", text)
    while True:
        name, _, rest = rest.partition(":")
        name = name.strip().strip("`")
        if not name or any(char in name for char in "<>,"):
            raise QueryError("HIVE_UNSUPPORTED_FORMAT", f"Malformed Hive type: {text}")
        kind, rest = _hive_type(rest, depth + 1)
        fields.append((name, kind))
        rest = rest.lstrip()
        if rest.startswith(">"):
            return row(fields), rest[1:]
        rest = _skip(rest, ",", text)


def _hive_decimal(rest: str, text: str) -> tuple[Type, str]:
    numbers, rest = _skip_numbers(rest, text)
    precision = numbers[0] if numbers else 10
    scale = numbers[1] if len(numbers) > 1 else 0
    if not 1 <= precision <= MAX_DECIMAL or scale > precision:
        raise QueryError("HIVE_UNSUPPORTED_FORMAT", f"Malformed Hive type: {text}")
    return decimal(precision, scale), rest


def _skip_numbers(rest: str, text: str) -> tuple[list[int], str]:
    if not rest.lstrip().startswith("("):
        return [], rest
    inside, closed, rest = rest.lstrip()[1:].partition(")")
    numbers = [number.strip() for number in inside.split(",")]
    if not closed or not all(number.isdecimal() for number in numbers):
        raise QueryError("HIVE_UNSUPPORTED_FORMAT", f"Malformed Hive type: {text}")
    return [int(number) for number in numbers], rest


def _split_name(text: str) -> tuple[str, str]:
    end = 0
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return text[:end], text[end:]


def _skip(text: str, mark: str, whole: str) -> str:
    text = text.lstrip()
    if not text.startswith(mark):
        raise QueryError("HIVE_UNSUPPORTED_FORMAT", f"Malformed Hive type: {whole}")
    return text[1:]


_DTYPES = {
    exp.DType.BOOLEAN: BOOLEAN,
    exp.DType.TINYINT: TINYINT,
    exp.DType.SMALLINT: SMALLINT,
    exp.DType.INT: INTEGER,
    exp.DType.BIGINT: BIGINT,
    exp.DType.FLOAT: REAL,
    exp.DType.DOUBLE: DOUBLE,
    exp.DType.VARCHAR: VARCHAR,
    exp.DType.VARBINARY: VARBINARY,
    exp.DType.DATE: DATE,
    exp.DType.JSON: JSON,
}
# DuckDB's timestamps count microseconds.
_MAX_TIMESTAMP = 6


def parse_sql(node: exp.DataType) -> tuple[Type, int | None]:
    """The type in a CAST, and the length of a ``varchar(n)``; raises QueryError when refused."""
    length = None
    match node.this:
        case exp.DType.DECIMAL:
            kind = _sql_decimal(node)
        case exp.DType.TIMESTAMP | exp.DType.TIMESTAMPTZ:
            kind = _sql_timestamp(node)
        case exp.DType.ARRAY if len(node.expressions) == 1:
            kind = array(_nested(node.expressions[0]))
        case exp.DType.MAP if len(node.expressions) == 2:
            kind = map_of(_nested(node.expressions[0]), _nested(node.expressions[1]))
        case exp.DType.STRUCT if node.expressions:
            kind = row([_row_field(field) for field in node.expressions])
        case exp.DType.VARCHAR if node.expressions:
            kind, length = VARCHAR, _numbers(node)[0]
        case name if name in _DTYPES and not node.expressions:
            kind = _DTYPES[name]
        case _:
            raise not_supported(f"the type {node.sql('trino').lower()}")
    return kind, length


def _sql_decimal(node: exp.DataType) -> Type:
    numbers = _numbers(node)
    precision = numbers[0] if numbers else MAX_DECIMAL
    scale = numbers[1] if len(numbers) > 1 else 0
    if not 1 <= precision <= MAX_DECIMAL or scale > precision:
        raise QueryError("SYNTAX_ERROR", f"Unknown type: {node.sql('trino')}")
    return decimal(precision, scale)


def _sql_timestamp(node: exp.DataType) -> Type:
    numbers = _numbers(node)
    precision = numbers[0] if numbers else 3
    if precision > _MAX_TIMESTAMP:
        raise not_supported(f"timestamp({precision}), finer than microseconds,")
    return (timestamp if node.this == exp.DType.TIMESTAMP else timestamp_tz)(precision)


def _nested(node: exp.Expr) -> Type:
    if not isinstance(node, exp.DataType):
        raise not_supported(f"the type {node.sql('trino')}")
    kind, length = parse_sql(node)
    if length is not None:
        raise not_supported("varchar(n) inside another type")
    return kind


def _row_field(field: exp.Expr) -> tuple[str | None, Type]:
    if isinstance(field, exp.ColumnDef):
        return field.name, _nested(field.args["kind"])
    return None, _nested(field)


def _numbers(node: exp.DataType) -> list[int]:
    texts = [param.name for param in node.expressions]
    if not all(text.isdecimal() for text in texts):
        raise QueryError("SYNTAX_ERROR", f"Unknown type: {node.sql('trino')}")
    return [int(text) for text in texts]


_WIDENING = ("tinyint", "smallint", "integer", "bigint", "decimal", "real", "double")


def common_type(left: Type, right: Type) -> Type | None:
    """The type both coerce to without losing anything Trino would keep; None when there is none."""
    if right in (left, UNKNOWN):
        return left
    if left == UNKNOWN:
        return right
    if is_number(left) and is_number(right):
        return _common_number(left, right)
    return _common_temporal(left, right) or _common_nested(left, right)


def _common_nested(left: Type, right: Type) -> Type | None:
    if left.base == right.base and left.args and len(left.args) == len(right.args):
        args = [common_type(a, b) for a, b in zip(left.args, right.args, strict=True)]
        if any(arg is None for arg in args):
            return None
        names = left.names if left.names == right.names else tuple(None for _ in left.names)
        return Type(left.base, args=tuple(arg for arg in args if arg), names=names)
    return None


def _common_number(left: Type, right: Type) -> Type:
    if left.base != "decimal" and right.base != "decimal":
        return max(left, right, key=lambda kind: _WIDENING.index(kind.base))
    if left in FLOATS or right in FLOATS:
        return left if left in FLOATS else right
    one, other = as_decimal(left), as_decimal(right)
    scale = max(one.scale, other.scale)
    whole = max(one.precision - one.scale, other.precision - other.scale)
    return decimal(min(MAX_DECIMAL, whole + scale), scale)


def as_decimal(kind: Type) -> Type:
    """The decimal an integer type widens to; a decimal stays."""
    return kind if kind.base == "decimal" else decimal(INTEGER_DIGITS[kind.base], 0)


_TEMPORAL = ("date", "timestamp", "timestamp with time zone")


def _common_temporal(left: Type, right: Type) -> Type | None:
    if left.base not in _TEMPORAL or right.base not in _TEMPORAL:
        return None
    precision = max([kind.precision for kind in (left, right) if kind.numbers], default=0)
    widest = max(left, right, key=lambda kind: _TEMPORAL.index(kind.base))
    if widest.base == "timestamp with time zone":
        zoned = [kind for kind in (left, right) if kind.base == widest.base]
        return timestamp_tz(precision, utc=all(kind.zone == "UTC" for kind in zoned))
    return timestamp(precision)


def can_coerce(source: Type, target: Type) -> bool:
    """Whether Trino converts `source` to `target` by itself."""
    narrows = (source in FLOATS and target.base == "decimal") or (
        source.base == "decimal" and is_integer(target)
    )
    common = common_type(source, target)
    if narrows or common is None:
        return False
    # Precision of a parameter is not part of the choice of a function.
    alike = common.base == target.base and target.base in (*_TEMPORAL, "decimal")
    return alike or common == target
