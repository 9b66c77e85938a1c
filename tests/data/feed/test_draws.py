"""Draws are the same for ever: the committed samples hang on these very numbers."""

import pytest

from feed.draws import Draws

PINNED = [
    33,
    43,
    359,
    461,
    162,
    569,
    162,
    874,
    539,
    382,
    798,
    389,
    671,
    124,
    893,
    302,
    16,
    932,
    60,
    198,
]


def test_same_name_same_numbers() -> None:
    assert [Draws("a", 1).below(1000) for _ in range(3)] == [Draws("a", 1).below(1000)] * 3


def test_numbers_are_pinned() -> None:
    draws = Draws(20261101, "customer", 42)
    assert [draws.below(1000) for _ in range(20)] == PINNED


def test_parts_of_a_name_do_not_run_together() -> None:
    assert Draws("a", "bc").below(2**31) != Draws("ab", "c").below(2**31)


@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
def test_all_numbers_below_the_limit_and_no_other(limit: int) -> None:
    draws = Draws("limit", limit)
    assert {draws.below(limit) for _ in range(20 * limit + 20)} == set(range(limit))


def test_chance_is_per_mille() -> None:
    draws = Draws("chance")
    assert 220 < sum(draws.chance(250) for _ in range(1000)) < 280
    assert not any(draws.chance(0) for _ in range(100))
    assert all(draws.chance(1000) for _ in range(100))
