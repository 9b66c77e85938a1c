"""Runs and what the console shows of them, for tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from tests.support.findings import finding

from custody.core.case.object_check import check_version
from custody.core.console.objects.asked import Place
from custody.core.console.objects.life import Life, StoredThen
from custody.core.console.overview import Evidence, Overview, overview
from custody.core.console.standing import ReadRun
from custody.core.ledger.rows import LedgerRow
from custody.core.paging.found import Found
from custody.core.runs.model import JudgingRun
from custody.objects import ObjectVersion

JOBS: Final = {"reconcile_job": "reconcile", "audit_job": "audit"}
POLICY: Final = "aa" * 32
NOW: Final = datetime(2026, 11, 1, 12, 40, tzinfo=UTC)
FIRST: Final = date(2026, 10, 31)
SCRIPT: Final = "<script>alert('1')</script>"
"""A key named like a script."""


def run(hour: int, *, job: str = "reconcile", hours: int = 4, day: int = 1) -> JudgingRun:
    """A run that judged until that hour of November the first."""
    end = datetime(2026, 11, day, hour, tzinfo=UTC)
    name = f"{job}_{day}_{hour}"
    return JudgingRun(job, name, end + timedelta(minutes=35), end - timedelta(hours=hours), end)


def read_run(hour: int, *rows: LedgerRow, watched: tuple[str, ...] = (), **more: Any) -> ReadRun:
    """What such a run states that it found."""
    return ReadRun(run(hour, **more), {"VERIFIED": 3}, Found(rows, None, watched), POLICY)


def shown(*runs: ReadRun, now: datetime = NOW, **evidence: Any) -> Overview:
    """The overview of two days, by these runs."""
    return overview(Evidence(runs, **evidence), **JOBS, policy=POLICY, first=FIRST, now=now)


def removed(key: str = "incoming/a.csv", **columns: str | None) -> LedgerRow:
    return finding("REMOVED", object_key=key, **columns)


def life_of(place: Place, version_id: str, **known: Any) -> Life:
    """What is known of an object of which S3 has one version, and nobody made a record."""
    version = ObjectVersion(place.bucket, place.key, version_id)
    nothing: dict[str, Any] = {
        "stored": StoredThen(version_id, NOW, 3, is_latest=True, is_delete_marker=False),
        "later": None,
        "versions": (),
        "is_cut": False,
        "checked": check_version(version, envelopes=(), found=None),
        "entry": None,
        "back": None,
        "onward": (),
        "publications": (),
        "unread": "",
        "findings": (),
        "judge": None,
        "audit": None,
    }
    return Life(place, version, **(nothing | known))
