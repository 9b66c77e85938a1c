"""The contract of a dataset: what a good row is, what is made of the rows, and for whom.

Reads the part of an Open Data Contract Standard (v3.1) document that the platform acts on. What the
document states and nobody knows is refused, not skipped: a rule that nobody enforces is worse than
none. The first table of `schema` is silver, whose rows are the ones that landed; each other one is
a gold table, whose rows a query of its name makes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from custody.core.datasets.about import About, read_about
from custody.core.datasets.arrays import Array, count_columns, read_arrays
from custody.core.datasets.columns import (
    DESCRIBING,
    Column,
    own_properties,
    read_columns,
    read_results,
)
from custody.core.datasets.contract_fields import (
    ContractError,
    Place,
    custom_properties,
    decimal,
    flag,
    items,
    mapping,
    name,
    only,
    sequence,
    text,
)
from custody.core.datasets.landed.formats import LandedFormat, read_format
from custody.core.datasets.quality.reading import read_rules
from custody.core.datasets.quality.rules import PARTITION, Rule
from custody.core.datasets.uploads import SMOKE
from custody.core.formats.yaml_text import YamlError, read_yaml

_OF_ROOT: Final = frozenset(
    {
        *("apiVersion", "description", "domain", "id", "kind", "name", "roles", "schema"),
        *("servers", "slaProperties", "status", "support", "tags", "team", "version"),
    }
)
_OF_TABLE: Final = DESCRIBING | {"dataGranularityDescription", "properties", "quality"}
_VERSION: Final = re.compile(r"(0|[1-9]\d{0,8})(\.(0|[1-9]\d{0,8})){2}", re.ASCII)
"""Semantic Versioning 2.0.0, without what may stand behind the three numbers."""
_CUSTOM_OF_SILVER: Final = frozenset({"deduplicationOrder", "maxRejectedShare"})


@dataclass(frozen=True, slots=True)
class SortKey:
    """One step of the order that decides which of several rows with one key stays."""

    column: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Gold:
    """A table that a query of its name makes from a day of silver. `grain`: what one row is.

    `rules` are those of the day as a whole.
    """

    name: str
    columns: tuple[Column, ...]
    description: str
    grain: str
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Contract:
    """What the rows of a dataset must be, and what is made of them.

    `max_rejected_share` is a share from 0 to 1; `grain` says what one row is. `rules` are those of
    a day of silver as a whole.
    """

    dataset: str
    version: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    deduplication_order: tuple[SortKey, ...]
    max_rejected_share: Decimal
    description: str
    grain: str
    gold: tuple[Gold, ...]
    about: About
    format: LandedFormat
    arrays: tuple[Array, ...] = ()
    rules: tuple[Rule, ...] = ()

    @property
    def header(self) -> tuple[str, ...]:
        """The column names, in file order."""
        return tuple(column.name for column in self.columns)


def contract_of(body: str, source: str) -> Contract:
    """The contract in a YAML text; raises ContractError with `source`, the line and the field."""
    try:
        document = read_yaml(body)
    except YamlError as error:
        raise ContractError(Place(), error.problem, f"{source}:{error.line}") from error
    try:
        return parse_contract(document.value)
    except ContractError as error:
        line = document.line_of(error.place.path)
        raise ContractError(error.place, error.problem, f"{source}:{line}") from error


def parse_contract(document: object) -> Contract:
    """The contract in a loaded ODCS document.

    Raises ContractError when the document is not one, or states a rule this module cannot read.
    """
    here = Place()
    root = mapping(document, here)
    if root.get("kind") != "DataContract" or not str(root.get("apiVersion")).startswith("v3."):
        raise ContractError(here / "apiVersion", "expected kind DataContract and apiVersion v3.x")
    only(root, _OF_ROOT, here)
    dataset = name(root.get("name"), here / "name")
    if dataset == SMOKE:
        raise ContractError(here / "name", f"{SMOKE} is what a deployment is tried with: rename it")
    tables = list(items(root.get("schema"), here / "schema"))
    if not tables:
        raise ContractError(here / "schema", "expected a table")
    table, place = tables[0]
    silver = _table(table, place, "silver")
    if silver.name != dataset:
        raise ContractError(place / "name", f"the first table is {dataset}, as the contract is")
    custom = custom_properties(table, _CUSTOM_OF_SILVER, place)
    properties = own_properties(table, place / "properties", in_key=True)
    count = count_columns(properties, place / "properties")
    columns = read_columns(properties[:count], place / "properties")
    primary_key = _primary_key(properties[:count], place / "properties")
    arrays = read_arrays(properties, count, primary_key, place / "properties")
    landed_as = read_format(root.get("servers", ()), here / "servers")
    if arrays and not landed_as.has_arrays:
        raise ContractError(
            place / "properties" / count / "logicalType", "only JSON lines have arrays"
        )
    order, order_place = custom.get("deduplicationOrder", ((), place))
    share, share_place = custom.get("maxRejectedShare", (None, place / "customProperties"))
    return Contract(
        dataset=dataset,
        version=_version(root.get("version"), here / "version"),
        columns=columns,
        primary_key=primary_key,
        deduplication_order=_order(order, [column.name for column in columns], order_place),
        max_rejected_share=_share(share, share_place),
        description=silver.description,
        grain=silver.grain,
        gold=_gold(tables[1:], _personal(columns, arrays)),
        about=read_about(root, here),
        format=landed_as,
        arrays=arrays,
        rules=read_rules(
            table,
            properties[:count],
            _types(columns),
            place,
            is_silver=True,
            personal=_personal(columns, ()),
        ),
    )


def _version(value: object, place: Place) -> str:
    # YAML reads 1.0 as a number.
    if not isinstance(value, str) or not _VERSION.fullmatch(value):
        raise ContractError(place, f"{value!r} is no version: expected MAJOR.MINOR.PATCH")
    return value


def _table(table: Mapping[str, Any], place: Place, layer: str) -> Gold:
    """What is said of a table itself, its columns apart."""
    only(table, _OF_TABLE, place)
    called = name(table.get("name"), place / "name")
    physical = table.get("physicalName", f"{layer}_{called}")
    if physical != f"{layer}_{called}":
        raise ContractError(place / "physicalName", f"the table is named {layer}_{called}")
    description, grain = (
        " ".join(text(table.get(field), place / field).split())
        for field in ("description", "dataGranularityDescription")
    )
    return Gold(called, (), description, grain)


def _personal(columns: Sequence[Column], arrays: Sequence[Array]) -> frozenset[str]:
    """What columns of silver's tables are called that are personal data."""
    items = (column for array in arrays for column in array.columns)
    return frozenset(column.name for column in (*columns, *items) if column.is_personal)


def _gold(
    tables: Sequence[tuple[Mapping[str, Any], Place]], personal: frozenset[str]
) -> tuple[Gold, ...]:
    """The gold tables; refused with a column called as one of silver's `personal` ones."""
    found: dict[str, Gold] = {}
    for table, place in tables:
        gold = _table(table, place, "gold")
        if gold.name in found:
            raise ContractError(place / "name", f"{gold.name} appears twice")
        custom_properties(table, (), place)
        properties = own_properties(table, place / "properties", in_key=False)
        columns = read_results(properties, place / "properties")
        for index, column in enumerate(columns):
            if column.name in personal:
                at = (place / "properties" / index).called(column.name)
                raise ContractError(at / "name", "is personal data in silver: gold has none")
        rules = read_rules(table, properties, _types(columns), place, is_silver=False)
        found[gold.name] = replace(gold, columns=columns, rules=rules)
    return tuple(found.values())


def _types(columns: Sequence[Column]) -> dict[str, str]:
    return {column.name: column.base_type for column in columns} | {PARTITION: "string"}


def _primary_key(properties: Sequence[Mapping[str, Any]], place: Place) -> tuple[str, ...]:
    """The key within a day, in its own order. Of rows with one key one stays."""
    keys: list[tuple[int, str]] = []
    for index, item in enumerate(properties):
        if not flag(item, "primaryKey", place / index):
            continue
        position = item.get("primaryKeyPosition", 1)
        if not isinstance(position, int) or isinstance(position, bool):
            raise ContractError(
                place / index / "primaryKeyPosition", "primaryKeyPosition is a number"
            )
        keys.append((position, item["name"]))
    if not keys:
        raise ContractError(place, "no property has primaryKey: true")
    # By position alone: what has the same one stays in file order.
    primary_key = tuple(called for _, called in sorted(keys, key=lambda key: key[0]))
    for index, item in enumerate(properties):
        at = (place / index).called(item["name"])
        if flag(item, "unique", at):
            raise ContractError(
                at / "unique",
                "no value is made unique over days, and the key is within its day: take it out",
            )
    return primary_key


def _order(value: object, names: Sequence[str], place: Place) -> tuple[SortKey, ...]:
    keys = []
    for step, at in items(sequence(value, place), place):
        column, direction = step.get("property"), step.get("direction", "asc")
        if column not in names or direction not in {"asc", "desc"}:
            raise ContractError(at, "expected a property of the table and direction asc or desc")
        keys.append(SortKey(str(column), direction == "desc"))
    return tuple(keys)


def _share(value: object, place: Place) -> Decimal:
    try:
        share = decimal(value)
    except InvalidOperation:
        share = Decimal(-1)
    if not 0 <= share <= 1:
        raise ContractError(place, "maxRejectedShare: expected a number from 0 to 1")
    return share
