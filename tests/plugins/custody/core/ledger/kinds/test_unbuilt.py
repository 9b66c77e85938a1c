"""Nothing that landed is forgotten: what no run reads is found, and says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from custody.core.ledger.kinds.at_rest import HeldVersion
from custody.core.ledger.kinds.unbuilt import (
    DayShown,
    Published,
    day_of,
    may_be_unbuilt,
    unbuilt_row,
)
from custody.core.ledger.policy import Policy
from custody.core.lineage.model import ReadBy, Run
from custody.core.paging.findings import is_finding
from custody.core.publications.model import Asked, Publication, Shown, Why
from custody.objects import ObjectVersion

LANDED = datetime(2026, 11, 2, 1, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
DUE = LANDED + timedelta(days=1)
GOOD = "incoming/customers/dt=2026-11-01/a.csv"
NO_KEY = "No run looks under its key"


def held(key: str = GOOD, bucket: str = "raw", size_bytes: int = 7, **fields: bool) -> HeldVersion:
    version = ObjectVersion(bucket, key, "v1")
    return HeldVersion(version, LANDED, **{"is_marker": False, **fields}, size_bytes=size_bytes)


def policy(as_of: datetime) -> Policy:
    return Policy(
        as_of=as_of,
        grace=HOUR,
        layers={"raw": "bronze", "processed": "silver"},
        writers={},
        recorders=(),
    )


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (GOOD, "after the run of that day"),
        ("incoming/Customers/dt=2026-11-01/a.csv", "nobody builds this dataset"),
        ("incoming/orders/dt=2026-11-01/a.csv", "nobody builds this dataset"),
        ("incoming/customers/DT=2026-11-01/a.csv", NO_KEY),
        ("incoming/customers/dt=2026-13-45/a.csv", NO_KEY),
        ("incoming/customers/dt=2026-11-1/a.csv", NO_KEY),
        ("incoming/customers/dt=2026-11-01", NO_KEY),
        ("incoming/customers/a.csv", NO_KEY),
        ("incoming/customers/x/dt=2026-11-01/a.csv", NO_KEY),
        ("Incoming/customers/dt=2026-11-01/a.csv", NO_KEY),
        ("incoming/customers/dt=\u0662\u0660\u0662\u0666-11-01/a.csv", NO_KEY),
        ("incoming/customers/dt=2026-11-01/a.csv/", "Its key ends in /"),
        ("incoming/customers/dt=2062-11-01/a.csv", "more than 7 days away"),
        ("incoming/smoke/dt=2026-11-01/a.csv", "nobody builds this dataset"),
    ],
)
def test_what_no_run_reads_is_a_finding_after_a_day(key: str, reason: str) -> None:
    assert not may_be_unbuilt(held(key), policy(DUE - HOUR))
    assert may_be_unbuilt(held(key), policy(DUE))

    row = unbuilt_row(held(key), [], Published({}, None), policy(DUE))

    assert row is not None
    assert (row.verdict, row.object_key, row.event_time) == ("UNBUILT", key, DUE)
    assert reason in row.verdict_reason
    assert row.verdict_reason.startswith("It lies in bronze since 2026-11-02T01:30:00Z")
    assert row.principal_arn is None
    assert is_finding(row)


def test_a_file_waits_for_the_end_of_its_day() -> None:
    early = held(GOOD.replace("11-01", "11-05"))

    assert not may_be_unbuilt(early, policy(datetime(2026, 11, 6, 23, tzinfo=UTC)))
    assert may_be_unbuilt(early, policy(datetime(2026, 11, 7, tzinfo=UTC)))


@pytest.mark.parametrize(
    "other",
    [
        held(is_latest=False),
        held(is_marker=True),
        held(bucket="processed"),
        held("incoming/customers/dt=2026-11-01/", size_bytes=0),
        held("incoming/smoke/dt=2026-11-01/a.txt", size_bytes=6),
    ],
)
def test_what_is_not_to_be_read_is_not_waited_for(other: HeldVersion) -> None:
    assert not may_be_unbuilt(other, policy(DUE + timedelta(days=300)))


def test_the_day_of_a_key() -> None:
    assert day_of(GOOD) == day_of(GOOD.replace("a.csv", "b/c.csv")) == date(2026, 11, 1)


# What is shown

STATED = LANDED + HOUR
PUBLISHED = STATED + HOUR
READ = ReadBy("customers", Run("2026-11-01", "jr_read"), STATED)


def shown(run_id: str, why: Why = Why.BUILD, dataset: str = "customers") -> DayShown:
    publication = Publication(
        dataset,
        "2026-11-01",
        2,
        "2026-11-02T03:30:00.000Z",
        why,
        Asked("manual__1", 0, "ada", "for a reason"),
        (Shown(f"silver_{dataset}", run_id, f"s3://x/run={run_id}/"),),
    )
    return DayShown(publication, PUBLISHED)


def published(*days: DayShown, first: datetime | None = LANDED) -> Published:
    by_day = {(day.publication.dataset, day.publication.dt): day for day in days}
    return Published(by_day, first)


def why_unbuilt(
    what: Published, *, readers: Sequence[ReadBy] = (READ,), as_of: datetime = DUE
) -> str | None:
    row = unbuilt_row(held(), readers, what, policy(as_of))
    return None if row is None else row.verdict_reason


@pytest.mark.parametrize("why", Why)
def test_what_a_run_has_read_that_readers_are_shown_is_built(why: Why) -> None:
    other = replace(READ, run=Run("2026-11-01", "jr_other"))
    assert why_unbuilt(published(shown("jr_read", why)), readers=[other, READ]) is None


def test_what_only_an_unpublished_run_has_read_is_a_finding() -> None:
    reason = why_unbuilt(published())
    assert reason is not None
    assert reason.endswith("run jr_read has read it, which nobody has published.")
    # Another dataset's publication of a day is none of this one's.
    assert why_unbuilt(published(shown("jr_read", dataset="orders"))) == reason


def test_a_day_that_shows_a_run_that_has_not_read_it_says_which_publication_that_is() -> None:
    """Whoever forged it: it names a run, and that run's signed statement says what it has read."""
    assert why_unbuilt(published(shown("jr_older"))) == (
        "It lies in bronze since 2026-11-02T01:30:00Z, and run jr_read has read it, but readers are"
        " not shown that run: publications/customers/dt=2026-11-01/000002.json is a run that has "
        "not read it, and counts since 2026-11-02T03:30:00Z."
    )


def test_a_rollback_explains_it_for_a_week() -> None:
    rolled_back = published(shown("jr_older", Why.ROLLBACK))
    week = PUBLISHED + timedelta(days=7)
    assert why_unbuilt(rolled_back, as_of=week - HOUR) is None
    reason = why_unbuilt(rolled_back, as_of=week)
    assert reason is not None
    assert "is a rollback" in reason
    # It explains nothing of a file that nobody has read: that came later.
    assert why_unbuilt(rolled_back, readers=[]) is not None


def hidden(weeks: int, *, behind: Sequence[DayShown | None]) -> DayShown:
    """A day that somebody rolls back once more every six days, to another run each time."""
    rolled = [
        replace(shown(f"jr_older_{week}", Why.ROLLBACK), since=PUBLISHED + week * timedelta(days=6))
        for week in range(weeks)
    ]
    return replace(rolled[-1], earlier=(*rolled[-2::-1], *behind))


def test_a_rollback_after_another_explains_nothing_longer() -> None:
    """Whoever rolls a day back again and again keeps nothing out of it."""
    read = replace(shown("jr_read"), since=STATED)
    twice = hidden(2, behind=[read])
    assert why_unbuilt(published(twice), as_of=PUBLISHED + timedelta(days=7) - HOUR) is None
    for day in (twice, hidden(8, behind=[read]), hidden(8, behind=[])):
        reason = why_unbuilt(published(day), as_of=day.since + HOUR + timedelta(days=1))
        assert reason is not None
        assert "is a rollback" in reason
    # What has shown it since begins the week anew.
    once = replace(hidden(1, behind=[replace(read, since=PUBLISHED - HOUR), *twice.earlier]))
    assert why_unbuilt(published(once), as_of=PUBLISHED + timedelta(days=6)) is None


def test_behind_more_publications_than_are_looked_at_nothing_is_explained() -> None:
    assert why_unbuilt(published(hidden(1, behind=[None])), as_of=PUBLISHED + HOUR) is not None


def test_before_there_were_publications_what_had_run_was_shown() -> None:
    assert why_unbuilt(published(first=None)) is None
    assert why_unbuilt(published(first=STATED + HOUR)) is None
    assert why_unbuilt(published(first=STATED)) is not None
    # Once the day is published, that counts.
    assert why_unbuilt(published(shown("jr_older"), first=STATED + HOUR)) is not None
