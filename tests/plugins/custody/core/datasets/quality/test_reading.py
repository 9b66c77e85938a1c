"""Rules of a table in a contract: read as ODCS writes them, refused where nobody enforces them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests.plugins.custody.core.datasets.test_contracts import column, minimal

from custody.core.datasets.compatibility import changes
from custody.core.datasets.contract_fields import ContractError
from custody.core.datasets.contracts import parse_contract
from custody.core.datasets.quality.limits import Limit
from custody.core.datasets.quality.rules import (
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
from custody.core.datasets.tables import silver_tables

Fields = dict[str, Any]
CUSTOM = {"name": "r", "type": "custom", "engine": "custody"}
TO = "customers.odcs.yaml#/schema/customers/properties/customer_id"
FEW = {"mustBeLessThan": 5}


def of_table(rule: Fields) -> Fields:
    return minimal(column("string", "string"), quality=[{"name": "r"} | rule])


def of_property(rule: Fields, kind: str = "string", **more: Any) -> Fields:
    return minimal(column(kind, kind, quality=[{"name": "r"} | rule], **more))


def custom(**implementation: Any) -> Fields:
    return CUSTOM | {"implementation": implementation}


READ: dict[str, tuple[Fields, Measure, str, Unit]] = {
    "rowCount": (of_table({"metric": "rowCount", **FEW}), RowCount(), "r", Unit.ROWS),
    "duplicateValues": (
        of_table({"metric": "duplicateValues", "arguments": {"properties": ["dt", "x"]}, **FEW}),
        Duplicates(("dt", "x")),
        "r",
        Unit.ROWS,
    ),
    "duplicateValues of a property": (
        of_property({"metric": "duplicateValues", "unit": "percent", **FEW}),
        Duplicates(("x",)),
        "x.r",
        Unit.PERCENT,
    ),
    "nullValues": (of_property({"metric": "nullValues", **FEW}), Nulls("x"), "x.r", Unit.ROWS),
    "missingValues": (
        of_property(
            {"metric": "missingValues", "arguments": {"missingValues": [None, "N/A"]}, **FEW}
        ),
        Missing("x", (None, "N/A")),
        "x.r",
        Unit.ROWS,
    ),
    "invalidValues": (
        of_property({"metric": "invalidValues", "arguments": {"validValues": ["a"]}, **FEW}),
        Invalid("x", ("a",)),
        "x.r",
        Unit.ROWS,
    ),
    "the same weekday": (
        of_table(custom(rule="rowCountOfWeekday", weeks=4, **FEW)),
        SameWeekdays(4),
        "r",
        Unit.PERCENT,
    ),
    "freshness": (
        of_property(custom(rule="freshness", **FEW) | {"unit": "h"}, "timestamp"),
        Freshness("x"),
        "x.r",
        Unit.HOURS,
    ),
    "unresolvedReferences": (
        of_property(custom(rule="unresolvedReferences", days=2, **FEW), relationships=[{"to": TO}]),
        Unresolved("x", "customers", "customer_id", 2),
        "x.r",
        Unit.ROWS,
    ),
    "a query": (
        of_property({"type": "sql", "query": "SELECT MAX({property}) FROM {object}", **FEW}),
        Query("SELECT MAX(x) FROM {object}"),
        "x.r",
        Unit.NONE,
    ),
}


@pytest.mark.parametrize("case", READ)
def test_a_rule_is_read_as_it_is_written(case: str) -> None:
    document, measure, name, unit = READ[case]
    limit = Limit("mustBeLessThan", (Decimal(5),))
    expected = Rule(name, measure, limit, unit, Severity.ERROR, None, "")
    assert parse_contract(document).rules == (expected,)
    assert expected.measured
    assert "less than 5" in expected.expected


def test_a_rule_says_what_it_costs_and_why() -> None:
    said = {"severity": "warning", "dimension": "coverage", "description": "To see\n more."}
    (rule,) = parse_contract(of_table({"metric": "rowCount", "mustBe": 1, **said})).rules
    assert (rule.severity, rule.dimension, rule.description) == (
        Severity.WARNING,
        "coverage",
        "To see more.",
    )


def test_a_rule_for_values_that_only_warns_is_one_of_the_day() -> None:
    """A row that breaks one is not rejected, so it is counted."""
    rule = {"metric": "invalidValues", "arguments": {"validValues": ["a"]}, "mustBe": 0}
    strict = parse_contract(of_property(rule))
    assert (len(strict.columns[1].checks), strict.rules) == (1, ())
    lenient = parse_contract(of_property(rule | {"severity": "warning"}))
    assert (lenient.columns[1].checks, len(lenient.rules)) == ((), 1)


COUNT = {"metric": "rowCount", "mustBe": 1}
REFUSED: dict[str, tuple[Fields, str]] = {
    "no name": (of_table({"name": "", **COUNT}), "schema[0].quality[0].name: expected a text"),
    "no limit": (of_table({"metric": "rowCount"}), "schema[0].quality[0]: expected one of mustBe"),
    "two limits": (of_table({**COUNT, **FEW}), "schema[0].quality[0]: expected one of mustBe"),
    "another metric": (of_table({**COUNT, "metric": "size"}), "quality[0]: not a rule that is"),
    "a metric of a table": (of_property(COUNT), "x.quality[0]: not a rule that is enforced"),
    "a metric of a property": (
        of_table({"metric": "nullValues", "mustBe": 1}),
        "schema[0].quality[0]: not a rule that is enforced; use metric rowCount or",
    ),
    "words": (of_table({"type": "text"}), "quality[0].type: text is not enforced"),
    "a time of its own": (
        of_table({**COUNT, "schedule": "0 20 * * *"}),
        "quality[0].schedule: schedule is not read",
    ),
    "another severity": (of_table({**COUNT, "severity": "info"}), "quality[0].severity: expected"),
    "another dimension": (of_table({**COUNT, "dimension": "size"}), "dimension: expected one of"),
    "another unit": (of_table({**COUNT, "unit": "percent"}), "quality[0].unit: expected rows"),
    "a unit of a query": (
        of_table({"type": "sql", "query": "SELECT 1 FROM {object}", "mustBe": 1, "unit": "rows"}),
        "quality[0].unit: unit is not read",
    ),
    "what no day has": (
        of_table({"metric": "rowCount", "mustBeLessThan": 0}),
        "schema[0].quality[0]: no day could be shown",
    ),
    "less than none": (of_table({"metric": "rowCount", "mustBe": -1}), "no day could be shown"),
    "arguments of none": (
        of_table({**COUNT, "arguments": {"properties": ["x"]}}),
        "quality[0].arguments.properties: properties is not read",
    ),
    "duplicates of nothing": (
        of_table({"metric": "duplicateValues", "mustBe": 0}),
        "quality[0].arguments.properties: expected texts",
    ),
    "duplicates of no column": (
        of_table({"metric": "duplicateValues", "arguments": {"properties": ["y"]}, "mustBe": 0}),
        "schema[0].quality[0]: 'y' is not a property of the table",
    ),
    "duplicates of the day": (
        of_table({"metric": "duplicateValues", "arguments": {"properties": ["dt"]}, "mustBe": 0}),
        "schema[0].quality[0]: all rows of a day have one dt",
    ),
    "missing what": (
        of_property({"metric": "missingValues", "mustBe": 0}),
        "x.quality[0].arguments.missingValues: expected texts, or null",
    ),
    "missing of a number": (
        minimal(
            column(
                "integer",
                "int",
                quality=[
                    {
                        "name": "r",
                        "metric": "missingValues",
                        "mustBe": 0,
                        "arguments": {"missingValues": ["0"]},
                    }
                ],
            )
        ),
        "x.quality[0]: this rule is for a string",
    ),
    "another engine": (
        of_table(custom(rule="rowCountOfWeekday", weeks=1, **FEW) | {"engine": "soda"}),
        "quality[0].engine: no other engine than custody",
    ),
    "another rule of ours": (
        of_table(custom(rule="fullMoon", **FEW)),
        "implementation.rule: unknown rule 'fullMoon' of a table",
    ),
    "a rule of a property": (
        of_table(custom(rule="freshness", **FEW)),
        "implementation.rule: unknown rule 'freshness' of a table",
    ),
    "no weeks": (
        of_table(custom(rule="rowCountOfWeekday", weeks=0, **FEW)),
        "implementation.weeks: expected a number from 1 to 12",
    ),
    "weeks without end": (
        of_table(custom(rule="rowCountOfWeekday", weeks=53, **FEW)),
        "implementation.weeks: expected a number from 1 to 12",
    ),
    "more than the rule has": (
        of_table(custom(rule="rowCountOfWeekday", weeks=1, days=1, **FEW)),
        "implementation.days: days is not read",
    ),
    "a limit beside the rule": (
        of_table(custom(rule="rowCountOfWeekday", weeks=1, **FEW) | {"mustBe": 1}),
        "quality[0].mustBe: mustBe is not read",
    ),
    "freshness of a text": (
        of_property(custom(rule="freshness", **FEW)),
        "x.quality[0]: this rule is for a date or a timestamp",
    ),
    "freshness in days": (
        of_property(custom(rule="freshness", **FEW) | {"unit": "d"}, "date"),
        "x.quality[0].unit: expected h",
    ),
    "a reference of none": (
        of_property(custom(rule="unresolvedReferences", days=0, **FEW)),
        "implementation.rule: the property has no relationships",
    ),
    "a reference that nobody follows": (
        minimal(column("string", "string", relationships=[{"to": TO}])),
        "x.relationships: nothing enforces it",
    ),
    "two references": (
        minimal(column("string", "string", relationships=[{"to": TO}] * 2)),
        "x.relationships: a property refers to one other",
    ),
    "a reference to a table of its own": (
        minimal(column("string", "string", relationships=[{"to": "orders.id"}])),
        "x.relationships[0].to: expected a property of another dataset's first table",
    ),
    "a reference to gold": (
        minimal(
            column("string", "string", relationships=[{"to": TO.replace("schema/c", "schema/g")}])
        ),
        "x.relationships[0].to: expected",
    ),
    "another relationship": (
        minimal(column("string", "string", relationships=[{"to": TO, "type": "copy"}])),
        "x.relationships[0].type: expected foreignKey",
    ),
    "no query": (of_table({"type": "sql", "mustBe": 1}), "quality[0].query: expected a text"),
    "two rules of a name": (
        minimal(quality=[{"name": "r", **COUNT}, {"name": "r", **COUNT}]),
        "schema[0].quality[1].name: r appears twice",
    ),
    "a list for a word": (of_table({**COUNT, "dimension": []}), "dimension: expected one of"),
    "a list for a rule": (of_table(custom(rule=[], **FEW)), "implementation.rule: unknown rule []"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_nothing_would_enforce_is_refused(case: str) -> None:
    document, says = REFUSED[case]
    with pytest.raises(ContractError) as refusal:
        parse_contract(document)
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM {object}",
        "SELECT 1 FROM {object}; DROP TABLE x",
        "SELECT 1",
        "SELECT {property} FROM {object}",
        "SELECT 1 FROM {object} WHERE dt = {dt}",
        "SELECT 1 FROM ${table}",
        "selection of {object}",
    ],
)
def test_a_query_is_one_that_reads_the_table(sql: str) -> None:
    with pytest.raises(ContractError, match=r"schema\[0\]\.quality\[0\]\.query: expected"):
        parse_contract(of_table({"type": "sql", "query": sql, "mustBe": 1}))


ROW = {"metric": "invalidValues", "arguments": {"validValues": ["a"]}, "mustBe": 0}


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ([{"name": "r", **ROW}] * 2, "x.quality[1].name: r appears twice"),
        ([{"name": "r", **ROW, "unit": "percent"}], "x.quality[0].unit: unit is not read"),
        ([{"name": "r", **ROW, "schedule": "x"}], "x.quality[0].schedule: schedule is not read"),
    ],
)
def test_nor_is_what_a_rule_for_values_does_not_do(rules: list[Fields], says: str) -> None:
    with pytest.raises(ContractError) as refusal:
        parse_contract(minimal(column("string", "string", quality=rules)))
    assert says in str(refusal.value)


ON_TOKENS = ({"metric": "nullValues", **FEW}, {"metric": "duplicateValues", **FEW})
NOT_ON_TOKENS = (
    {"metric": "missingValues", "arguments": {"missingValues": ["N/A"]}, **FEW},
    {"metric": "invalidValues", "arguments": {"validValues": ["a"]}, **FEW},
    {"type": "sql", "query": "SELECT COUNT({property}) FROM {object}", **FEW},
    custom(rule="unresolvedReferences", days=0, **FEW),
)


@pytest.mark.parametrize("rule", [*ON_TOKENS, *NOT_ON_TOKENS])
def test_of_personal_data_is_enforced_what_tokens_tell(rule: Fields) -> None:
    """Silver has a token of each value: none is `N/A`, and none is any of another dataset."""
    more = {"relationships": [{"to": TO}]} if "implementation" in rule else {}
    document = of_property(rule, **more, classification="pii")
    if rule in ON_TOKENS:
        assert len(parse_contract(document).rules) == 1
        return
    with pytest.raises(ContractError, match=r"x\.quality\[0\]: silver has tokens of it"):
        parse_contract(document)


def of_items(*rules: Fields) -> Fields:
    """A dataset with an array whose items have a text with these rules."""
    array = {
        "name": "lines",
        "description": "x",
        "logicalType": "array",
        "items": {
            "logicalType": "object",
            "properties": [column("string", "string", quality=list(rules))],
        },
    }
    server = {"server": "s", "type": "s3", "format": "json", "delimiter": "new_line"}
    return minimal(array) | {"servers": [server | {"location": "s3://b/"}]}


def test_the_items_of_an_array_are_a_table_with_rules() -> None:
    few = {"name": "few", "metric": "nullValues", **FEW}
    contract = parse_contract(of_items({"name": "r", **ROW}, few))
    assert contract.rules == ()
    (items,) = [table for table in silver_tables(contract) if table.rules]
    assert (items.name, [rule.name for rule in items.rules]) == ("silver_orders_lines", ["x.few"])
    with pytest.raises(ContractError, match=r"x\.quality\[0\]: not a rule that is enforced"):
        parse_contract(of_items({"name": "r", "metric": "rowCount", **FEW}))

    (change,) = changes(parse_contract(of_items()), parse_contract(of_items(few)))
    assert (change.told, change.breaks) == ("x.few is a new rule of the day", True)


def test_gold_has_rules_of_the_day_alone() -> None:
    gold = {
        "name": "g",
        "description": "x",
        "dataGranularityDescription": "y",
        "properties": [
            column("string", "string", quality=[{"name": "r", **ROW}]),
            {
                "name": "dt",
                "logicalType": "string",
                "physicalType": "string",
                "partitioned": True,
                "partitionKeyPosition": 1,
            },
        ],
    }
    document = minimal()
    document["schema"].append(gold)
    (table,) = parse_contract(document).gold
    assert [rule.measure for rule in table.rules] == [Invalid("x", ("a",))]
    gold["properties"][0]["relationships"] = [{"to": TO}]  # type: ignore[index]
    with pytest.raises(ContractError, match="relationships is not read"):
        parse_contract(document)
