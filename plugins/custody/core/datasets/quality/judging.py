"""Whether a day's table keeps its rules, by what was measured of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from statistics import median

from custody.core.datasets.quality.results import Outcome, QualityResult
from custody.core.datasets.quality.rules import (
    Freshness,
    Rule,
    SameWeekdays,
    Severity,
    Unit,
    Unresolved,
)


@dataclass(frozen=True, slots=True)
class Judged:
    """What is judged: a table of a day, as one run made it."""

    dataset: str
    table: str
    day: date
    run: str
    contract_version: str
    judged_at: str


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a table.

    `counts` are by the rule's name: rows (or values) that break it, what a query found, and for
    freshness the newest value's seconds since 1970; None where there is none. `published` are the
    rows of earlier days, as these are published. `resolved_by` says, by the rule's name, which days
    of another dataset were read.
    """

    rows: int
    counts: Mapping[str, Decimal | None]
    published: Mapping[date, int] = field(default_factory=dict)
    resolved_by: Mapping[str, str] = field(default_factory=dict)


def weekdays_before(day: date, weeks: int) -> tuple[date, ...]:
    """The same weekday in so many weeks before, the last one first."""
    return tuple(day - timedelta(weeks=week) for week in range(1, weeks + 1))


def days_compared(rules: Sequence[Rule], day: date) -> tuple[date, ...]:
    """The earlier days whose rows some rule compares with."""
    weeks = [rule.measure.weeks for rule in rules if isinstance(rule.measure, SameWeekdays)]
    return weekdays_before(day, max(weeks, default=0))


def judge(rules: Sequence[Rule], measured: Measured, of: Judged) -> tuple[QualityResult, ...]:
    """What became of each rule."""
    return tuple(_judge(rule, measured, of) for rule in rules)


def _judge(rule: Rule, measured: Measured, of: Judged) -> QualityResult:
    found, compared_with = _found(rule, measured, of.day)
    if found is not None and rule.limit.holds(found):
        outcome = Outcome.PASSED
    elif found is None and isinstance(rule.measure, SameWeekdays):
        outcome = Outcome.SKIPPED
    else:
        is_error = rule.severity is Severity.ERROR
        outcome = Outcome.FAILED if is_error else Outcome.WARNED
    return QualityResult(
        dataset=of.dataset,
        table_name=of.table,
        rule=rule.name,
        dimension=rule.dimension,
        severity=rule.severity.value,
        outcome=outcome.value,
        found=None if found is None else _shown(found),
        unit=rule.unit.value,
        expected=rule.expected,
        compared_with=compared_with,
        row_count=measured.rows,
        run=of.run,
        contract_version=of.contract_version,
        judged_at=of.judged_at,
    )


def _found(rule: Rule, measured: Measured, day: date) -> tuple[Decimal | None, str | None]:
    """The number that the limit is for, and what it was compared with."""
    match rule.measure:
        case SameWeekdays(weeks):
            return _of_weekdays(measured, weekdays_before(day, weeks))
        case Freshness():
            newest = measured.counts[rule.name]
            end = datetime.combine(day + timedelta(days=1), time(), UTC)
            hours = None if newest is None else (Decimal(int(end.timestamp())) - newest) / 3600
            return hours, None
        case Unresolved():
            return _counted(rule, measured), measured.resolved_by[rule.name]
        case _:
            return _counted(rule, measured), None


def _of_weekdays(measured: Measured, days: Sequence[date]) -> tuple[Decimal | None, str | None]:
    known = {day: measured.published[day] for day in days if day in measured.published}
    usual = Decimal(median(known.values())) if known else Decimal(0)
    told = ", ".join(f"{rows} of {day}" for day, rows in known.items()) or None
    return (None if not usual else 100 * measured.rows / usual), told


def _counted(rule: Rule, measured: Measured) -> Decimal | None:
    count = measured.counts.get(rule.name, Decimal(measured.rows))
    if rule.unit is not Unit.PERCENT or count is None:
        return count
    return 100 * count / measured.rows if measured.rows else Decimal(0)


def _shown(found: Decimal) -> str:
    """A number as people read it: no more than four places, and no zeros behind them."""
    text = f"{found:.4f}"
    return text.rstrip("0").rstrip(".")
