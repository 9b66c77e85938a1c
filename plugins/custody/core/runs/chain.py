"""The chain of runs: how far the hours are judged, which are owed, and what of a verdict is final.

Every run that judges goes on from where the one before it came to (`Reached`), and states that. So
there is no hour that no run has judged, however long nothing ran; and nobody can make an hour
younger than it is by judging it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from custody.core.runs.whole_hours import HOUR, MAX_HOURS, floor_hour
from custody.core.trail.span import LATEST_DELIVERY

DIGEST_DUE: Final = 2 * HOUR
"""How long after the delivery of a log file the digest that names it is there."""

SWEPT_EVERY: Final = timedelta(hours=12)
"""How often all hours that are open are judged once more."""


@dataclass(frozen=True, slots=True)
class Reached:
    """How far the runs have come; each is a whole hour, and none is later than the one before.

    Hours before `judged` were judged at least once. Before `recorded` no record is awaited any
    more, and before `closed` no event of CloudTrail's either: what was judged then is final.
    """

    judged: datetime
    recorded: datetime
    closed: datetime

    @classmethod
    def nothing(cls, begin: datetime) -> Reached:
        """Where the first run of all begins."""
        return cls(begin, begin, begin)

    def after(
        self,
        start: datetime,
        end: datetime,
        *,
        as_of: datetime,
        grace: timedelta,
    ) -> Reached:
        """How far the runs have come with one more, which judged the hours from `start` to `end` at
        `as_of`, and awaited records for `grace`. However long it awaited events, an hour is closed
        when none can come any more.

        A run that leaves a hole behind one of them does not move it, nor does one over hours that
        are not over.
        """

        def moved(now: datetime, awaited: timedelta) -> datetime:
            if start > now:
                return now
            return max(now, min(end, floor_hour(as_of - awaited)))

        judged = moved(self.judged, timedelta())
        recorded = moved(self.recorded, grace)
        closed = moved(self.closed, LATEST_DELIVERY + DIGEST_DUE)
        return Reached(judged, min(judged, recorded), min(judged, recorded, closed))

    def owed(self, latest: datetime, lookback: timedelta) -> tuple[datetime, datetime]:
        """The hours to judge next, `latest` being the end of the last hour that is over: its start
        and end.

        Those that no run has judged, the oldest first, and the `lookback` before them once more,
        also if they are closed: who had the key sign that they are did it then. From time to time
        all that are not closed, so that what came late is found. No more than `MAX_HOURS`: the rest
        is owed to the next run.
        """
        start = min(self.judged, latest - HOUR) - lookback
        if latest - self.closed >= LATEST_DELIVERY + DIGEST_DUE + SWEPT_EVERY:
            start = min(self.closed, start)
        end = max(start + HOUR, min(latest, start + MAX_HOURS * HOUR))
        return start, end


@dataclass(frozen=True, slots=True)
class Link:
    """What a run adds to the chain: how far the runs had come with it, and the key of the
    statement that it went on from (`previous`; None for the first of all)."""

    reached: Reached
    previous: str | None
