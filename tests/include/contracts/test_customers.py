"""The contract is a valid Open Data Contract Standard document and says what the platform needs."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

CONTRACT = Path(__file__).parents[3] / "include" / "contracts" / "customers.odcs.yaml"

COLUMNS = [
    "customer_id",
    "first_name",
    "last_name",
    "email",
    "country",
    "signup_date",
    "last_login",
    "total_orders",
    "total_spent_usd",
    "is_premium",
]
# What `custody` can check; a rule outside this set would be silently unchecked.
LOGICAL_TYPES = {"string", "integer", "number", "boolean", "date", "timestamp"}
LENGTH_AND_RANGE = {"pattern", "minLength", "maxLength", "minimum", "maximum"}
OPTIONS = LENGTH_AND_RANGE | {"format", "timezone", "defaultTimezone"}
CUSTOM_RULES = {"freshness", "notAfterPartition", "notBefore"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def properties(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in document["schema"][0]["properties"]}


def custom(element: dict[str, Any]) -> dict[str, Any]:
    return {each["property"]: each["value"] for each in element.get("customProperties", [])}


def test_follows_the_published_model(document: dict[str, Any]) -> None:
    model = OpenDataContractStandard(**document)
    assert (model.name, model.status, model.version) == ("customers", "active", "3.0.0")


def test_columns_in_the_order_of_the_file(document: dict[str, Any]) -> None:
    silver = document["schema"][0]
    assert [each["name"] for each in silver["properties"]] == [*COLUMNS, "dt"]


def test_primary_key_is_the_customer(properties: dict[str, dict[str, Any]]) -> None:
    keys = [name for name, each in properties.items() if each.get("primaryKey")]
    assert keys == ["customer_id", "dt"]
    assert properties["customer_id"]["required"] is True


def test_every_column_is_classified_and_people_are_pii(
    properties: dict[str, dict[str, Any]],
) -> None:
    pii = {name for name, each in properties.items() if each["classification"] == "pii"}
    assert pii == {"first_name", "last_name", "email"}


def test_no_rule_is_beyond_what_the_platform_checks(
    properties: dict[str, dict[str, Any]],
) -> None:
    for name, each in properties.items():
        assert each["logicalType"] in LOGICAL_TYPES, name
        assert set(each.get("logicalTypeOptions", {})) <= OPTIONS, name
        for rule in each.get("quality", []):
            assert rule["name"], name
            if rule.get("type") == "custom":
                assert rule["engine"] == "custody", name
                assert rule["implementation"]["rule"] in CUSTOM_RULES, name
                assert rule["implementation"].get("property", name) in properties
            else:
                assert rule["metric"] in {"invalidValues", "nullValues"}, name
                assert rule["mustBe" if rule["severity"] == "error" else "mustBeLessThan"] >= 0


@pytest.mark.parametrize(
    ("column", "valid", "invalid"),
    [
        ("customer_id", ["C000000042"], ["C42", "c000000042", "C0000000421", ""]),
        ("country", ["NL"], ["nl", "NLD", "N1"]),
        (
            "email",
            ["zoe@shop.example", "o'brien+x@mail.shop.example"],
            ["zoe", "zoe@shop", "zoe@@shop.example", "zoe @shop.example", "zoe@shop..example"],
        ),
    ],
)
def test_patterns(
    properties: dict[str, dict[str, Any]], column: str, valid: list[str], invalid: list[str]
) -> None:
    pattern = re.compile(properties[column]["logicalTypeOptions"]["pattern"])
    assert [value for value in valid if not pattern.search(value)] == []
    assert [value for value in invalid if pattern.search(value)] == []


def test_countries_are_the_officially_assigned_codes(
    properties: dict[str, dict[str, Any]],
) -> None:
    (rule,) = properties["country"]["quality"]
    codes = rule["arguments"]["validValues"]
    assert len(codes) == len(set(codes)) == 249
    assert all(isinstance(code, str) for code in codes)  # an unquoted NO is a boolean in YAML
    assert codes == sorted(codes)
    assert not {"UK", "EU", "XX"} & set(codes)


def test_boolean_forms_are_strings_and_do_not_overlap(
    properties: dict[str, dict[str, Any]],
) -> None:
    forms = custom(properties["is_premium"])
    true, false = set(forms["trueValues"]), set(forms["falseValues"])
    assert true
    assert false
    assert not true & false
    assert all(isinstance(form, str) and form == form.lower() for form in true | false)


def test_what_the_runs_need(document: dict[str, Any]) -> None:
    wanted = custom(document["schema"][0])
    assert wanted["deduplicationOrder"] == [{"property": "last_login", "direction": "desc"}]
    assert Decimal(0) < Decimal(str(wanted["maxRejectedShare"])) <= 1
    gold = [each["name"] for each in document["schema"][1:]]
    assert gold == ["customers_by_country_month"]


def test_uploaders_are_declared_writers_of_bronze(document: dict[str, Any]) -> None:
    bronze = {r["role"] for r in document["roles"] if r["access"] == "write"}
    assert bronze == {"crm-export", "web-shop", "partner-feed"}


def test_what_is_summed_up_in_gold_fits(properties: dict[str, dict[str, Any]]) -> None:
    """Two rows of the largest number would stop every run of their day."""
    most = properties["total_orders"]["logicalTypeOptions"]["maximum"]
    assert most * 10**9 < 2**63
