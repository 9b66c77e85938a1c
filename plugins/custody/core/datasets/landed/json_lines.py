"""How a landed file of JSON lines is read, line by line, without losing or inventing a row.

A line is one JSON object whose members are columns and arrays of the contract, and nothing else: a
member that nobody knows would be lost. What several readers may read differently (RFC 8259,
sections 4, 6, 8 and 9: doubled names, `NaN`, half of a surrogate pair, depth without end) is
malformed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, Final, NoReturn

from custody.core.datasets.arrays import Array
from custody.core.datasets.columns import Column
from custody.core.datasets.landed.nested import Item
from custody.core.datasets.landed.text import LandedRow, read_line

_TEXTS: Final = frozenset({"string", "date", "timestamp"})


class _Number(str):
    """A number as it stands: nothing is rounded, and nothing too long is counted."""

    __slots__ = ()


_Row = tuple[tuple[str | None, ...], tuple[tuple[Item, ...] | None, ...], tuple[int, ...]]


class _UnknownMemberError(Exception):
    """An object has a member that the contract does not know."""


def read_rows(
    file: BinaryIO, columns: Sequence[Column], arrays: Sequence[Array] = (), *, before: int = 0
) -> Iterator[LandedRow]:
    """The rows of a file that passed `TextCheck`, in order, in constant memory.

    `before` is how many lines of the file stand before the first row, if `file` is a part of it
    (`custody.core.datasets.landed.parts`).
    """
    read = _reader(columns, arrays)
    number = before
    while True:
        text, too_long = read_line(file)
        if not text:
            return
        number += 1
        members = None if too_long else _members(text)
        row = None if members is None else read(members)
        values, items, mistyped = row or (None, (), ())
        yield LandedRow(number, text.rstrip("\r\n"), values, items, mistyped)


def _members(text: str) -> Mapping[str, Any] | None:
    """The members of the one object of a line; None if it is something else, or no JSON."""
    try:
        found = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _reader(
    columns: Sequence[Column], arrays: Sequence[Array]
) -> Callable[[Mapping[str, Any]], _Row | None]:
    """Reads the members of an object: the texts of its values, the items of its arrays, and which
    (arrays behind columns) are of a kind that can not be theirs; None where there is a member that
    nobody knows.
    """
    names = {column.name for column in columns} | {array.name for array in arrays}
    readers = [(array.name, _items_reader(array)) for array in arrays]

    def read(members: Mapping[str, Any]) -> _Row | None:
        if not members.keys() <= names:
            return None
        values, mistyped = _values(members, columns)
        items: list[tuple[Item, ...] | None] = []
        for index, (name, item) in enumerate(readers, start=len(columns)):
            value = members.get(name)
            if value is not None and not isinstance(value, list):
                mistyped, value = (*mistyped, index), None
            try:
                items.append(None if value is None else tuple(map(item, value)))
            except _UnknownMemberError:
                return None
        return values, tuple(items), mistyped

    return read


def _items_reader(array: Array) -> Callable[[object], Item]:
    """Reads an item of an array; raises _UnknownMemberError for one with such a member."""
    read = _reader(array.columns, ())

    def item(value: object) -> Item:
        if not isinstance(value, dict):
            return Item(None)
        row = read(value)
        if row is None:
            raise _UnknownMemberError
        values, _, mistyped = row
        return Item(values, mistyped)

    return item


def _values(
    members: Mapping[str, Any], columns: Sequence[Column]
) -> tuple[tuple[str | None, ...], tuple[int, ...]]:
    """The texts of a row's values, and the columns whose value is of no kind that can be theirs."""
    values: list[str | None] = []
    mistyped = []
    for index, column in enumerate(columns):
        value = members.get(column.name)
        if value is not None and not _can_be(value, column):
            mistyped.append(index)
            value = None
        if isinstance(value, bool):
            value = (column.true_values if value else column.false_values)[0]
        values.append((value or "").strip() or None)
    return tuple(values), tuple(mistyped)


def _can_be(value: object, column: Column) -> bool:
    """Whether a JSON value may stand in a column; its text is judged by the rules.

    Numbers may stand in quotes, as many write what must not be rounded.
    """
    if isinstance(value, bool):
        return column.base_type == "boolean"
    if isinstance(value, _Number):
        return column.base_type not in _TEXTS
    return isinstance(value, str)


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a name appears twice")
    for value in members.values():
        if isinstance(value, str) and not value.isascii():
            value.encode()  # raises UnicodeEncodeError, a ValueError, for half of a pair
        if isinstance(value, str) and "\0" in value:
            raise ValueError("a NUL, which no table can hold")
    return members


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_float=_Number, parse_int=_Number, parse_constant=_refuse
)
