"""Files that landed and that no run has read whose tables readers are shown: `UNBUILT`.

A run of a job states the versions it read (`custody.core.lineage`), those it put into quarantine
among them, before anything it made is shown. A file stands in no statement if it landed under a key
that no run looks under, after the run of its day, while no run of its day succeeded, or if the
custody gate refused it. The publication that counts names the runs that readers of a day are shown
(`custody.core.publications`). A file waits for a day; then it is a finding, as long as that is so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from custody.core.datasets.uploads import SMOKE, SMOKE_BODY, folder_of
from custody.core.ledger.kinds.at_rest import HeldVersion
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow, row_of_call
from custody.core.ledger.verdicts import Verdict
from custody.core.lineage.model import ReadBy, Run
from custody.core.publications.model import Publication, Why

PATIENCE: Final = timedelta(days=1)
"""How long a file may wait for a run that reads it, from when it and its whole day are there."""

ROLLED_BACK: Final = timedelta(days=7)
"""How long a rollback explains that readers are shown no run that has read a file: time to mend
what was wrong with the day. It does not explain it for good, whoever asked for it, nor does another
one after it: the time is that since which no publication has shown such a run."""

MOST_EARLIER: Final = 50
"""So many publications are looked at that a day had before a rollback; behind more than these,
nothing is explained."""

AHEAD: Final = timedelta(days=7)
"""How far the day of a file may lie behind the day on which it lands."""

_DAY: Final = re.compile(r"incoming/[^/]+/dt=([0-9]{4}-[0-9]{2}-[0-9]{2})/", re.ASCII)


@dataclass(frozen=True, slots=True)
class DayShown:
    """The publication of a day that counts, and when S3 got it.

    Of a rollback the `earlier` ones, the latest first, with None behind those that are not told.
    """

    publication: Publication
    since: datetime
    earlier: tuple[DayShown | None, ...] = ()

    def shows(self, run: Run) -> bool:
        """Whether it shows what a run made."""
        return any(table.run == run.id for table in self.publication.shown)

    def hidden_since(self, run: Run) -> datetime | None:
        """Since when no publication has shown what a run made; None if that is not told."""
        since = self.since
        for before in self.earlier:
            if before is None:
                return None
            if before.shows(run):
                break
            since = before.since
        return since


@dataclass(frozen=True, slots=True)
class Published:
    """What readers are shown, by dataset and day, and when anything was published `first`: None if
    nothing ever was. Before there were publications, what had run was shown."""

    days: Mapping[tuple[str, str], DayShown]
    first: datetime | None

    def day_of(self, reader: ReadBy) -> DayShown | None:
        """What is shown of the day that a run has built."""
        return self.days.get((reader.dataset, reader.run.dt))

    def shows(self, reader: ReadBy) -> bool:
        """Whether readers are shown what a run made of what it read."""
        day = self.day_of(reader)
        if day is None:
            return self.first is None or reader.stated_at < self.first
        return day.shows(reader.run)

    def explains(self, reader: ReadBy, as_of: datetime) -> bool:
        """Whether somebody has rolled the day back lately, and so it shows another run."""
        day = self.day_of(reader)
        if day is None or day.publication.why is not Why.ROLLBACK:
            return False
        since = day.hidden_since(reader.run)
        return since is not None and as_of < since + ROLLED_BACK


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


def unbuilt_row(
    held: HeldVersion, readers: Sequence[ReadBy], published: Published, policy: Policy
) -> LedgerRow | None:
    """The row of a version, given who states to have read it; None if it is built, or waits."""
    if any(published.shows(one) or published.explains(one, policy.as_of) for one in readers):
        return None
    why = _unshown(readers, published) if readers else f"no run has read it. {_unread(held)}"
    since = f"{held.stored_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    reason = f"It lies in bronze since {since}, and {why}"
    return row_of_call(
        Verdict.UNBUILT, reason, held.version, time=policy.as_of, policy=policy, call=None
    )


def _due(held: HeldVersion) -> datetime:
    day, landed = day_of(held.version.key), held.stored_at
    if day is None or _is_far_ahead(day, landed):
        return landed + PATIENCE
    whole = datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=1)
    return max(landed, whole) + PATIENCE


def _is_far_ahead(day: date, landed: datetime) -> bool:
    return day - landed.astimezone(UTC).date() > AHEAD


def _unshown(readers: Sequence[ReadBy], published: Published) -> str:
    last = max(readers, key=lambda one: (one.stated_at, one.run.id))
    day = published.day_of(last)
    if day is None:
        return f"run {last.run.id} has read it, which nobody has published."
    what = "a rollback" if day.publication.why is Why.ROLLBACK else "a run that has not read it"
    return (
        f"run {last.run.id} has read it, but readers are not shown that run: {day.publication.key} "
        f"is {what}, and counts since {day.since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}."
    )


def _unread(held: HeldVersion) -> str:
    key, day = held.version.key, day_of(held.version.key)
    if key.endswith("/"):
        return "Its key ends in /, as those of folders do, and no run reads these."
    if day is None:
        return (
            "No run looks under its key: that is incoming/<dataset>/dt=<YYYY-MM-DD>/<file>, "
            "letter by letter, with a day of the calendar."
        )
    if _is_far_ahead(day, held.stored_at):
        return f"It landed for {day}, which was more than {AHEAD.days} days away."
    return (
        f"It landed for {day}: after the run of that day, or no run of that day has succeeded, "
        "or the custody gate refused it, or nobody builds this dataset."
    )
