"""Nothing that landed is forgotten: what no run reads is found, and says why."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from custody.core.ledger.kinds.at_rest import HeldVersion
from custody.core.ledger.kinds.unbuilt import day_of, may_be_unbuilt, unbuilt_row
from custody.core.ledger.policy import Policy
from custody.core.paging.findings import is_finding
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

    row = unbuilt_row(held(key), policy(DUE))

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
