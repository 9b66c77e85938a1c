"""One summary of what stands and nobody has taken on; and no answer is given unseen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.answers import AT, closed, taken
from tests.support.consoles import NOW, SCRIPT, removed
from tests.support.findings import finding

from custody.core.answers.model import Answer
from custody.core.paging.form import MAX_MESSAGE_BYTES, MAX_SUBJECT, Page, document_of
from custody.core.paging.reminding import (
    REMIND_AFTER,
    TELL_ANSWERS,
    Answered,
    Standing,
    reminder,
)

OLD = NOW - timedelta(days=3)


def page(standing: list[Standing], answers: list[Answer]) -> Page | None:
    return reminder(standing, [Answered(answer, removed()) for answer in answers], now=NOW)


def told(found: Page | None) -> Page:
    assert found is not None
    return found


def test_without_anything_nobody_is_told() -> None:
    assert page([], []) is None


def test_what_was_just_found_is_not_told_again() -> None:
    assert page([Standing(removed(), NOW - REMIND_AFTER + timedelta(seconds=1))], []) is None
    assert page([Standing(removed(), NOW - REMIND_AFTER)], []) is not None


def test_all_that_stands_is_one_page() -> None:
    broken = finding("TRAIL_BROKEN", version_id="v9")
    found = told(page([Standing(broken, OLD), *[Standing(removed(SCRIPT), OLD)] * 40], []))
    assert (
        found.subject == "STANDING (critical) 41 findings stand and nobody has taken on, 0 answered"
    )
    assert "what     1 TRAIL_BROKEN, 40 REMOVED" in found.message
    assert found.message.count('REMOVED "s3://') == 9
    assert found.message_attributes == {
        "verdict": "STANDING",
        "severity": "critical",
        "status": "open",
    }
    document = document_of(found.message)
    assert isinstance(document, dict)
    assert (document["findings"], document["answers"]) == (41, 0)
    assert found.states == ()


def test_what_belongs_to_another_is_told_with_it() -> None:
    """Once that one has been taken on, or was just found, it is told by itself."""
    change = finding("CONTROL_CHANGED", bucket="AwsControl", object_key="iam/role/x/policy")
    both = told(page([Standing(removed(), OLD), Standing(change, OLD)], []))
    assert "1 finding stands" in both.subject
    assert "what     1 REMOVED\n  with 1 changes of controls, their causes\n" in both.message
    document = document_of(both.message)
    assert isinstance(document, dict)
    assert (document["findings"], document["causes"]) == (1, 1)
    for others in ([], [Standing(removed(), NOW)]):
        alone = told(page([*others, Standing(change, OLD)], []))
        assert "what     1 CONTROL_CHANGED\n" in alone.message


def test_who_mutes_a_finding_is_told_to_all() -> None:
    """An acknowledgement that an intruder puts to be left alone is the one thing that is told."""
    muted = told(page([], [taken(user="mallory", reason="nothing\nserious", days=30)]))
    assert muted.subject == "STANDING (high) 0 findings stand and nobody has taken on, 1 answered"
    assert "mallory (by Airflow's word" in muted.message
    assert '"nothing\\u000aserious"' in muted.message
    assert "acknowledged until 2026-12-01T12:38:00.000Z" in muted.message
    assert removed().object_key in muted.message


def test_who_answers_much_after_it_hides_no_answer() -> None:
    later = [taken(at=AT + timedelta(seconds=number)) for number in range(1, 60)]
    muted = told(page([], [*later, taken(user="mallory", reason="nothing serious", days=30)]))
    assert "mallory (by Airflow's word" in muted.message
    assert "more, which the console" not in muted.message
    many = told(page([], [*later * 10, taken(user="mallory")]))
    assert "answers  591 in the last 2 days" in many.message
    assert "  and 391 more, which the console names\n" in many.message


def test_an_answer_is_told_for_two_days_and_then_no_more() -> None:
    assert page([], [closed(at=NOW - TELL_ANSWERS)]) is None
    assert page([], [closed(at=NOW - TELL_ANSWERS + timedelta(milliseconds=1))]) is not None


def test_an_answer_to_what_no_run_found_names_the_fingerprint() -> None:
    found = told(reminder([], [Answered(taken(finding="f" * 64), None)], now=NOW))
    assert f"finding {'f' * 64}" in found.message


@pytest.mark.parametrize("character", ["k", "é", "\U0001f600", '"', "\x01"])
def test_a_thousand_of_the_longest_fit(character: str) -> None:
    key = character * (1024 // len(character.encode()))
    long = removed(key, principal_arn=character * 5000)
    answer = taken(reason=character * 1000, user=character * 250, at=AT)
    answers = [Answered(answer, long)] * 1000
    found = told(reminder([Standing(long, OLD)] * 1000, answers, now=NOW))
    assert "1000 findings stand" in found.message
    assert "answers  1000 in the last 2 days" in found.message
    assert len(found.by_protocol.encode()) <= MAX_MESSAGE_BYTES
    assert len(found.subject) <= MAX_SUBJECT
