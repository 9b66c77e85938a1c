"""The contract of a dataset: what a good row is.

Reads the part of an Open Data Contract Standard (v3.1) document that says what a good row is. What
the document states and this module does not know is refused, not skipped: a rule that nobody
enforces is worse than none. Loading the YAML is the caller's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from custody.core.datasets.contract_fields import (
    ContractError,
    custom_properties,
    decimal,
    flag,
    length,
    mapping,
    only,
    sequence,
    text,
    words,
)
from custody.core.datasets.patterns import PatternError, compile_pattern

Bound = int | Decimal | date | datetime
"""A limit, in the Python type that the column's values have."""

_LOGICAL_TYPE_OF = {
    "string": "string",
    "date": "date",
    "timestamp": "timestamp",
    "int": "integer",
    "bigint": "integer",
    "decimal": "number",
    "boolean": "boolean",
}
_PHYSICAL_TYPE = re.compile(
    r"string|date|timestamp|int|bigint|boolean|decimal\(([1-9]\d?),(\d\d?)\)"
)
_MAX_DECIMAL_PRECISION = 38
_FORMATS = {"date": "yyyy-MM-dd", "timestamp": "yyyy-MM-dd'T'HH:mm:ss'Z'"}
_OPTIONS = frozenset(
    {
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "format",
        "timezone",
        "defaultTimezone",
    }
)
# What a table and a property may say beside their rules describes them for people and catalogs.
_DESCRIBING = frozenset(
    {
        *("authoritativeDefinitions", "businessName", "customProperties", "description", "id"),
        *("logicalType", "name", "physicalName", "physicalType", "tags"),
    }
)
_OF_TABLE = _DESCRIBING | {"dataGranularityDescription", "properties"}
_OF_PROPERTY = _DESCRIBING | {
    *("classification", "examples", "logicalTypeOptions", "primaryKey", "primaryKeyPosition"),
    *("quality", "required", "unique"),
}
_CUSTOM_OF_TABLE = frozenset({"deduplicationOrder", "goldTables", "maxRejectedShare"})
_CUSTOM_OF_BOOLEAN = frozenset({"falseValues", "trueValues"})


@dataclass(frozen=True, slots=True)
class ValidValues:
    """The value must be one of these."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotAfterPartition:
    """A date or time must not lie after the day (UTC) that the file belongs to."""

    name: str


@dataclass(frozen=True, slots=True)
class NotBefore:
    """The day of this value must not lie before the day of another column's value."""

    name: str
    column: str


Check = ValidValues | NotAfterPartition | NotBefore


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its type in Spark's and Athena's spelling, and what its values must satisfy.

    `pattern` is one that `custody.core.datasets.patterns` reads. `minimum` and `maximum` are
    inclusive. `format` is the datetime pattern of a date or timestamp, in UTC.
    """

    name: str
    type: str
    required: bool = False
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    minimum: Bound | None = None
    maximum: Bound | None = None
    format: str | None = None
    true_values: tuple[str, ...] = ("true",)
    false_values: tuple[str, ...] = ("false",)
    checks: tuple[Check, ...] = ()

    @property
    def scale(self) -> int:
        """Decimal places of a decimal column."""
        return int(self.type.rpartition(",")[2].rstrip(")"))

    @property
    def base_type(self) -> str:
        """The type without its parameters."""
        return self.type.partition("(")[0]


@dataclass(frozen=True, slots=True)
class SortKey:
    """One step of the order that decides which of several rows with one key stays."""

    column: str
    descending: bool


@dataclass(frozen=True, slots=True)
class Contract:
    """What the rows of a dataset must be. `max_rejected_share` is a share from 0 to 1."""

    dataset: str
    version: str
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]
    deduplication_order: tuple[SortKey, ...]
    max_rejected_share: Decimal

    @property
    def header(self) -> tuple[str, ...]:
        """The column names, in file order."""
        return tuple(column.name for column in self.columns)


def parse_contract(document: object) -> Contract:
    """The contract in a loaded ODCS document.

    Raises ContractError when the document is not one, or states a rule this module cannot read.
    """
    root = mapping(document, "the contract")
    if root.get("kind") != "DataContract" or not str(root.get("apiVersion")).startswith("v3."):
        raise ContractError("the contract: expected kind DataContract and apiVersion v3.x")
    tables = sequence(root.get("schema"), "schema")
    if len(tables) != 1:
        raise ContractError(f"schema: expected one table, found {len(tables)}")
    table = mapping(tables[0], "schema[0]")
    only(table, _OF_TABLE, "schema[0]")
    properties = [
        mapping(item, f"schema[0].properties[{index}]")
        for index, item in enumerate(sequence(table.get("properties"), "schema[0].properties"))
    ]
    columns = tuple(_column(item) for item in properties)
    names = [column.name for column in columns]
    if len(set(names)) != len(names):
        raise ContractError("schema[0].properties: a name appears twice")
    _check_references(columns)
    custom = custom_properties(table, "schema[0]")
    only(custom, _CUSTOM_OF_TABLE, "schema[0].customProperties")
    primary_key = _primary_key(properties)
    _check_unique(properties, primary_key)
    return Contract(
        dataset=text(table.get("name"), "schema[0].name"),
        version=text(root.get("version"), "version"),
        columns=columns,
        primary_key=primary_key,
        deduplication_order=_order(custom.get("deduplicationOrder", ()), names),
        max_rejected_share=_share(custom.get("maxRejectedShare")),
    )


def _column(item: Mapping[str, Any]) -> Column:
    name = text(item.get("name"), "a property's name")
    only(item, _OF_PROPERTY, name)
    declared = text(item.get("physicalType"), f"{name}.physicalType")
    physical = _PHYSICAL_TYPE.fullmatch(declared)
    if physical is None or (physical[1] and not _is_decimal(int(physical[1]), int(physical[2]))):
        raise ContractError(
            f"{name}.physicalType: {declared!r} is not one of string, date, timestamp, int, "
            "bigint, boolean, decimal(p,s)"
        )
    base = declared.partition("(")[0]
    if item.get("logicalType") != _LOGICAL_TYPE_OF[base]:
        raise ContractError(
            f"{name}.logicalType: {item.get('logicalType')!r} does not fit physicalType {declared}"
        )
    options = mapping(item.get("logicalTypeOptions", {}), f"{name}.logicalTypeOptions")
    if unknown := options.keys() - _OPTIONS:
        raise ContractError(
            f"{name}.logicalTypeOptions: {', '.join(sorted(unknown))} is not enforced; "
            f"use {', '.join(sorted(_OPTIONS))}"
        )
    custom = custom_properties(item, name)
    only(custom, _CUSTOM_OF_BOOLEAN if base == "boolean" else (), f"{name}.customProperties")
    column = Column(
        name=name,
        type=declared,
        required=flag(item, "required", name) | flag(item, "primaryKey", name),
        pattern=_pattern(options.get("pattern"), f"{name}.pattern"),
        min_length=length(options.get("minLength"), f"{name}.minLength"),
        max_length=length(options.get("maxLength"), f"{name}.maxLength"),
        minimum=_bound(options.get("minimum"), base, f"{name}.minimum"),
        maximum=_bound(options.get("maximum"), base, f"{name}.maximum"),
        format=_format(options, base, name),
        true_values=words(custom.get("trueValues", ["true"]), f"{name}.trueValues"),
        false_values=words(custom.get("falseValues", ["false"]), f"{name}.falseValues"),
        checks=tuple(_checks(item.get("quality", ()), base, name)),
    )
    for least, most, limits in (
        (column.min_length, column.max_length, "minLength is more than maxLength"),
        (column.minimum, column.maximum, "minimum is more than maximum"),
    ):
        if least is not None and most is not None and least > most:  # type: ignore[operator]
            raise ContractError(f"{name}.logicalTypeOptions: {limits}: no value would be valid")
    return column


def _is_decimal(precision: int, scale: int) -> bool:
    return scale <= precision <= _MAX_DECIMAL_PRECISION


def _format(options: Mapping[str, Any], base: str, name: str) -> str | None:
    if base not in _FORMATS:
        return None
    if options.get("defaultTimezone", "Etc/UTC") != "Etc/UTC":
        raise ContractError(f"{name}.defaultTimezone: times are read as UTC; use Etc/UTC")
    found = options.get("format", _FORMATS[base])
    if found != _FORMATS[base]:
        raise ContractError(f"{name}.format: {found!r} is not read; use {_FORMATS[base]!r}")
    return _FORMATS[base]


def _checks(rules: object, base: str, column: str) -> Iterator[Check]:
    for index, item in enumerate(sequence(rules, f"{column}.quality")):
        place = f"{column}.quality[{index}]"
        rule = mapping(item, place)
        name = text(rule.get("name"), f"{place}.name")
        if rule.get("severity", "error") != "error":
            raise ContractError(f"{place}.severity: only 'error' is enforced")
        if rule.get("metric") == "invalidValues" and rule.get("type", "library") == "library":
            yield _valid_values(rule, name, base, place)
        elif rule.get("type") == "custom" and rule.get("engine") == "custody":
            yield _custody_rule(rule, name, base, place)
        else:
            raise ContractError(
                f"{place}: not a rule that is enforced; use metric invalidValues or "
                "type custom with engine custody"
            )


def _valid_values(rule: Mapping[str, Any], name: str, base: str, place: str) -> ValidValues:
    arguments = mapping(rule.get("arguments"), f"{place}.arguments")
    if base != "string" or arguments.keys() != {"validValues"} or rule.get("mustBe") != 0:
        raise ContractError(f"{place}: expected validValues of a string column and mustBe 0")
    return ValidValues(name, words(arguments["validValues"], f"{place}.arguments.validValues"))


def _custody_rule(rule: Mapping[str, Any], name: str, base: str, place: str) -> Check:
    implementation = mapping(rule.get("implementation"), f"{place}.implementation")
    if base not in _FORMATS:
        raise ContractError(f"{place}: this rule is for a date or a timestamp")
    match implementation.get("rule"):
        case "notAfterPartition":
            return NotAfterPartition(name)
        case "notBefore":
            other = text(implementation.get("property"), f"{place}.implementation.property")
            return NotBefore(name, other)
        case unknown:
            raise ContractError(f"{place}.implementation.rule: unknown rule {unknown!r}")


def _check_references(columns: Sequence[Column]) -> None:
    types = {column.name: column.base_type for column in columns}
    for column in columns:
        for check in column.checks:
            if isinstance(check, NotBefore) and types.get(check.column) not in _FORMATS:
                raise ContractError(
                    f"{column.name}.{check.name}: {check.column!r} is not a date or timestamp"
                )


def _check_unique(properties: Sequence[Mapping[str, Any]], primary_key: tuple[str, ...]) -> None:
    """Of rows with one primary key one stays, and nothing else is compared with other rows."""
    for item in properties:
        if flag(item, "unique", str(item["name"])) and primary_key != (item["name"],):
            raise ContractError(
                f"{item['name']}.unique: only the primary key is made unique, within a day, where "
                "it is one property: take it out"
            )


def _primary_key(properties: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    keys = [item for item in properties if item.get("primaryKey") is True]
    if not keys:
        raise ContractError("schema[0].properties: no property has primaryKey: true")
    positions = [item.get("primaryKeyPosition", 1) for item in keys]
    if not all(isinstance(position, int) for position in positions):
        raise ContractError("schema[0].properties: primaryKeyPosition is a number")
    keys.sort(key=lambda item: int(item.get("primaryKeyPosition", 1)))
    return tuple(str(item["name"]) for item in keys)


def _order(value: object, names: Sequence[str]) -> tuple[SortKey, ...]:
    place = "schema[0].deduplicationOrder"
    keys = []
    for index, item in enumerate(sequence(value, place)):
        step = mapping(item, f"{place}[{index}]")
        column, direction = step.get("property"), step.get("direction", "asc")
        if column not in names or direction not in {"asc", "desc"}:
            raise ContractError(
                f"{place}[{index}]: expected a property of the table and direction asc or desc"
            )
        keys.append(SortKey(str(column), direction == "desc"))
    return tuple(keys)


def _share(value: object) -> Decimal:
    try:
        share = decimal(value)
    except InvalidOperation:
        share = Decimal(-1)
    if not 0 <= share <= 1:
        raise ContractError("schema[0].maxRejectedShare: expected a number from 0 to 1")
    return share


def _bound(value: object, base: str, place: str) -> Bound | None:
    if value is None:
        return None
    try:
        match base:
            case "int" | "bigint":
                return int(str(value))
            case "decimal":
                return decimal(value)
            case "date":
                return date.fromisoformat(str(value))
            case "timestamp":
                return datetime.fromisoformat(str(value)).astimezone(UTC)
    except (ValueError, InvalidOperation) as error:
        raise ContractError(f"{place}: {value!r} is not a {base}") from error
    raise ContractError(f"{place}: a {base} has no limits")


def _pattern(value: object, place: str) -> str | None:
    if value is None:
        return None
    pattern = text(value, place)
    try:
        compile_pattern(pattern)
    except PatternError as error:
        raise ContractError(f"{place}: {pattern!r} is not read: {error}") from error
    return pattern
