"""Reading a contract: what it says is known in full, and what is not understood is refused."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from custody.core.datasets.columns import Column, NotAfterPartition, NotBefore, ValidValues
from custody.core.datasets.contract_fields import ContractError
from custody.core.datasets.contracts import SortKey, parse_contract

DAY = {
    "name": "dt",
    "logicalType": "string",
    "physicalType": "string",
    "partitioned": True,
    "partitionKeyPosition": 1,
    "primaryKey": True,
    "primaryKeyPosition": 1,
}


def minimal(*properties: dict[str, Any], **table: Any) -> dict[str, Any]:
    key = {"name": "id", "logicalType": "string", "physicalType": "string", "primaryKey": True}
    custom = table.pop("custom", [{"property": "maxRejectedShare", "value": 0.1}])
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "name": "orders",
        "version": "1.2.0",
        "description": {"purpose": "to test", "usage": "in tests", "limitations": "made up"},
        "team": {"name": "testers"},
        "slaProperties": [{"property": "freshness", "value": 26, "unit": "h"}],
        "roles": [{"role": "shop", "access": "write", "description": "sells"}],
        "schema": [
            {
                "name": "orders",
                "description": "What was ordered",
                "dataGranularityDescription": "One row per id and dt",
                "properties": [key, *copy.deepcopy(properties), dict(DAY)],
                "customProperties": custom,
                **table,
            }
        ],
    }


def column(logical: str, physical: str, **more: Any) -> dict[str, Any]:
    return {"name": "x", "logicalType": logical, "physicalType": physical, **more}


def test_says_what_a_good_row_is() -> None:
    contract = parse_contract(
        minimal(
            column(
                "timestamp",
                "timestamp",
                logicalTypeOptions={"maximum": "2030-01-01T00:00:00Z"},
                quality=[
                    {
                        "name": "late",
                        "type": "custom",
                        "engine": "custody",
                        "implementation": {"rule": "notAfterPartition"},
                    },
                    {
                        "name": "order",
                        "type": "custom",
                        "engine": "custody",
                        "implementation": {"rule": "notBefore", "property": "day"},
                    },
                ],
            ),
            {
                "name": "day",
                "logicalType": "date",
                "physicalType": "date",
                "required": True,
                "logicalTypeOptions": {"minimum": "2000-01-01"},
            },
            {
                "name": "spent",
                "logicalType": "number",
                "physicalType": "decimal(12,2)",
                "logicalTypeOptions": {"minimum": 0.5},
            },
            {
                "name": "country",
                "logicalType": "string",
                "physicalType": "string",
                "logicalTypeOptions": {"pattern": "^[A-Z]{2}$", "minLength": 2, "maxLength": 2},
                "quality": [
                    {
                        "name": "allowed",
                        "metric": "invalidValues",
                        "mustBe": 0,
                        "arguments": {"validValues": ["NL", "NO"]},
                    }
                ],
            },
            custom=[
                {"property": "maxRejectedShare", "value": 0.25},
                {
                    "property": "deduplicationOrder",
                    "value": [{"property": "x", "direction": "desc"}, {"property": "id"}],
                },
            ],
        )
    )

    assert (contract.dataset, contract.version) == ("orders", "1.2.0")
    assert contract.header == ("id", "x", "day", "spent", "country")
    assert contract.primary_key == ("id",)
    assert contract.max_rejected_share == Decimal("0.25")
    assert contract.deduplication_order == (SortKey("x", descending=True), SortKey("id", False))
    key, x, day, spent, country = contract.columns
    assert key == Column("id", "string", required=True)
    assert x.maximum == datetime(2030, 1, 1, tzinfo=UTC)
    assert x.format == "yyyy-MM-dd'T'HH:mm:ss'Z'"
    assert x.checks == (NotAfterPartition("late"), NotBefore("order", "day"))
    assert (day.minimum, day.required, day.format) == (date(2000, 1, 1), True, "yyyy-MM-dd")
    assert (spent.minimum, spent.base_type, spent.scale) == (Decimal("0.5"), "decimal", 2)
    assert (country.pattern, country.min_length, country.max_length) == ("^[A-Z]{2}$", 2, 2)
    assert country.checks == (ValidValues("allowed", ("NL", "NO")),)


def test_a_composite_key_comes_in_its_own_order() -> None:
    first = {**column("string", "string"), "primaryKey": True, "primaryKeyPosition": 1}
    document = minimal(first)
    document["schema"][0]["properties"][0]["primaryKeyPosition"] = 2

    assert parse_contract(document).primary_key == ("x", "id")


CUSTOM = {"type": "custom", "engine": "custody", "name": "r"}
VALID = {"name": "r", "metric": "invalidValues", "mustBe": 0}


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (column("string", "varchar(10)"), "x.physicalType: 'varchar(10)'"),
        (column("number", "decimal(40,2)"), "x.physicalType"),
        (column("number", "decimal(2,3)"), "x.physicalType"),
        (column("date", "string"), "x.logicalType: 'date' does not fit"),
        (
            column("string", "string", logicalTypeOptions={"pattern": "("}),
            "x.logicalTypeOptions.pattern: ",
        ),
        (
            column("string", "string", logicalTypeOptions={"minimum": 1}),
            "x.logicalTypeOptions.minimum: ",
        ),
        (
            column("string", "string", logicalTypeOptions={"maxLength": "9"}),
            "x.logicalTypeOptions.maxLength: ",
        ),
        (column("string", "string", logicalTypeOptions={"multipleOf": 2}), "multipleOf"),
        (
            column("integer", "bigint", logicalTypeOptions={"minimum": "many"}),
            "x.logicalTypeOptions.minimum: ",
        ),
        (
            column("number", "decimal(9,2)", logicalTypeOptions={"maximum": "NaN"}),
            "x.logicalTypeOptions.maximum: ",
        ),
        (column("string", "string", primaryKey=True, primaryKeyPosition="2"), "primaryKeyPosition"),
        (
            column("date", "date", logicalTypeOptions={"format": "dd/MM/yyyy"}),
            "x.logicalTypeOptions.format: ",
        ),
        (
            column("timestamp", "timestamp", logicalTypeOptions={"defaultTimezone": "CET"}),
            "x.logicalTypeOptions.defaultTimezone: ",
        ),
        (column("string", "string", quality=[{"name": "r", "type": "sql"}]), "x.quality[0]"),
        (
            column("string", "string", quality=[VALID | {"arguments": {"validValues": [False]}}]),
            "quote words such as 'NO'",
        ),
        (
            column("string", "string", quality=[VALID | {"arguments": {"validValues": []}}]),
            "validValues",
        ),
        (
            column("string", "string", quality=[VALID | {"arguments": {"pattern": "x"}}]),
            "x.quality[0]: expected validValues",
        ),
        (
            column("date", "date", quality=[CUSTOM | {"implementation": {"rule": "wish"}}]),
            "unknown rule 'wish'",
        ),
        (
            column(
                "date",
                "date",
                quality=[CUSTOM | {"implementation": {"rule": "notBefore", "property": "id"}}],
            ),
            "x.r: 'id' is not a date or timestamp",
        ),
        (
            column(
                "string", "string", quality=[CUSTOM | {"implementation": {"rule": "notBefore"}}]
            ),
            "for a date or a timestamp",
        ),
        (
            column(
                "boolean",
                "boolean",
                customProperties=[{"property": "trueValues", "value": [True]}],
            ),
            "x.trueValues",
        ),
        ({"name": "id", "logicalType": "string", "physicalType": "string"}, "appears twice"),
        (column("string", "string", unique=True), "x.unique: no value is made unique over days"),
        (column("string", "string", required="true"), "x.required: expected true or false"),
        (column("string", "string", unique="yes"), "x.unique: expected true or false"),
        (column("string", "string", enum=["a"]), "x.enum: enum is not read"),
        (column("string", "string", requird=True), "x.requird: requird is not read"),
        (
            column("string", "string", logicalTypeOptions={"minLength": 3, "maxLength": 2}),
            "minLength is more than maxLength",
        ),
        (
            column("integer", "int", logicalTypeOptions={"minimum": 3, "maximum": 2}),
            "minimum is more than maximum",
        ),
        (
            column("string", "string", customProperties=[{"property": "trueValues", "value": []}]),
            "x.customProperties[0].property: trueValues is not read",
        ),
        (
            column(
                "boolean",
                "boolean",
                customProperties=[{"property": "trueValues", "value": ["a"]}] * 2,
            ),
            "x.customProperties[1]: trueValues appears twice",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_rule_that_cannot_be_enforced_is_refused(broken: dict[str, Any], says: str) -> None:
    with pytest.raises(ContractError) as refusal:
        parse_contract(minimal(broken))
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"partitioned": True}, "schema[0].partitioned: partitioned is not read"),
        (
            {
                "custom": [
                    {"property": "maxRejectedShare", "value": 0.1},
                    {"property": "maxRejectedShares", "value": 0.1},
                ]
            },
            "schema[0].customProperties[1].property: maxRejectedShares is not read",
        ),
    ],
)
def test_what_nobody_reads_of_a_table_is_refused(table: dict[str, Any], says: str) -> None:
    with pytest.raises(ContractError) as refusal:
        parse_contract(minimal(**table))
    assert says in str(refusal.value)


def test_not_even_a_key_is_unique_over_days() -> None:
    document = minimal()
    document["schema"][0]["properties"][0]["unique"] = True
    with pytest.raises(ContractError, match=r"id\.unique: no value is made unique over days"):
        parse_contract(document)


@pytest.mark.parametrize(
    ("day", "says"),
    [
        (None, r"schema\[0\]\.properties\[0\]: the last property is dt, with .*partitioned: true"),
        ({"primaryKey": False}, r"dt\.primaryKey: the day has primaryKey: true"),
        ({"primaryKeyPosition": 2}, r"dt\.primaryKeyPosition: the day has primaryKeyPosition: 1"),
        ({"partitionKeyPosition": True}, r"dt\.partitionKeyPosition"),
        ({"partitioned": "yes"}, r"dt\.partitioned"),
        ({"physicalType": "date"}, r"dt\.physicalType: the day has physicalType: string"),
        ({"quality": []}, r"dt\.quality: quality is not read"),
        ({"required": "yes"}, r"dt\.required: expected true or false"),
    ],
)
def test_a_key_is_one_within_a_day(day: dict[str, Any] | None, says: str) -> None:
    document = minimal()
    properties = document["schema"][0]["properties"]
    assert parse_contract(document).primary_key == ("id",)
    if day is None:
        del properties[-1]
    else:
        properties[-1] |= day
    with pytest.raises(ContractError, match=says):
        parse_contract(document)


@pytest.mark.parametrize("share", [None, -0.1, 1.1, "some", "NaN"])
def test_a_limit_that_is_no_share_is_refused(share: Any) -> None:
    with pytest.raises(ContractError, match="maxRejectedShare"):
        parse_contract(minimal(custom=[{"property": "maxRejectedShare", "value": share}]))


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "text",
        {"kind": "DataContract", "apiVersion": "v2.2.2"},
        {**minimal(), "schema": []},
        {**minimal(), "schema": minimal()["schema"] * 2},
        {**minimal(), "version": None},
    ],
    ids=["nothing", "list", "text", "old", "no table", "two tables", "no version"],
)
def test_what_is_no_contract_is_refused(document: Any) -> None:
    with pytest.raises(ContractError):
        parse_contract(document)


def test_a_dataset_without_a_key_is_refused() -> None:
    document = minimal(column("string", "string"))
    del document["schema"][0]["properties"][0]

    with pytest.raises(ContractError, match="primaryKey"):
        parse_contract(document)
