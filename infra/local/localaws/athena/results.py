"""Results as Athena shows them: text values, CSV, `ColumnInfo`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from localaws.athena.sql import types
from localaws.athena.sql.types import Type
from localaws.athena.tables.json_text import java_double

_UNBOUNDED = 2147483647
_PRECISIONS = {
    "tinyint": 3,
    "smallint": 5,
    "integer": 10,
    "bigint": 19,
    "real": 17,
    "double": 17,
    "varchar": _UNBOUNDED,
    "varbinary": 1073741824,
}
_NAMES = {"real": "float"}


def column_info(name: str, kind: Type) -> dict[str, Any]:
    """One `ColumnInfo` of GetQueryResults."""
    precision, scale = _PRECISIONS.get(kind.base, 0), 0
    if kind.base == "decimal":
        precision, scale = kind.numbers
    elif kind.base in ("timestamp", types.ZONED):
        precision = kind.numbers[0]
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": _NAMES.get(kind.base, kind.base),
        "Precision": precision,
        "Scale": scale,
        "Nullable": "UNKNOWN",
        "CaseSensitive": kind.base == "varchar",
    }


def text_column_info(name: str) -> dict[str, Any]:
    """The `ColumnInfo` of a column of a DDL or utility statement."""
    return {**column_info(name, types.VARCHAR), "Type": "string", "Precision": 0}


def render(value: Any, kind: Type) -> str | None:
    """A value as text; None for NULL."""
    if value is None:
        return None
    renderer = _RENDERERS.get(kind.base)
    return str(value) if renderer is None else renderer(value, kind)


def _timestamp(value: datetime, kind: Type) -> str:
    fraction = f".{value.microsecond:06}"[: kind.numbers[0] + 1] if kind.numbers[0] else ""
    zone = " UTC" if kind.base == types.ZONED else ""
    return f"{value.year:04}-{value:%m-%d %H:%M:%S}{fraction}{zone}"


def _inner(value: Any, kind: Type) -> str:
    shown = render(value, kind)
    return "null" if shown is None else shown


def _array(value: Sequence[Any], kind: Type) -> str:
    return "[" + ", ".join(_inner(item, kind.args[0]) for item in value) + "]"


def _map(value: dict[Any, Any], kind: Type) -> str:
    key, item = kind.args
    return "{" + ", ".join(f"{_inner(k, key)}={_inner(v, item)}" for k, v in value.items()) + "}"


def _row(value: dict[str, Any], kind: Type) -> str:
    fields = zip(kind.names, value.values(), kind.args, strict=True)
    return "{" + ", ".join(f"{name}={_inner(item, arg)}" for name, item, arg in fields) + "}"


_RENDERERS: dict[str, Callable[[Any, Type], str]] = {
    "boolean": lambda value, _: "true" if value else "false",
    "double": lambda value, _: java_double(value),
    "decimal": lambda value, kind: f"{value:.{kind.numbers[1]}f}",
    "timestamp": _timestamp,
    types.ZONED: _timestamp,
    "date": lambda value, _: f"{value.year:04}-{value:%m-%d}",
    "varbinary": lambda value, _: value.hex(" "),
    "array": _array,
    "map": _map,
    "row": _row,
}


def csv_line(values: Sequence[str | None]) -> str:
    """One line of a result file: values quoted, NULL empty and unquoted."""
    quoted = ('"' + value.replace('"', '""') + '"' if value is not None else "" for value in values)
    return ",".join(quoted) + "\n"


_FIELD = re.compile(r'(?:"((?:[^"]|"")*)")?([,\n])')


def csv_rows(body: str) -> Iterator[list[str | None]]:
    """The lines of a result file, header included; tells NULL from an empty string.

    Raises ValueError when `csv_line` did not write it.
    """
    index = 0
    row: list[str | None] = []
    while index < len(body):
        match = _FIELD.match(body, index)
        if match is None:
            raise ValueError(f"not a result file: {body[index : index + 40]!r}")
        value = match.group(1)
        row.append(None if value is None else value.replace('""', '"'))
        if match.group(2) == "\n":
            yield row
            row = []
        index = match.end()
