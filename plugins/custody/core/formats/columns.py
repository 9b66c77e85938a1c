"""The columns of a Hive table whose rows are instances of a dataclass."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from types import NoneType, UnionType
from typing import Final, get_args, get_type_hints

_HIVE: Final[dict[object, str]] = {
    str: "STRING",
    int: "BIGINT",
    bool: "BOOLEAN",
    datetime: "TIMESTAMP",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its Hive type, and whether it may be NULL."""

    name: str
    type: str
    nullable: bool


def columns_of(row: type) -> tuple[Column, ...]:
    """The columns of a table: one for each field of the dataclass `row`, in order.

    Raises `ValueError` for a field whose type no column has.
    """
    hints = get_type_hints(row)
    return tuple(_column(field.name, hints[field.name]) for field in fields(row))


def _column(name: str, hint: object) -> Column:
    kinds = set(get_args(hint)) if isinstance(hint, UnionType) else {hint}
    nullable = NoneType in kinds
    found = [_HIVE[kind] for kind in kinds - {NoneType} if kind in _HIVE]
    if len(found) != 1:
        raise ValueError(f"no column has the type of {name}: {hint}")
    return Column(name, found[0], nullable)
