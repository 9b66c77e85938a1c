"""Limits in the operators of ODCS."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.core.datasets.contract_fields import ContractError, Place
from custody.core.datasets.quality.limits import OPERATORS, Limit, read_limit

HOLDS: dict[str, tuple[Any, list[float], list[float]]] = {
    # operator: (what it is given, numbers within, numbers without)
    "mustBe": (5, [5], [4, 6]),
    "mustNotBe": (5, [4, 6], [5]),
    "mustBeGreaterThan": (5, [5.1], [5, 4]),
    "mustBeGreaterOrEqualTo": (5, [5, 6], [4.9]),
    "mustBeLessThan": (5, [4.9], [5, 6]),
    "mustBeLessOrEqualTo": (5, [5, -1], [5.1]),
    "mustBeBetween": ([5, 7], [5, 6, 7], [4.9, 7.1]),
    "mustNotBeBetween": ([5, 7], [4.9, 7.1], [5, 6, 7]),
}
limits = st.sampled_from(sorted(OPERATORS)).flatmap(
    lambda operator: st.lists(
        st.integers(-3, 3),
        min_size=1 + operator.endswith("Between"),
        max_size=1 + operator.endswith("Between"),
    ).map(lambda numbers: Limit(operator, tuple(map(Decimal, sorted(numbers)))))
)


def test_every_operator_is_tried() -> None:
    assert HOLDS.keys() == OPERATORS


@pytest.mark.parametrize("operator", HOLDS)
def test_a_limit_holds_as_the_standard_says(operator: str) -> None:
    value, within, without = HOLDS[operator]
    limit = read_limit({operator: value, "name": "x"}, Place())
    assert all(limit.holds(Decimal(str(number))) for number in within)
    assert not any(limit.holds(Decimal(str(number))) for number in without)


@given(limits, limits)
def test_what_one_limit_allows_of_another_holds_for_every_number(one: Limit, other: Limit) -> None:
    tried = [Decimal(n) / 2 for n in range(-9, 10)]
    assert one.allows(other) == all(one.holds(n) for n in tried if other.holds(n))


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({}, "expected one of mustBe, "),
        ({"mustBe": 1, "mustBeLessThan": 2}, "expected one of mustBe, "),
        ({"mustBe": "1"}, "mustBe: expected a number, without quotes"),
        ({"mustBe": True}, "mustBe: expected a number"),
        ({"mustBe": float("nan")}, "mustBe: expected a number"),
        ({"mustBeBetween": 1}, "mustBeBetween: expected a list"),
        ({"mustBeBetween": [1]}, "mustBeBetween: expected two numbers"),
        ({"mustBeBetween": [2, 1]}, "mustBeBetween: expected two numbers, the smaller first"),
    ],
)
def test_what_no_number_can_be_held_against_is_refused(rule: dict[str, Any], says: str) -> None:
    with pytest.raises(ContractError) as refusal:
        read_limit(rule, Place())
    assert says in str(refusal.value)


def test_a_query_may_find_a_truth() -> None:
    limit = read_limit({"mustBe": True}, Place(), may_be_boolean=True)
    assert (limit.holds(Decimal(1)), limit.holds(Decimal(0))) == (True, False)
    assert str(read_limit({"mustBeBetween": [0.5, 1e3]}, Place())) == "from 0.5 to 1000.0"
