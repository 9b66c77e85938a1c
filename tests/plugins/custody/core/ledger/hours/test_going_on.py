"""A run goes on from the one before it, and leaves no hour behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from custody.core.ledger.hours.going_on import HoleInTheChain, next_link, reached_before
from custody.core.ledger.hours.windows import Window
from custody.core.runs.chain import Link, Reached

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WINDOW = Window(NOON - 4 * HOUR, NOON, NOON + timedelta(minutes=35), timedelta(minutes=30))
LINK = Link(Reached(NOON - HOUR, NOON - HOUR, NOON - 3 * HOUR), None)


def test_the_first_run_begins_with_its_window_and_the_next_go_on() -> None:
    begun = reached_before(None, WINDOW)
    assert begun == Reached.nothing(WINDOW.start)
    first = next_link(None, begun, WINDOW)
    assert first == Link(Reached(NOON, NOON, WINDOW.start), None)
    later = replace(WINDOW, start=NOON - HOUR, end=NOON + HOUR, as_of=WINDOW.as_of + HOUR)
    second = next_link("provenance/runs/x", reached_before(first, later), later)
    assert (second.previous, second.reached.judged) == ("provenance/runs/x", NOON + HOUR)


def test_a_window_behind_hours_that_nobody_has_judged_is_refused() -> None:
    beyond = replace(WINDOW, start=NOON, end=NOON + HOUR)
    assert reached_before(replace(LINK, reached=replace(LINK.reached, judged=NOON)), beyond)
    with pytest.raises(HoleInTheChain, match=r"from 2026-11-01T11:00.* to 2026-11-01T12:00"):
        reached_before(LINK, beyond)


def test_a_run_that_awaits_no_event_closes_no_hour_to_those_that_do() -> None:
    """Who works in Airflow chooses how long a run waits: what CloudTrail tells late is found."""
    long_ago = replace(WINDOW, as_of=WINDOW.end + 40 * HOUR, delivery=timedelta())
    link = next_link(None, reached_before(None, long_ago), long_ago)
    assert link.reached.closed == WINDOW.start
