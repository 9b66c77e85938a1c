"""Files that came after their day was built: which days are built again by themselves, and when."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from custody.core.lineage.model import is_day
from custody.core.publications.model import Publication, Why
from custody.objects import ObjectVersion

LOOK_BACK: Final = timedelta(days=31)
"""Of which days late files are looked for; the audit tells of those of older ones (`UNBUILT`)."""

QUIET: Final = timedelta(minutes=10)
"""How long nothing more may have landed: who uploads several files uploads them together."""

MAX_AT_ONCE: Final = 10
"""How many days may be built again at once, of all datasets: the rest is for the next look."""


@dataclass(frozen=True, slots=True)
class LateDay:
    """A day that is to be built again, and the versions for which it is."""

    dataset: str
    dt: str
    versions: frozenset[ObjectVersion]

    @property
    def run_id(self) -> str:
        """Under which name it is built: the same versions make one run, whatever becomes of it."""
        text = "\n".join(sorted(f"{each.key}\n{each.version_id}" for each in self.versions))
        return f"late__{self.dt}__{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def is_looked_at(dt: str, today: date) -> bool:
    """Whether late files of a day are looked for."""
    return is_day(dt) and date.fromisoformat(dt) >= today - LOOK_BACK


def late_day(
    publication: Publication,
    landed: Mapping[ObjectVersion, datetime],
    read: Collection[ObjectVersion],
    now: datetime,
) -> LateDay | None:
    """The day of a publication, if it is to be built again; None if not, or not yet.

    `landed` are the versions of the day that lie in bronze and when they came, `read` those that
    the run states to have read which is shown. A day that somebody has rolled back stays so.
    """
    late = frozenset(landed.keys() - set(read))
    if publication.why is Why.ROLLBACK or not late:
        return None
    if max(landed[version] for version in late) > now - QUIET:
        return None
    return LateDay(publication.dataset, publication.dt, late)
