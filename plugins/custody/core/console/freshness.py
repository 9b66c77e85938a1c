"""How fresh each watcher is: how far it has come, and whether that is late."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

JUDGED_WITHIN: Final = timedelta(hours=3)
"""An hour is over, the run begins 35 minutes later, and the alarm waits for two more
(docs/adr/048-who-watches-the-watcher.md)."""

AUDITED_WITHIN: Final = timedelta(hours=26)
"""As long as the alarm `no-audit` waits."""

PROVEN_WITHIN: Final = AUDITED_WITHIN + timedelta(hours=3)
"""The audit proves the trail up to its last digest, which is an hour old and may be late by two."""


@dataclass(frozen=True, slots=True)
class Watcher:
    """What watches, until when it has seen everything (None: never), and how old that may be."""

    name: str
    seen: datetime | None
    within: timedelta
    detail: str = ""

    def is_late(self, now: datetime) -> bool:
        return self.seen is None or now - self.seen > self.within


def watchers(
    *,
    judged: datetime | None,
    audited: datetime | None,
    sealed: datetime | None,
    entries: int | None,
    proven: datetime | None,
) -> list[Watcher]:
    """The platform's watchers: until when every hour is judged, when the last audit was, when the
    seal last grew and to how many entries, and until when the trail is proven."""
    size = "" if entries is None else f"{entries} entries"
    return [
        Watcher("Every hour is judged until", judged, JUDGED_WITHIN),
        Watcher("The last audit was at", audited, AUDITED_WITHIN),
        Watcher("The seal last grew at", sealed, AUDITED_WITHIN, size),
        Watcher("The trail is proven until", proven, PROVEN_WITHIN),
    ]
