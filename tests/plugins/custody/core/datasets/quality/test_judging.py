"""Whether a day keeps its rules: by numbers alone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from custody.core.datasets.quality.judging import (
    Judged,
    Measured,
    days_compared,
    judge,
    weekdays_before,
)
from custody.core.datasets.quality.limits import Limit
from custody.core.datasets.quality.results import QualityResult
from custody.core.datasets.quality.rules import (
    Freshness,
    Measure,
    Nulls,
    Query,
    RowCount,
    Rule,
    SameWeekdays,
    Severity,
    Unit,
    Unresolved,
)

DAY = date(2026, 11, 22)
OF = Judged("orders", "silver_orders", DAY, "jr_1", "1.0.0", "2026-11-23T06:00:00.000Z")


def rule(measure: Measure, operator: str, *numbers: float, unit: Unit = Unit.ROWS) -> Rule:
    limit = Limit(operator, tuple(Decimal(str(n)) for n in numbers))
    return Rule("r", measure, limit, unit, Severity.ERROR, None, "")


def result(one: Rule, measured: Measured) -> QualityResult:
    (found,) = judge([one], measured, OF)
    return found


def test_the_rows_of_a_day() -> None:
    enough = rule(RowCount(), "mustBeGreaterThan", 0)
    assert result(enough, Measured(1, {})).outcome == "passed"
    empty = result(enough, Measured(0, {}))
    assert (empty.outcome, empty.row_count) == ("failed", 0)
    assert str(empty) == "silver_orders, r: expected more than 0 rows, found 0 rows"


def test_a_share_is_of_the_rows_of_the_day_and_of_none_it_is_nothing() -> None:
    few = rule(Nulls("x"), "mustBeLessThan", 10, unit=Unit.PERCENT)
    shares = [
        result(few, Measured(rows, {"r": Decimal(n)})) for n, rows in ((1, 3), (1, 10), (0, 0))
    ]
    assert [(each.found, each.outcome) for each in shares] == [
        ("33.3333", "failed"),
        ("10", "failed"),
        ("0", "passed"),
    ]


@pytest.mark.parametrize(
    ("published", "outcome", "found"),
    [
        ({15: 100, 8: 90, 1: 400}, "passed", "100"),
        ({15: 300}, "failed", "33.3333"),
        ({15: 50, 8: 150}, "passed", "100"),
        ({15: 0}, "skipped", None),
        ({}, "skipped", None),
        ({16: 1, 21: 1}, "skipped", None),
    ],
    ids=["the median", "far from it", "of two", "of none", "never", "other weekdays"],
)
def test_rows_are_compared_with_the_same_weekday(
    published: dict[int, int], outcome: str, found: str | None
) -> None:
    usual = rule(SameWeekdays(3), "mustBeBetween", 50, 200, unit=Unit.PERCENT)
    assert days_compared([usual], DAY) == weekdays_before(DAY, 3)
    before = {date(2026, 11, day): rows for day, rows in published.items()}
    judged = result(usual, Measured(100, {}, before))
    assert (judged.outcome, judged.found) == (outcome, found)


def test_it_is_told_what_was_compared_with() -> None:
    usual = rule(SameWeekdays(3), "mustBeBetween", 50, 200, unit=Unit.PERCENT)
    before = {date(2026, 11, 15): 7, date(2026, 11, 1): 9}
    assert (
        result(usual, Measured(8, {}, before)).compared_with == "7 of 2026-11-15, 9 of 2026-11-01"
    )
    assert days_compared([rule(RowCount(), "mustBe", 1)], DAY) == ()


def test_the_clock_of_freshness_is_the_day() -> None:
    fresh = rule(Freshness("x"), "mustBeLessOrEqualTo", 6, unit=Unit.HOURS)

    def of(*at: int) -> QualityResult:
        newest = Decimal(int(datetime(*at, tzinfo=UTC).timestamp()))  # type: ignore[arg-type,misc]
        return result(fresh, Measured(1, {"r": newest}))

    assert (of(2026, 11, 22, 18).outcome, of(2026, 11, 22, 18).found) == ("passed", "6")
    assert (of(2026, 11, 22, 17, 30).outcome, of(2026, 11, 22, 17, 30).found) == ("failed", "6.5")
    assert result(fresh, Measured(1, {"r": None})).outcome == "failed"
    assert str(result(fresh, Measured(1, {"r": None}))).endswith("found nothing")


def test_a_reference_says_where_it_was_looked_for() -> None:
    known = rule(Unresolved("x", "customers", "customer_id", 1), "mustBe", 0)
    measured = Measured(3, {"r": Decimal(1)}, resolved_by={"r": "customers of no day"})
    judged = result(known, measured)
    assert (judged.outcome, judged.compared_with) == ("failed", "customers of no day")


def test_a_warning_publishes() -> None:
    least = rule(Query("SELECT 1 FROM {object}"), "mustBe", 2, unit=Unit.NONE)
    warned = Rule("r", least.measure, least.limit, least.unit, Severity.WARNING, None, "")
    assert result(least, Measured(1, {"r": Decimal(1)})).has_failed
    assert result(warned, Measured(1, {"r": Decimal(1)})).outcome == "warned"
    assert result(least, Measured(1, {"r": None})).has_failed
