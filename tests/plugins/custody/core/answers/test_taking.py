"""Whether somebody has taken on a finding that stands."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.support.answers import AT, closed, taken

from custody.core.answers.model import Answer
from custody.core.answers.taking import Taken, taken_on

SINCE = AT - timedelta(hours=1)
MOMENT = timedelta(milliseconds=1)


def state(
    *answers: Answer, since: datetime = SINCE, found: datetime = SINCE, now: datetime = AT
) -> Taken:
    return taken_on(answers, since=since, found_at=found, now=now).state


def test_without_an_answer_nobody_has() -> None:
    assert state() is Taken.NOBODY


def test_what_was_acknowledged_is_until_it_ends() -> None:
    end = AT + timedelta(days=1)
    assert state(taken()) is Taken.ACKNOWLEDGED
    assert state(taken(), now=end - MOMENT) is Taken.ACKNOWLEDGED
    assert state(taken(), now=end) is Taken.EXPIRED


def test_that_a_run_finds_it_again_ends_what_is_closed_alone() -> None:
    again = AT + MOMENT
    assert state(closed()) is Taken.CLOSED
    assert state(closed(), now=AT + timedelta(days=400)) is Taken.CLOSED
    assert state(closed(), found=again, now=again) is Taken.EXPIRED
    assert state(taken(), found=again, now=again) is Taken.ACKNOWLEDGED


def test_nobody_answers_in_advance() -> None:
    """A fingerprint can be worked out before a run finds it; an answer of a time to come waits."""
    assert state(taken(), since=AT + MOMENT, now=AT + timedelta(hours=2)) is Taken.NOBODY
    assert state(closed(), since=AT + MOMENT, now=AT + timedelta(hours=2)) is Taken.NOBODY
    assert state(taken(), now=AT - MOMENT) is Taken.NOBODY


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_answers_the_last_counts(turned: bool) -> None:
    first = taken(days=30)
    for second, found in (
        (taken(at=AT + MOMENT, days=1), Taken.EXPIRED),
        (closed(at=AT + MOMENT), Taken.CLOSED),
    ):
        given = [first, second][:: -1 if turned else 1]
        assert state(*given, now=AT + timedelta(days=2)) is found
    reopened = [closed(), taken(at=AT + MOMENT)]
    assert state(*reopened, now=AT + MOMENT) is Taken.ACKNOWLEDGED


def test_only_an_answer_that_has_not_ended_holds() -> None:
    end = AT + timedelta(days=1)
    for answers, now, holds in (
        ((), AT, False),
        ((taken(),), AT, True),
        ((taken(),), end, False),
        ((closed(),), end, True),
    ):
        assert taken_on(answers, since=SINCE, found_at=SINCE, now=now).holds is holds
