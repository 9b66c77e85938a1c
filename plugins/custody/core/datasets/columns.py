"""The columns of a table, as a contract declares them, and the rules for their values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from custody.core.datasets.contract_fields import (
    ContractError,
    Place,
    custom_properties,
    decimal,
    flag,
    items,
    length,
    mapping,
    name,
    only,
    text,
    words,
)
from custody.core.datasets.patterns import PatternError, compile_pattern
from custody.core.datasets.quality.reading import DESCRIBING as _OF_RULE
from custody.core.datasets.quality.reading import ENGINE, is_row_rule
from custody.core.datasets.quality.rules import PARTITION

Bound = int | Decimal | date | datetime
"""A limit, in the Python type that the column's values have."""

LOGICAL_TYPE_OF = {
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
PERSONAL: Final = "pii"
"""What a contract says of personal data."""
_MEANS_PERSONAL: Final = re.compile(r"\b(pii|personal)\b", re.IGNORECASE)
# What a table and a property may say beside their rules describes them for people and catalogs.
DESCRIBING: Final = frozenset(
    {
        *("authoritativeDefinitions", "businessName", "customProperties", "description", "id"),
        *("logicalType", "name", "physicalName", "physicalType", "tags"),
    }
)
_OF_PARTITION: Final = DESCRIBING | {"classification", "examples", "required"}
_OF_GOLD: Final = DESCRIBING | {"classification", "examples", "quality"}
_OF_PROPERTY: Final = _OF_GOLD | {
    *("logicalTypeOptions", "primaryKey", "primaryKeyPosition", "relationships", "required"),
    "unique",
}
_OF_ROW_RULE: Final = _OF_RULE | {"arguments", "engine", "implementation", "metric", "mustBe"}
_PARTITIONED: Final = {
    "logicalType": "string",
    "physicalType": "string",
    "partitioned": True,
    "partitionKeyPosition": 1,
}
_KEY: Final = {"primaryKey": True, "primaryKeyPosition": 1}
_RESERVED: Final = frozenset(
    {
        *(PARTITION, "closing", "file", "outcome", "raw_line", "reasons"),
        *("source_key", "source_line", "source_version_id"),
    }
)
"""What the tables of every dataset, or the rows that they are made of, have beside its own
columns."""
_CUSTOM_OF_BOOLEAN: Final = frozenset({"falseValues", "trueValues"})


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
    description: str = ""
    classification: str = ""

    @property
    def is_personal(self) -> bool:
        """Whether its values are personal data, for which tables have tokens."""
        return self.classification == PERSONAL

    @property
    def scale(self) -> int:
        """Decimal places of a decimal column."""
        return int(self.type.rpartition(",")[2].rstrip(")"))

    @property
    def base_type(self) -> str:
        """The type without its parameters."""
        return self.type.partition("(")[0]


def own_properties(table: Mapping[str, Any], place: Place, *, in_key: bool) -> list[Any]:
    """The properties of a table but the last, which is the day that its rows are partitioned by;
    refused where that is not said, or not that a key is one within a day (`in_key`).
    """
    found = list(items(table.get("properties"), place))
    wanted = _PARTITIONED | (_KEY if in_key else {})
    if not found or found[-1][0].get("name") != PARTITION:
        at = found[-1][1] if found else place
        raise ContractError(at, f"the last property is {PARTITION}, with {_in_yaml(wanted)}")
    day, at = found[-1][0], found[-1][1].called(PARTITION)
    only(day, _OF_PARTITION | wanted.keys(), at)
    for field, value in wanted.items():
        if (day.get(field), type(day.get(field))) != (value, type(value)):  # 1 is no yes
            raise ContractError(at / field, f"the day has {_in_yaml({field: value})}")
    flag(day, "required", at)
    return [item for item, _ in found[:-1]]


def _in_yaml(fields: Mapping[str, object]) -> str:
    return ", ".join(f"{n}: {'true' if v is True else v}" for n, v in fields.items())


def read_columns(properties: object, place: Place) -> tuple[Column, ...]:
    """The columns whose values are checked, in order; refused where a rule cannot be enforced."""
    columns: dict[str, Column] = {}
    for item, at in items(properties, place):
        column = _column(item, at)
        if column.name in columns:
            raise ContractError(at / "name", f"{column.name} appears twice")
        columns[column.name] = column
    for item, at in items(properties, place):
        _check_references(columns[item["name"]], columns, at.called(item["name"]))
    return tuple(columns.values())


def read_results(properties: object, place: Place) -> tuple[Column, ...]:
    """The columns of a table that a query makes, in order: names and types, and no rules."""
    columns: dict[str, Column] = {}
    for item, at in items(properties, place):
        called = own_name(item, at)
        if called in columns:
            raise ContractError(at / "name", f"{called} appears twice")
        only(item, _OF_GOLD, at.called(called))
        columns[called] = Column(
            called,
            _type(item, at.called(called)),
            description=_line(item, "description", at.called(called)),
            classification=_result_class(item, at.called(called)),
        )
    if not columns:
        raise ContractError(place, "expected at least one property")
    return tuple(columns.values())


def _column(item: Mapping[str, Any], at: Place) -> Column:
    called = own_name(item, at)
    place = at.called(called)
    only(item, _OF_PROPERTY, place)
    declared = _type(item, place)
    base = declared.partition("(")[0]
    options = mapping(item.get("logicalTypeOptions", {}), place / "logicalTypeOptions")
    within = place / "logicalTypeOptions"
    for unknown in sorted(options.keys() - _OPTIONS):
        raise ContractError(
            within / unknown, f"{unknown} is not enforced; use {', '.join(sorted(_OPTIONS))}"
        )
    known = _CUSTOM_OF_BOOLEAN if base == "boolean" else ()
    custom = custom_properties(item, known, place)
    column = Column(
        name=called,
        type=declared,
        required=flag(item, "required", place) | flag(item, "primaryKey", place),
        pattern=_pattern(options.get("pattern"), within / "pattern"),
        min_length=length(options.get("minLength"), within / "minLength"),
        max_length=length(options.get("maxLength"), within / "maxLength"),
        minimum=_bound(options.get("minimum"), base, within / "minimum"),
        maximum=_bound(options.get("maximum"), base, within / "maximum"),
        format=_format(options, base, within),
        true_values=words(*custom.get("trueValues", (["true"], place))),
        false_values=words(*custom.get("falseValues", (["false"], place))),
        checks=tuple(_checks(item.get("quality", ()), base, place / "quality")),
        description=_line(item, "description", place),
        classification=_class(item, place),
    )
    if both := set(map(str.lower, column.true_values)) & set(map(str.lower, column.false_values)):
        at = place / "customProperties"
        raise ContractError(at, f"{min(both)} is a word for true and for false")
    if column.is_personal and base != "string":
        raise ContractError(place / "classification", "tokens are text: a string alone can be pii")
    for least, most, limits in (
        (column.min_length, column.max_length, "minLength is more than maxLength"),
        (column.minimum, column.maximum, "minimum is more than maximum"),
    ):
        if least is not None and most is not None and least > most:  # type: ignore[operator]
            raise ContractError(within, f"{limits}: no value would be valid")
    return column


def own_name(item: Mapping[str, Any], place: Place) -> str:
    """The name of a property, which no table has by itself."""
    called = name(item.get("name"), place / "name")
    if called in _RESERVED:
        raise ContractError(place / "name", f"{called} is a column of every dataset: rename it")
    return called


def _line(item: Mapping[str, Any], field: str, place: Place) -> str:
    """What people are told of a column, on one line; empty where it is not said."""
    return " ".join(text(item[field], place / field).split()) if field in item else ""


def _class(item: Mapping[str, Any], place: Place) -> str:
    """How sensitive the values are, in any word (ODCS); refused where it means personal data in
    another word than ours, as nothing would be protected."""
    said = _line(item, "classification", place)
    if said != PERSONAL and _MEANS_PERSONAL.search(said):
        raise ContractError(place / "classification", f"{said!r} protects nothing: say {PERSONAL}")
    return said


def _result_class(item: Mapping[str, Any], place: Place) -> str:
    said = _class(item, place)
    if said == PERSONAL:
        raise ContractError(place / "classification", "a gold table has no personal data")
    return said


def _type(item: Mapping[str, Any], place: Place) -> str:
    declared = text(item.get("physicalType"), place / "physicalType")
    physical = _PHYSICAL_TYPE.fullmatch(declared)
    if physical is None or (physical[1] and not _is_decimal(int(physical[1]), int(physical[2]))):
        raise ContractError(
            place / "physicalType",
            f"{declared!r} is not one of string, date, timestamp, int, bigint, boolean, "
            "decimal(p,s)",
        )
    logical = LOGICAL_TYPE_OF[declared.partition("(")[0]]
    if item.get("logicalType") != logical:
        raise ContractError(
            place / "logicalType",
            f"{item.get('logicalType')!r} does not fit physicalType {declared}: expected {logical}",
        )
    return declared


def _is_decimal(precision: int, scale: int) -> bool:
    return scale <= precision <= _MAX_DECIMAL_PRECISION


def _format(options: Mapping[str, Any], base: str, place: Place) -> str | None:
    if base not in _FORMATS:
        return None
    if options.get("defaultTimezone", "Etc/UTC") != "Etc/UTC":
        raise ContractError(place / "defaultTimezone", "times are read as UTC; use Etc/UTC")
    found = options.get("format", _FORMATS[base])
    if found != _FORMATS[base]:
        raise ContractError(place / "format", f"{found!r} is not read; use {_FORMATS[base]!r}")
    return _FORMATS[base]


def _checks(rules: object, base: str, place: Place) -> Iterator[Check]:
    """The rules for a value; those for all values of the day are the table's."""
    names: set[str] = set()
    for rule, at in items(rules, place):
        if not is_row_rule(rule):
            continue
        called = text(rule.get("name"), at / "name")
        if called in names:
            raise ContractError(at / "name", f"{called} appears twice")
        names.add(called)
        only(rule, _OF_ROW_RULE, at)
        if rule.get("severity", "error") != "error":
            raise ContractError(at / "severity", "a row that breaks it is rejected: it is an error")
        if rule.get("metric") == "invalidValues":
            yield _valid_values(rule, called, base, at)
        else:
            yield _custody_rule(rule, called, base, at)


def _valid_values(rule: Mapping[str, Any], called: str, base: str, place: Place) -> ValidValues:
    arguments = mapping(rule.get("arguments"), place / "arguments")
    if base != "string" or arguments.keys() != {"validValues"} or rule.get("mustBe") != 0:
        raise ContractError(place, "expected validValues of a string column and mustBe 0")
    return ValidValues(called, words(arguments["validValues"], place / "arguments" / "validValues"))


def _custody_rule(rule: Mapping[str, Any], called: str, base: str, place: Place) -> Check:
    within = place / "implementation"
    implementation = mapping(rule.get("implementation"), within)
    if rule.get("engine") != ENGINE:
        raise ContractError(place / "engine", f"no other engine than {ENGINE} is run")
    if base not in _FORMATS:
        raise ContractError(place, "this rule is for a date or a timestamp")
    if implementation["rule"] == "notBefore":
        only(implementation, ("rule", "property"), within)
        return NotBefore(called, text(implementation.get("property"), within / "property"))
    only(implementation, ("rule",), within)
    return NotAfterPartition(called)


def _check_references(column: Column, columns: Mapping[str, Column], place: Place) -> None:
    for index, check in enumerate(column.checks):
        if isinstance(check, NotBefore) and (
            check.column not in columns or columns[check.column].base_type not in _FORMATS
        ):
            raise ContractError(
                (place / "quality" / index).called(f"{column.name}.{check.name}"),
                f"{check.column!r} is not a date or timestamp",
            )


def _bound(value: object, base: str, place: Place) -> Bound | None:
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
        raise ContractError(place, f"{value!r} is not a {base}") from error
    raise ContractError(place, f"a {base} has no limits")


def _pattern(value: object, place: Place) -> str | None:
    if value is None:
        return None
    pattern = text(value, place)
    try:
        compile_pattern(pattern)
    except PatternError as error:
        raise ContractError(place, f"{pattern!r} is not read: {error}") from error
    return pattern
