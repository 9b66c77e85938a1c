"""A row names every rule of the contract that it breaks."""

from __future__ import annotations

from tests.support.customers import DT, good

from custody.core.datasets.contracts import Contract
from custody.core.datasets.landed.text import LandedRow
from custody.spark.silver.judging.rules import Judge
from custody.spark.silver.rows import of_landed

BROKEN_RULES: list[tuple[dict[str, str], list[str]]] = [
    ({"customer_id": ""}, ["customer_id.required"]),
    ({"customer_id": "   "}, ["customer_id.required"]),
    ({"customer_id": "42"}, ["customer_id.pattern"]),
    ({"email": "zoe@shop"}, ["email.pattern"]),
    ({"first_name": "x" * 101}, ["first_name.length"]),
    ({"country": "nl"}, ["country.pattern", "country.allowed"]),
    ({"country": "UK"}, ["country.allowed"]),
    ({"signup_date": "2024-02-30"}, ["signup_date.type"]),
    ({"signup_date": "2024-5-17"}, ["signup_date.type"]),
    ({"signup_date": "17/05/2024"}, ["signup_date.type"]),
    ({"signup_date": "2024-05-17T00:00:00Z"}, ["signup_date.type"]),
    ({"signup_date": "1999-12-31"}, ["signup_date.minimum"]),
    (
        {"signup_date": "2026-11-02"},
        ["signup_date.not_after_day", "last_login.not_before_signup"],
    ),
    ({"last_login": "2026-11-02T00:00:00Z"}, ["last_login.not_after_day"]),
    ({"last_login": "2024-05-16T23:59:59Z"}, ["last_login.not_before_signup"]),
    ({"last_login": "2026-10-31 17:05:09"}, ["last_login.type"]),
    ({"last_login": "2026-10-31T25:05:09Z"}, ["last_login.type"]),
    ({"total_orders": "-1"}, ["total_orders.minimum"]),
    ({"total_orders": "1000000001"}, ["total_orders.maximum"]),
    ({"total_orders": "1.5"}, ["total_orders.type"]),
    ({"total_orders": "1e3"}, ["total_orders.type"]),
    ({"total_orders": "9223372036854775808"}, ["total_orders.type"]),
    ({"total_spent_usd": "-0.01"}, ["total_spent_usd.minimum"]),
    ({"total_spent_usd": "1.005"}, ["total_spent_usd.type"]),
    ({"total_spent_usd": "10000000000.00"}, ["total_spent_usd.type"]),
    ({"total_spent_usd": "$5"}, ["total_spent_usd.type"]),
    ({"is_premium": "maybe"}, ["is_premium.type"]),
    (
        {"customer_id": "", "email": "no", "total_orders": "many", "is_premium": ""},
        ["customer_id.required", "email.pattern", "total_orders.type", "is_premium.required"],
    ),
]


def test_a_bad_row_names_every_rule_it_broke(contract: Contract) -> None:
    found = _judge(contract, *(good(**changes) for changes, _ in BROKEN_RULES))

    assert list(zip((c for c, _ in BROKEN_RULES), found, strict=True)) == BROKEN_RULES


def test_values_at_the_limits_are_good(contract: Contract) -> None:
    rows = [
        good(last_name="", last_login=""),
        good(first_name="y" * 100),
        good(signup_date="2026-11-01", last_login="2026-11-01T23:59:59Z"),
        good(signup_date="2000-01-01"),
        good(total_orders="0", total_spent_usd="0"),
        good(total_orders="1000000000", total_spent_usd="9999999999.99"),
        good(total_spent_usd="5.1", is_premium="Y"),
        good(first_name=" Zoë ", email=" zoe@shop.example "),
    ]

    assert _judge(contract, *rows) == [[]] * len(rows)


HOSTILE = [
    *(
        "x" * 60_000,
        "9" * 60_000,
        "a@" + "a." * 1_500 + "b",
        "\ud7ff",
        "\U0010ffff",
        "\u202egnp.exe",
    ),
    *("=HYPERLINK(1)", "+1", "@SUM(A1)", "-2+3", "-", "$(rm)", "{{ x }}", "'; --", "a\u00a0b@c.d"),
    *("+300000-01-01T00:00:00Z", "+999999999-12-31T23:59:59Z", "-0001-01-01", "+99999-01-01"),
    *("0000-01-01", "0000-01-01T00:00:00Z", "2023-02-29", "2024-13-01", "2024-01-01T24:00:00Z"),
    *("2024-1-1", "2024-01-01T00:00:00", "2024-01-01 00:00:00Z", "2024-01-01T23:60:00Z"),
    *("0000-00-00", "9999-12-31T23:59:60Z", "2024-02-30T24:00:00Z", "99999-1-01"),
    *("1e999", "NaN", "Infinity", "0x10", "-9223372036854775809", "1" * 39 + ".1", "\u0661"),
]
TYPED = {"signup_date", "last_login", "total_orders", "total_spent_usd", "is_premium"}


def test_no_field_stops_a_day(contract: Contract) -> None:
    """Whatever stands in whichever field: the row is judged, and the one after it too."""
    cases = [(value, column.name) for value in HOSTILE for column in contract.columns]

    found = _judge(contract, *(good(**{name: value}) for value, name in cases), good())

    assert found.pop() == []
    for reasons, (value, name) in zip(found, cases, strict=True):
        if name in TYPED:
            assert f"{name}.type" in reasons, (name, value[:40])
        elif name in {"first_name", "last_name"}:
            expected = [f"{name}.formula"] * (value[0] in "=+-@")
            assert reasons == expected + [f"{name}.length"] * (len(value) > 100), (name, value[:40])
        else:
            assert reasons, (name, value[:40])


def _judge(contract: Contract, *rows: str) -> list[list[str]]:
    landed = [
        LandedRow(n, row, tuple(field.strip() or None for field in row.split(",")))
        for n, row in enumerate(rows, start=2)
    ]
    judged = Judge(contract, DT).judge(of_landed(landed, [len(contract.columns)]))
    return [reasons or [] for reasons in judged.reasons.to_pylist()]
