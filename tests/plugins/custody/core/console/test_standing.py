"""What stands is what the runs' own words say, replayed through the rule that pages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.support.consoles import NOW, POLICY, read_run, removed, run
from tests.support.findings import finding

from custody.core.console.standing import (
    OLDEST,
    ReadRun,
    age_of,
    by_severity_and_age,
    left_out,
    standing_findings,
)
from custody.core.paging.changes import Status
from custody.core.paging.found import Found

UNRECORDED = finding("UNRECORDED")
VERIFIED = finding("VERIFIED")


def test_a_finding_stands_from_the_run_that_found_it() -> None:
    found = standing_findings([read_run(8, UNRECORDED), read_run(9, UNRECORDED)])
    (standing,) = found.values()
    assert standing.is_open
    assert standing.since == run(8).as_of
    assert standing.last == run(9)
    assert [news.status for news in standing.history] == [Status.OPEN]


def test_it_is_resolved_by_the_run_that_says_so_and_reopened_by_another() -> None:
    watched = (UNRECORDED.fingerprint,)
    runs = [read_run(8, UNRECORDED), read_run(9, VERIFIED, watched=watched)]
    (standing,) = standing_findings(runs).values()
    assert not standing.is_open
    assert standing.now == VERIFIED
    (standing,) = standing_findings([*runs, read_run(10, UNRECORDED)]).values()
    assert standing.is_open
    assert standing.since == run(10).as_of
    assert [news.status for news in standing.history] == [
        Status.OPEN,
        Status.RESOLVED,
        Status.REOPENED,
    ]


def test_the_order_in_which_runs_were_read_changes_nothing() -> None:
    runs = [read_run(8, UNRECORDED), read_run(9, VERIFIED, watched=(UNRECORDED.fingerprint,))]
    assert standing_findings(runs) == standing_findings(reversed(runs))


def test_a_missing_row_resolves_nothing() -> None:
    """Whoever takes a page's state away keeps it from being watched; here it stands."""
    (standing,) = standing_findings([read_run(8, UNRECORDED), read_run(9)]).values()
    assert standing.is_open
    assert standing.last == run(8)


def test_a_removal_is_never_resolved() -> None:
    watched = (removed().fingerprint,)
    (standing,) = standing_findings([read_run(8, removed()), read_run(9, watched=watched)]).values()
    assert standing.is_open


def test_causes_stand_beside_what_they_may_have_led_to_and_by_themselves() -> None:
    change = finding(
        "CONTROL_CHANGED",
        bucket="AwsControl",
        object_key="lambda/function/recorder/code",
        event_time="2026-11-01T05:30:00Z",
    )
    found = standing_findings([read_run(8, UNRECORDED, change)])
    assert found[UNRECORDED.fingerprint].is_open
    assert found[change.fingerprint].is_open
    assert found[change.fingerprint].history[0].status is Status.OPEN


def test_the_most_urgent_come_first_then_the_newest() -> None:
    old = removed("old", event_time="2026-11-01T04:00:00Z")
    new = removed("new", event_time="2026-11-01T05:00:00Z")
    worst = finding("ALTERED")
    found = standing_findings([read_run(8, old, new, UNRECORDED, worst)])
    assert [each.finding for each in found.values()] == [worst, new, old, UNRECORDED]


@pytest.mark.parametrize(
    ("hours", "age"),
    [(0.5, "under an hour"), (2, "under a day"), (48, "under a week"), (200, OLDEST)],
)
def test_the_age_counts_from_when_a_run_found_it(hours: float, age: str) -> None:
    (standing,) = standing_findings([read_run(8, UNRECORDED)]).values()
    assert age_of(standing, run(8).as_of + timedelta(hours=hours)) == age


def test_only_what_stands_is_counted() -> None:
    runs = [
        read_run(8, UNRECORDED, removed(), finding("ALTERED", object_key="b")),
        read_run(9, VERIFIED, watched=(UNRECORDED.fingerprint,)),
    ]
    counts = by_severity_and_age(standing_findings(runs).values(), NOW)
    assert {severity: sum(ages.values()) for severity, ages in counts.items()} == {
        "critical": 1,
        "high": 1,
    }


def test_what_is_only_counted_is_told_at_most() -> None:
    cause, other = ("REMOVED", "arn:a"), ("REMOVED", None)
    runs = [
        ReadRun(run(8), {}, Found((), {cause: 3, other: 0}), POLICY),
        ReadRun(run(9), {}, Found((), {cause: 2}), POLICY),
    ]
    assert left_out(runs) == {cause: 5}
