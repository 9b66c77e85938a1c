"""Which delivery times a chain of digests covers."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import datetime, timedelta

from custody.core.trail.digests.signatures import SignedDigest


@dataclass(frozen=True)
class Period:
    """Delivery times `start` < t ≤ `end`."""

    start: datetime
    end: datetime

    def may_include(self, instant: datetime, *, within: timedelta) -> bool:
        """Whether `instant` may lie in the period, if clocks differ by `within`."""
        return self.start - within < instant <= self.end + within


@dataclass(frozen=True)
class Coverage:
    """What a chain covers, from its `first` to its `last` digest that verified.

    `uncovered` are the periods whose digests are missing or unproven; each has a defect of its
    own. `ends` has end and key of each digest, in order. `since` is where the walk began,
    `None` for the beginning of the trail. The default covers nothing.
    """

    first: SignedDigest | None = None
    last: SignedDigest | None = None
    uncovered: tuple[Period, ...] = ()
    ends: tuple[tuple[datetime, str], ...] = ()
    since: datetime | None = None

    def covering(self, instant: datetime, *, within: timedelta) -> str | None:
        """The key of the digest that would name a log file delivered at `instant`.

        `None` if that cannot be said: the digest is not there yet, is missing, or is unproven.
        Clocks may differ by `within`.
        """
        if self.first is None or self.last is None or instant + within > self.last.digest.end:
            return None
        beginning = max(self.first.digest.start, self.since or self.first.digest.start)
        if instant < beginning + within or self.leaves_open(instant, within=within):
            return None
        return self.ends[bisect_left(self.ends, (instant, ""))][1]

    def is_before(self, instant: datetime, *, within: timedelta) -> bool:
        """Whether `instant` lies before the trail's first digest, and after `since`."""
        if self.first is None or self.first.digest.previous is not None:
            return False
        return (
            (self.since is None or instant >= self.since + within)
            and instant < self.first.digest.start - within
            and not self.leaves_open(instant, within=within)
        )

    def leaves_open(self, instant: datetime, *, within: timedelta) -> bool:
        """Whether the digest of this time is missing or unproven."""
        return any(period.may_include(instant, within=within) for period in self.uncovered)
