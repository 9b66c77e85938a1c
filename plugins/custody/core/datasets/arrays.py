"""The arrays of a table, whose items become a table of their own.

ODCS says such a property as `logicalType: array`, whose `items` are an object with `properties`.
A row of the table of items is known by the key of the row that it stands in, and its position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from custody.core.datasets.columns import Column, own_name, read_columns
from custody.core.datasets.contract_fields import (
    ContractError,
    Place,
    flag,
    length,
    mapping,
    only,
    text,
)
from custody.core.datasets.quality.reading import read_rules
from custody.core.datasets.quality.rules import Rule

POSITION: Final = "position"
"""The column that says which item of its row one is, from 1."""

MAX_ITEMS: Final = 1000
"""As many items a row may have, where the contract says no less."""

_OF_ARRAY: Final = frozenset(
    {
        *("businessName", "description", "id", "items", "logicalType", "logicalTypeOptions"),
        *("name", "required", "tags"),
    }
)
_OF_ITEMS: Final = frozenset({"description", "logicalType", "properties"})
_OPTIONS: Final = frozenset({"maxItems", "minItems"})
_OF_KEY: Final = ("primaryKey", "unique")


@dataclass(frozen=True, slots=True)
class Array:
    """A property that is an array of objects: how many there may be, and what their values must be.

    Where a row has no value, it has no items. `rules` are those of a day of items as a whole.
    """

    name: str
    columns: tuple[Column, ...]
    description: str
    required: bool = False
    min_items: int = 0
    max_items: int = MAX_ITEMS
    rules: tuple[Rule, ...] = ()


def is_array(item: Mapping[str, Any]) -> bool:
    """Whether a property is one."""
    return item.get("logicalType") == "array"


def count_columns(properties: Sequence[Mapping[str, Any]], place: Place) -> int:
    """How many properties are columns; raises ContractError if one stands behind an array."""
    count = next((at for at, item in enumerate(properties) if is_array(item)), len(properties))
    for index, item in enumerate(properties[count:], start=count):
        if not is_array(item):
            raise ContractError(place / index, "arrays stand behind all that is a column")
    return count


def read_arrays(
    properties: Sequence[Mapping[str, Any]], begin: int, key: Sequence[str], place: Place
) -> tuple[Array, ...]:
    """The arrays, which are the properties from `begin` on, of a table with this primary key.

    Raises ContractError for what nobody reads or enforces.
    """
    found: dict[str, Array] = {}
    names = {item.get("name") for item in properties[:begin]}
    for index, item in enumerate(properties[begin:], start=begin):
        array = _array(item, key, place / index)
        if array.name in names | found.keys():
            raise ContractError(place / index / "name", f"{array.name} appears twice")
        found[array.name] = array
    return tuple(found.values())


def _array(item: Mapping[str, Any], key: Sequence[str], at: Place) -> Array:
    called = own_name(item, at)
    place = at.called(called)
    only(item, _OF_ARRAY, place)
    within = place / "logicalTypeOptions"
    options = mapping(item.get("logicalTypeOptions", {}), within)
    only(options, _OPTIONS, within)
    least = length(options.get("minItems"), within / "minItems") or 0
    most = length(options.get("maxItems"), within / "maxItems")
    most = MAX_ITEMS if most is None else most
    if not least <= most <= MAX_ITEMS:
        raise ContractError(within, f"expected minItems <= maxItems <= {MAX_ITEMS}")
    described = " ".join(text(item.get("description"), place / "description").split())
    items = mapping(item.get("items"), place / "items")
    columns = _item_columns(items, key, place / "items")
    types = {column.name: column.base_type for column in columns}
    personal = [column.name for column in columns if column.is_personal]
    rules = read_rules(
        {}, items["properties"], types, place / "items", is_silver=True, personal=personal
    )
    return Array(called, columns, described, flag(item, "required", place), least, most, rules)


def _item_columns(items: Mapping[str, Any], key: Sequence[str], place: Place) -> tuple[Column, ...]:
    only(items, _OF_ITEMS, place)
    if items.get("logicalType") != "object":
        raise ContractError(place / "logicalType", "items are objects, a row of a table each")
    within = place / "properties"
    columns = read_columns(items.get("properties"), within)
    if not columns:
        raise ContractError(within, "expected at least one property")
    for index, (column, item) in enumerate(zip(columns, items["properties"], strict=True)):
        at = within / index
        if column.name in (*key, POSITION):
            raise ContractError(
                at / "name", f"{column.name} is a column of every table of items here: rename it"
            )
        for field in _OF_KEY:
            if flag(item, field, at):
                raise ContractError(
                    at / field, "the key of an item is its row's and its position: take it out"
                )
    return columns
