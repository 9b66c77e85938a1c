"""The rules that a contract states of a table, in its `quality` and in that of its properties.

In the words of the Open Data Contract Standard (v3.1): metrics, and queries of type `sql`. What it
has no metric for is of type `custom` with the engine `custody`; its operators stand in the
`implementation`, as the standard gives custom rules none.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from custody.core.datasets.contract_fields import (
    ContractError,
    Place,
    items,
    mapping,
    only,
    sequence,
    text,
    words,
)
from custody.core.datasets.quality.limits import OPERATORS, Limit, read_limit
from custody.core.datasets.quality.rules import (
    OBJECT,
    PARTITION,
    Duplicates,
    Freshness,
    Invalid,
    Measure,
    Missing,
    Nulls,
    Query,
    RowCount,
    Rule,
    SameWeekdays,
    Severity,
    Unit,
    Unresolved,
)

MAX_WEEKS: Final = 12
MAX_DAYS: Final = 31
ENGINE: Final = "custody"
DESCRIBING: Final = frozenset(
    {
        *("authoritativeDefinitions", "businessImpact", "description", "dimension", "id"),
        *("name", "severity", "tags", "type"),
    }
)
"""What a rule says of itself to people, and of what it costs."""

_ROW_RULES: Final = ("notAfterPartition", "notBefore")
_DIMENSIONS: Final = (
    *("accuracy", "completeness", "conformity", "consistency", "coverage", "timeliness"),
    "uniqueness",
)
_COUNTED: Final = (Unit.ROWS, Unit.PERCENT)
_REFERENCE: Final = re.compile(
    r"([a-z][a-z0-9_]*)\.odcs\.yaml#/schema/\1/properties/([a-z][a-z0-9_]*)", re.ASCII
)
_QUERY: Final = re.compile(r"\s*(SELECT|WITH)\b", re.IGNORECASE)
_NAMED: Final = re.compile(r"\{[^}]*\}?")


def is_row_rule(rule: Mapping[str, Any]) -> bool:
    """Whether a property's rule is one for each value, which rejects the row that breaks it."""
    if rule.get("type", "library") == "custom":
        implementation = rule.get("implementation")
        return isinstance(implementation, Mapping) and implementation.get("rule") in _ROW_RULES
    is_strict = rule.get("mustBe") == 0 and rule.get("severity", "error") == "error"
    return rule.get("metric") == "invalidValues" and is_strict


def read_rules(
    table: Mapping[str, Any],
    properties: Sequence[Mapping[str, Any]],
    types: Mapping[str, str],
    place: Place,
    *,
    is_silver: bool,
    personal: Collection[str] = (),
) -> tuple[Rule, ...]:
    """The rules of a table; `types` are those of its columns, by their names, of which those that
    are `personal` have tokens.

    Rows of silver have rules of their own, which are left out. Raises ContractError for what nobody
    would enforce.
    """
    found: dict[str, Rule] = {}
    for rule, at in _stated(table, properties, place, personal, is_silver=is_silver):
        if rule.name in found:
            raise ContractError(at / "name", f"{rule.name} appears twice")
        _check_types(rule.measure, types, at)
        found[rule.name] = rule
    return tuple(found.values())


def _stated(
    table: Mapping[str, Any],
    properties: Sequence[Mapping[str, Any]],
    place: Place,
    personal: Collection[str],
    *,
    is_silver: bool,
) -> Iterator[tuple[Rule, Place]]:
    for rule, at in items(table.get("quality", ()), place / "quality"):
        yield _rule(rule, at, None), at
    for index, item in enumerate(properties):
        of_item = (place / "properties" / index).called(item["name"])
        reference = _reference(item, of_item)
        referring = 0
        for rule, at in items(item.get("quality", ()), of_item / "quality"):
            if is_silver and is_row_rule(rule):
                continue
            read = _rule(rule, at, item["name"], reference)
            if item["name"] in personal:
                _check_tokens(read.measure, at)
            referring += isinstance(read.measure, Unresolved)
            yield read, at
        if reference and not referring:
            raise ContractError(
                of_item / "relationships",
                "nothing enforces it: give the property a rule unresolvedReferences",
            )


def _check_tokens(measure: Measure, place: Place) -> None:
    """Refuse what no token keeps, or every one does: it would say nothing of the values."""
    if not isinstance(measure, Nulls | Duplicates):
        raise ContractError(
            place, "silver has tokens of it: nullValues and duplicateValues can be told of these"
        )


def _check_types(measure: Measure, types: Mapping[str, str], place: Place) -> None:
    match measure:
        case Duplicates(columns):
            for column in columns:
                if column not in types:
                    raise ContractError(place, f"{column!r} is not a property of the table")
            if not set(columns) - {PARTITION}:
                raise ContractError(place, f"all rows of a day have one {PARTITION}")
        case Freshness(column) if types[column] not in {"date", "timestamp"}:
            raise ContractError(place, "this rule is for a date or a timestamp")
        case Missing(column) | Invalid(column) if types[column] != "string":
            raise ContractError(place, "this rule is for a string")


def _rule(
    rule: Mapping[str, Any],
    place: Place,
    column: str | None,
    reference: tuple[str, str] | None = None,
) -> Rule:
    called = text(rule.get("name"), place / "name")
    kind = rule.get("type", "library")
    match kind:
        case "library":
            measure: Measure
            measure, units = _library(rule, place, column)
            limit = read_limit(rule, place)
            known = {"metric", "arguments", "unit"} | OPERATORS
        case "sql":
            measure, units = _query(rule, place, column), (Unit.NONE,)
            limit = read_limit(rule, place, may_be_boolean=True)
            known = {"query"} | OPERATORS
        case "custom":
            measure, units, limit = _custom(rule, place, column, reference)
            known = {"engine", "implementation", "unit"}
        case _:
            raise ContractError(place / "type", f"{kind} is not enforced; use library, sql, custom")
    only(rule, DESCRIBING | known, place)
    unit = _unit(rule, units, place)
    if not isinstance(measure, Query | Freshness) and _is_below_zero(limit):
        raise ContractError(place, "no day could be shown: nothing is counted below 0")
    return Rule(
        name=called if column is None else f"{column}.{called}",
        measure=measure,
        limit=limit,
        unit=unit,
        severity=_severity(rule, place),
        dimension=_dimension(rule, place),
        description=" ".join(str(rule.get("description", "")).split()),
    )


def _is_below_zero(limit: Limit) -> bool:
    most = limit.numbers[-1]
    if limit.operator == "mustBeLessThan":
        return most <= 0
    return most < 0 and limit.operator in {"mustBe", "mustBeLessOrEqualTo", "mustBeBetween"}


def _unit(rule: Mapping[str, Any], units: tuple[Unit, ...], place: Place) -> Unit:
    stated = rule.get("unit", units[0])
    if stated not in units:
        raise ContractError(place / "unit", f"expected {' or '.join(units) or 'none'}")
    return Unit(stated)


def _severity(rule: Mapping[str, Any], place: Place) -> Severity:
    stated = rule.get("severity", Severity.ERROR)
    if stated not in list(Severity):
        raise ContractError(place / "severity", f"expected {' or '.join(Severity)}")
    return Severity(stated)


def _dimension(rule: Mapping[str, Any], place: Place) -> str | None:
    stated: str | None = rule.get("dimension")
    if stated is not None and stated not in _DIMENSIONS:
        raise ContractError(place / "dimension", f"expected one of {', '.join(_DIMENSIONS)}")
    return stated


def _library(
    rule: Mapping[str, Any], place: Place, column: str | None
) -> tuple[Measure, tuple[Unit, ...]]:
    at = place / "arguments"
    given = mapping(rule.get("arguments", {}), at)
    match rule.get("metric"), column:
        case "rowCount", None:
            only(given, (), at)
            return RowCount(), (Unit.ROWS,)
        case "duplicateValues", None:
            only(given, ("properties",), at)
            return Duplicates(words(given.get("properties", ()), at / "properties")), _COUNTED
        case "duplicateValues", str():
            only(given, (), at)
            return Duplicates((column,)), _COUNTED
        case "nullValues", str():
            only(given, (), at)
            return Nulls(column), _COUNTED
        case "missingValues", str():
            only(given, ("missingValues",), at)
            return Missing(column, _missing(given, at)), _COUNTED
        case "invalidValues", str():
            only(given, ("validValues",), at)
            return Invalid(
                column, words(given.get("validValues", ()), at / "validValues")
            ), _COUNTED
    metrics = (
        "rowCount or duplicateValues"
        if column is None
        else "nullValues, missingValues, invalidValues or duplicateValues"
    )
    raise ContractError(
        place, f"not a rule that is enforced; use metric {metrics}, type sql, or engine {ENGINE}"
    )


def _missing(given: Mapping[str, Any], place: Place) -> tuple[str | None, ...]:
    at = place / "missingValues"
    values = sequence(given.get("missingValues", ()), at)
    if not values or not all(value is None or isinstance(value, str) for value in values):
        raise ContractError(at, "expected texts, or null; quote words such as 'NO' and 'yes'")
    return tuple(values)


def _query(rule: Mapping[str, Any], place: Place, column: str | None) -> Query:
    at = place / "query"
    sql = text(rule.get("query"), at)
    known = {OBJECT} if column is None else {OBJECT, "{property}"}
    if not _QUERY.match(sql) or ";" in sql:
        raise ContractError(at, "expected one query, SELECT or WITH, and no semicolon")
    if OBJECT not in sql or not set(_NAMED.findall(sql)) <= known:
        raise ContractError(at, f"expected a query of {OBJECT}, with {' and '.join(sorted(known))}")
    return Query(sql.strip().replace("{property}", column or ""))


def _custom(
    rule: Mapping[str, Any],
    place: Place,
    column: str | None,
    reference: tuple[str, str] | None,
) -> tuple[Measure, tuple[Unit, ...], Limit]:
    if rule.get("engine") != ENGINE:
        raise ContractError(place / "engine", f"no other engine than {ENGINE} is run")
    within = place / "implementation"
    stated = mapping(rule.get("implementation"), within)
    measure: Measure
    own: tuple[str, ...] = ()
    units: tuple[Unit, ...]
    match stated.get("rule"), column:
        case "rowCountOfWeekday", None:
            measure = SameWeekdays(_count(stated, "weeks", within, 1, MAX_WEEKS))
            own, units = ("weeks",), (Unit.PERCENT,)
        case "freshness", str():
            measure, units = Freshness(column), (Unit.HOURS,)
        case "unresolvedReferences", str():
            if reference is None:
                raise ContractError(within / "rule", "the property has no relationships")
            days = _count(stated, "days", within, 0, MAX_DAYS)
            measure, own, units = Unresolved(column, *reference, days), ("days",), _COUNTED
        case unknown, _:
            where = "a table" if column is None else "a property"
            raise ContractError(within / "rule", f"unknown rule {unknown!r} of {where}")
    only(stated, {"rule", *own} | OPERATORS, within)
    return measure, units, read_limit(stated, within)


def _count(stated: Mapping[str, Any], field: str, place: Place, least: int, most: int) -> int:
    value = stated.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ContractError(place / field, f"expected a number from {least} to {most}")
    return value


def _reference(item: Mapping[str, Any], place: Place) -> tuple[str, str] | None:
    """Dataset and property that a property refers to (ODCS `relationships`), where it does."""
    at = place / "relationships"
    stated = list(items(item.get("relationships", ()), at))
    if not stated:
        return None
    if len(stated) > 1:
        raise ContractError(at, "a property refers to one other")
    relationship, within = stated[0]
    only(relationship, ("id", "to", "type"), within)
    if relationship.get("type", "foreignKey") != "foreignKey":
        raise ContractError(within / "type", "expected foreignKey")
    found = _REFERENCE.fullmatch(text(relationship.get("to"), within / "to"))
    if found is None:
        raise ContractError(
            within / "to",
            "expected a property of another dataset's first table: "
            "<dataset>.odcs.yaml#/schema/<dataset>/properties/<property>",
        )
    return found[1], found[2]
