"""The chain of runs has no hole, and what was final stays it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.core.runs.chain import DIGEST_DUE, SWEPT_EVERY, Reached
from custody.core.runs.whole_hours import HOUR, MAX_HOURS, floor_hour
from custody.core.trail.span import LATEST_DELIVERY

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
GRACE = timedelta(minutes=30)
LOOKBACK = 3 * HOUR
CLOSED_AFTER = LATEST_DELIVERY + DIGEST_DUE


def at(hours: float) -> datetime:
    return BEGIN + hours * HOUR


def judged(
    reached: Reached,
    start: float,
    end: float,
    as_of: float,
    grace: timedelta = GRACE,
) -> Reached:
    return reached.after(at(start), at(end), as_of=at(as_of), grace=grace)


def test_a_run_goes_on_from_where_the_one_before_came_to() -> None:
    reached = judged(Reached.nothing(BEGIN), 0, 4, 4.6)
    assert reached == Reached(at(4), at(4), BEGIN)
    assert reached.owed(at(5), LOOKBACK) == (at(1), at(5))


def test_an_hour_whose_grace_has_not_passed_is_not_final() -> None:
    reached = judged(Reached.nothing(BEGIN), 0, 4, 4.6, grace=2 * HOUR)
    assert reached == Reached(at(4), at(2), BEGIN)


def test_an_hour_is_closed_when_the_digests_that_prove_its_deliveries_are_there() -> None:
    before = Reached(at(60), at(60), BEGIN)
    assert judged(before, 0, 60, CLOSED_AFTER / HOUR + 10.9).closed == at(10)
    # By a run that judges it: what came late for the others is not in what they found.
    assert judged(before, 57, 60, CLOSED_AFTER / HOUR + 10.9).closed == BEGIN


def test_missed_hours_are_owed_oldest_first_and_bounded() -> None:
    reached = Reached(at(60), at(60), at(10))
    away = 300
    start, end = reached.owed(at(60 + away), LOOKBACK)
    assert (start, end) == (at(10), at(10 + MAX_HOURS))
    reached = reached.after(start, end, as_of=at(60 + away), grace=GRACE)
    assert reached == Reached(end, end, end)


@pytest.mark.parametrize(
    "run",
    [(20, 24, 100), (1, 4, 100), (0, 0, 100)],
    ids=["beyond a hole", "what is closed", "nothing"],
)
def test_a_run_elsewhere_moves_nothing(run: tuple[float, float, float]) -> None:
    reached = Reached(at(12), at(12), at(8))
    assert judged(reached, *run) == reached


def test_a_longer_grace_takes_nothing_back() -> None:
    """As whoever wants a finding to be pending again would have it."""
    reached = Reached(at(12), at(12), at(8))
    week = 7 * 24 * HOUR
    again = judged(reached, 8, 13, 13.5, grace=week)
    assert (again.recorded, again.closed) == (at(12), at(8))


def test_an_hour_that_is_not_over_is_not_judged() -> None:
    assert judged(Reached.nothing(BEGIN), 0, 96, 4.6).judged == at(4)


@pytest.mark.parametrize("away", [1, 5, 70, 300])
def test_the_hours_before_the_last_run_are_owed_once_more_however_closed(away: int) -> None:
    """Whoever has the key sign that all is judged and closed until now does so in one of them."""
    forged = Reached(at(12), at(12), at(12))
    start, _ = forged.owed(at(12 + away), LOOKBACK)
    assert start == at(9)


WEEKS = 24 * 21

runs = st.lists(
    st.tuples(
        # Mostly every hour; now and then Airflow is away for days.
        st.one_of(st.just(1.0), st.floats(0.1, 3.0), st.floats(12.0, 200.0)),
        st.sampled_from([GRACE, timedelta(0), 4 * HOUR]),
    ),
    min_size=1,
    max_size=60,
)


@given(runs)
def test_every_hour_is_judged_and_closed_however_long_nothing_ran(
    gaps: list[tuple[float, timedelta]],
) -> None:
    """And never before everything that tells of it is there."""
    reached, now = Reached.nothing(BEGIN), BEGIN
    seen: set[datetime] = set()
    for wait, grace in [*gaps, *[(1.0, GRACE)] * WEEKS]:
        now += wait * HOUR
        latest = floor_hour(now - grace)
        start, end = reached.owed(latest, LOOKBACK)
        assert HOUR <= end - start <= MAX_HOURS * HOUR
        assert start <= reached.judged
        assert start >= min(reached.closed, latest - HOUR) - LOOKBACK
        seen.update(start + n * HOUR for n in range((end - start) // HOUR))
        after = reached.after(start, end, as_of=now, grace=grace)
        assert BEGIN <= reached.closed <= after.closed <= after.recorded <= after.judged
        assert after.recorded >= reached.recorded
        assert after.closed <= max(reached.closed, now - CLOSED_AFTER)
        reached = after
    # At the end all have been judged, and what is open is what may still change.
    assert seen >= {BEGIN + n * HOUR for n in range((reached.judged - BEGIN) // HOUR)}
    assert now - reached.judged < GRACE + 2 * HOUR
    assert now - reached.closed < CLOSED_AFTER + SWEPT_EVERY + 4 * HOUR
