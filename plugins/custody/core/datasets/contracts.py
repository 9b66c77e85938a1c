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


class ContractError(ValueError):
    """The contract cannot be used; the message names the field at fault and the remedy."""


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

    `pattern` is an unanchored regular expression. `minimum` and `maximum` are inclusive. `format`
    is the datetime pattern of a date or timestamp, in UTC.
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
    root = _mapping(document, "the contract")
    if root.get("kind") != "DataContract" or not str(root.get("apiVersion")).startswith("v3."):
        raise ContractError("the contract: expected kind DataContract and apiVersion v3.x")
    tables = _sequence(root.get("schema"), "schema")
    if len(tables) != 1:
        raise ContractError(f"schema: expected one table, found {len(tables)}")
    table = _mapping(tables[0], "schema[0]")
    properties = [
        _mapping(item, f"schema[0].properties[{index}]")
        for index, item in enumerate(_sequence(table.get("properties"), "schema[0].properties"))
    ]
    columns = tuple(_column(item) for item in properties)
    names = [column.name for column in columns]
    if len(set(names)) != len(names):
        raise ContractError("schema[0].properties: a name appears twice")
    _check_references(columns)
    custom = _custom_properties(table, "schema[0]")
    return Contract(
        dataset=_text(table.get("name"), "schema[0].name"),
        version=_text(root.get("version"), "version"),
        columns=columns,
        primary_key=_primary_key(properties),
        deduplication_order=_order(custom.get("deduplicationOrder", ()), names),
        max_rejected_share=_share(custom.get("maxRejectedShare")),
    )


def _column(item: Mapping[str, Any]) -> Column:
    name = _text(item.get("name"), "a property's name")
    declared = _text(item.get("physicalType"), f"{name}.physicalType")
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
    options = _mapping(item.get("logicalTypeOptions", {}), f"{name}.logicalTypeOptions")
    if unknown := options.keys() - _OPTIONS:
        raise ContractError(
            f"{name}.logicalTypeOptions: {', '.join(sorted(unknown))} is not enforced; "
            f"use {', '.join(sorted(_OPTIONS))}"
        )
    custom = _custom_properties(item, name)
    return Column(
        name=name,
        type=declared,
        required=item.get("required") is True or item.get("primaryKey") is True,
        pattern=_pattern(options.get("pattern"), f"{name}.pattern"),
        min_length=_length(options.get("minLength"), f"{name}.minLength"),
        max_length=_length(options.get("maxLength"), f"{name}.maxLength"),
        minimum=_bound(options.get("minimum"), base, f"{name}.minimum"),
        maximum=_bound(options.get("maximum"), base, f"{name}.maximum"),
        format=_format(options, base, name),
        true_values=_words(custom.get("trueValues", ["true"]), f"{name}.trueValues"),
        false_values=_words(custom.get("falseValues", ["false"]), f"{name}.falseValues"),
        checks=tuple(_checks(item.get("quality", ()), base, name)),
    )


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
    for index, item in enumerate(_sequence(rules, f"{column}.quality")):
        place = f"{column}.quality[{index}]"
        rule = _mapping(item, place)
        name = _text(rule.get("name"), f"{place}.name")
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
    arguments = _mapping(rule.get("arguments"), f"{place}.arguments")
    if base != "string" or arguments.keys() != {"validValues"} or rule.get("mustBe") != 0:
        raise ContractError(f"{place}: expected validValues of a string column and mustBe 0")
    return ValidValues(name, _words(arguments["validValues"], f"{place}.arguments.validValues"))


def _custody_rule(rule: Mapping[str, Any], name: str, base: str, place: str) -> Check:
    implementation = _mapping(rule.get("implementation"), f"{place}.implementation")
    if base not in _FORMATS:
        raise ContractError(f"{place}: this rule is for a date or a timestamp")
    match implementation.get("rule"):
        case "notAfterPartition":
            return NotAfterPartition(name)
        case "notBefore":
            other = _text(implementation.get("property"), f"{place}.implementation.property")
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
    for index, item in enumerate(_sequence(value, place)):
        step = _mapping(item, f"{place}[{index}]")
        column, direction = step.get("property"), step.get("direction", "asc")
        if column not in names or direction not in {"asc", "desc"}:
            raise ContractError(
                f"{place}[{index}]: expected a property of the table and direction asc or desc"
            )
        keys.append(SortKey(str(column), direction == "desc"))
    return tuple(keys)


def _share(value: object) -> Decimal:
    try:
        share = _decimal(value)
    except InvalidOperation:
        share = Decimal(-1)
    if not 0 <= share <= 1:
        raise ContractError("schema[0].maxRejectedShare: expected a number from 0 to 1")
    return share


def _decimal(value: object) -> Decimal:
    """A finite number; raises InvalidOperation, as Decimal does for what is no number at all."""
    number = Decimal(str(value))
    if not number.is_finite():
        raise InvalidOperation
    return number


def _bound(value: object, base: str, place: str) -> Bound | None:
    if value is None:
        return None
    try:
        match base:
            case "int" | "bigint":
                return int(str(value))
            case "decimal":
                return _decimal(value)
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
    text = _text(value, place)
    try:
        re.compile(text)
    except re.error as error:
        raise ContractError(f"{place}: not a regular expression: {error}") from error
    return text


def _length(value: object, place: str) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ContractError(f"{place}: expected a number of characters")
    return value


def _words(value: object, place: str) -> tuple[str, ...]:
    words = _sequence(value, place)
    # YAML reads NO (Norway) and yes as booleans; such a list would silently lose them.
    if not words or not all(isinstance(word, str) for word in words):
        raise ContractError(f"{place}: expected texts; quote words such as 'NO' and 'yes'")
    return tuple(words)


def _custom_properties(item: Mapping[str, Any], place: str) -> dict[str, Any]:
    found = {}
    for index, entry in enumerate(_sequence(item.get("customProperties", ()), place)):
        pair = _mapping(entry, f"{place}.customProperties[{index}]")
        found[_text(pair.get("property"), f"{place}.customProperties[{index}].property")] = (
            pair.get("value")
        )
    return found


def _mapping(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ContractError(f"{place}: expected a mapping")
    return value


def _sequence(value: object, place: str) -> Sequence[Any]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise ContractError(f"{place}: expected a list")
    return value


def _text(value: object, place: str) -> str:
    if not isinstance(value, str) or not value:
        raise ContractError(f"{place}: expected a text")
    return value
