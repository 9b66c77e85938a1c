"""Files that landed and that no run has read: `UNBUILT`.

A run of a job states the versions it read (`custody.core.lineage`), those it put into quarantine
among them, before anything it made is shown. A file stands in no statement if it landed under a key
that no run looks under, after the run of its day, while no run of its day succeeded, or if the
custody gate refused it. It waits for a day; then it is a finding, as long as that is so.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from custody.core.datasets.uploads import SMOKE, SMOKE_BODY, folder_of
from custody.core.ledger.kinds.at_rest import HeldVersion
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow, row_of_call
from custody.core.ledger.verdicts import Verdict

PATIENCE: Final = timedelta(days=1)
"""How long a file may wait for a run that reads it, from when it and its whole day are there."""

AHEAD: Final = timedelta(days=7)
"""How far the day of a file may lie behind the day on which it lands."""

_DAY: Final = re.compile(r"incoming/[^/]+/dt=([0-9]{4}-[0-9]{2}-[0-9]{2})/", re.ASCII)


def day_of(key: str) -> date | None:
    """The day under which a file landed; None if no run looks under such a key."""
    found = _DAY.match(key)
    try:
        return date.fromisoformat(found[1]) if found and not key.endswith("/") else None
    except ValueError:
        return None


def may_be_unbuilt(held: HeldVersion, policy: Policy) -> bool:
    """Whether a run should have read the version by now.

    Versions that another one replaced, empty markers of folders, and the files with which a
    deployment is tried, are not read.
    """
    if held.is_marker or not held.is_latest or policy.layers.get(held.version.bucket) != "bronze":
        return False
    if held.version.key.endswith("/") and held.size_bytes == 0:
        return False
    if held.version.key.startswith(folder_of(SMOKE)) and held.size_bytes == len(SMOKE_BODY):
        return False
    return _due(held) <= policy.as_of


def unbuilt_row(held: HeldVersion, policy: Policy) -> LedgerRow:
    """The row of a version that no run states to have read."""
    return row_of_call(
        Verdict.UNBUILT, _reason(held), held.version, time=policy.as_of, policy=policy, call=None
    )


def _due(held: HeldVersion) -> datetime:
    day, landed = day_of(held.version.key), held.stored_at
    if day is None or _is_far_ahead(day, landed):
        return landed + PATIENCE
    whole = datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=1)
    return max(landed, whole) + PATIENCE


def _is_far_ahead(day: date, landed: datetime) -> bool:
    return day - landed.astimezone(UTC).date() > AHEAD


def _reason(held: HeldVersion) -> str:
    key, day = held.version.key, day_of(held.version.key)
    if key.endswith("/"):
        why = "Its key ends in /, as those of folders do, and no run reads these."
    elif day is None:
        why = (
            "No run looks under its key: that is incoming/<dataset>/dt=<YYYY-MM-DD>/<file>, "
            "letter by letter, with a day of the calendar."
        )
    elif _is_far_ahead(day, held.stored_at):
        why = f"It landed for {day}, which was more than {AHEAD.days} days away."
    else:
        why = (
            f"It landed for {day}: after the run of that day, or no run of that day has succeeded, "
            "or the custody gate refused it, or nobody builds this dataset."
        )
    since = f"{held.stored_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return f"It lies in bronze since {since}, and no run has read it. {why}"
