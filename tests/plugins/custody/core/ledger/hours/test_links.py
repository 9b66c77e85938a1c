"""What a run states of the hours it judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from custody.core.formats.untrusted import MalformedInput
from custody.core.ledger.hours.chain import Reached
from custody.core.ledger.hours.links import HoleInTheChain, Link, next_link, reached_before
from custody.core.ledger.hours.windows import Window

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WINDOW = Window(NOON - 4 * HOUR, NOON, NOON + timedelta(minutes=35), timedelta(minutes=30))
REACHED = Reached(NOON - HOUR, NOON - HOUR, NOON - 3 * HOUR)
LINK = Link(
    "jr_1", NOON + timedelta(seconds=2.5), WINDOW.start, WINDOW.end, REACHED, "audit/chain/x"
)


@pytest.mark.parametrize("link", [LINK, replace(LINK, previous=None)])
def test_a_link_is_read_back_and_lies_where_it_is_found_by_its_time(link: Link) -> None:
    assert Link.from_text(link.to_text()) == link
    assert link.key == "audit/chain/dt=2026-11-01/120002500-jr_1"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "must begin with"),
        (LINK.to_text().replace("v1", "v2"), "must begin with"),
        (LINK.to_text().replace("jr_1", "../jr_1"), "is no job run id"),
        (LINK.to_text().replace("2026-11-01T11", "tomorrow"), "judged"),
        (LINK.to_text() + "{}", "not JSON"),
    ],
)
def test_what_is_no_link_is_refused(text: str, problem: str) -> None:
    with pytest.raises(MalformedInput, match=problem):
        Link.from_text(text)


def test_the_first_run_begins_with_its_window_and_the_next_go_on() -> None:
    begun = reached_before(None, WINDOW)
    assert begun == Reached.nothing(WINDOW.start)
    first = next_link(None, begun, WINDOW, run_id="jr_1")
    assert (first.previous, first.reached) == (None, Reached(NOON, NOON, WINDOW.start))
    later = replace(WINDOW, start=NOON - HOUR, end=NOON + HOUR, as_of=WINDOW.as_of + HOUR)
    second = next_link(first, reached_before(first, later), later, run_id="jr_2")
    assert (second.previous, second.reached.judged) == (first.key, NOON + HOUR)


def test_a_window_behind_hours_that_nobody_has_judged_is_refused() -> None:
    beyond = replace(WINDOW, start=NOON, end=NOON + HOUR)
    assert reached_before(replace(LINK, reached=replace(REACHED, judged=NOON)), beyond)
    with pytest.raises(HoleInTheChain, match=r"from 2026-11-01T11:00.* to 2026-11-01T12:00"):
        reached_before(LINK, beyond)


@pytest.mark.parametrize(("ended", "is_of_now"), [(0, True), (1, True), (2, False)])
def test_a_window_of_long_ago_is_not_of_now(ended: int, is_of_now: bool) -> None:
    moved = replace(WINDOW, start=WINDOW.start - ended * HOUR, end=WINDOW.end - ended * HOUR)
    assert moved.is_of_now is is_of_now
