"""The rules between digests: each vouches for the one before, and no time is left uncovered.

Every digest is verified by its own signature first. What is left to find is what a signature cannot
show: digests that are not there, stretches of time nobody vouches for, and a chain that is not the
one remembered. A digest signs its predecessor's signature along with its own content, so a hole
does not make what follows it any less proven.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from custody.core.formats.timestamps import format_utc
from custody.core.trail.defects import TrailDefect, TrailDefectKind
from custody.core.trail.digest_signatures import SignedDigest
from custody.core.trail.digests import Previous
from custody.core.trail.layout import DigestName, TrailLayout
from custody.core.trail.report import Head

MAX_NAMED_APART: Final = 48
"""Missing digests of one hole that are named one by one; the rest of it is one defect."""


@dataclass(frozen=True)
class Stretch:
    """Delivery times ``start`` < t ≤ ``end`` that no proven digest covers."""

    start: datetime
    end: datetime

    def touches(self, instant: datetime, *, within: timedelta) -> bool:
        """Whether ``instant`` may lie in it, if clocks differ by ``within``."""
        return self.start - within < instant <= self.end + within


class DigestChain:
    """One chain of digests, walked from the oldest on.

    Give every digest object of the chain, in the order of the ends in their names: ``follow`` with
    one that verifies, ``unproven`` with one that does not (its own defect is made elsewhere). Then
    ``finish``. Each returns the defects about what lies between.

    ``cadence`` is the time one digest covers, ``None`` if there is no rule (backfill). ``since`` is
    where to start, ``None`` for the beginning of the trail; ``head`` the digest remembered.
    """

    def __init__(
        self,
        layout: TrailLayout,
        *,
        cadence: timedelta | None,
        since: datetime | None = None,
        head: Head | None = None,
    ) -> None:
        self._layout = layout
        self._cadence = cadence
        self._since = since
        self._head = head
        self._unproven: dict[datetime, str] = {}
        self._last: SignedDigest | None = None
        self._first: SignedDigest | None = None
        self._uncovered: list[Stretch] = []
        self._ends: list[tuple[datetime, str]] = []

    @property
    def first(self) -> SignedDigest | None:
        """The oldest digest followed."""
        return self._first

    @property
    def is_empty(self) -> bool:
        """Whether there has been no digest, not even one that proves nothing."""
        return self._last is None and not self._unproven

    def covering(self, instant: datetime, *, within: timedelta) -> str | None:
        """The key of the digest that would name a log file delivered at ``instant``.

        ``None`` if that cannot be said: it is not there yet, or it is missing or unproven and has a
        defect of its own. Clocks may differ by ``within``. Ask when the walk is over.
        """
        first, last = self._first, self._last
        if first is None or last is None or instant + within > last.digest.end:
            return None
        beginning = max(first.digest.start, self._since or first.digest.start)
        if instant < beginning + within:
            return None
        if self.leaves_open(instant, within=within):
            return None
        return self._ends[bisect_left(self._ends, (instant, ""))][1]

    def is_before(self, instant: datetime, *, within: timedelta) -> bool:
        """Whether ``instant`` lies before the time digests began, and after where to start."""
        if self._first is None or self._first.digest.previous is not None:
            return False
        return (
            (self._since is None or instant >= self._since + within)
            and instant < self._first.digest.start - within
            and not self.leaves_open(instant, within=within)
        )

    def leaves_open(self, instant: datetime, *, within: timedelta) -> bool:
        """Whether the digest of this time is missing or proves nothing, which is told elsewhere."""
        return any(stretch.touches(instant, within=within) for stretch in self._uncovered)

    def unproven(self, name: DigestName) -> None:
        """There is an object at ``name`` that proves nothing, for a reason already reported."""
        self._unproven[name.end] = name.key

    def follow(self, link: SignedDigest) -> list[TrailDefect]:
        """Go on to the next digest that verifies."""
        defects = self._link(link)
        if self._is_head(link):
            defects += self._as_remembered(link)
            self._head = None
        self._first = self._first or link
        self._last = link
        insort(self._ends, (link.digest.end, link.digest.key))
        self._unproven.clear()
        return defects

    def finish(
        self, *, due_by: datetime | None, restarted: datetime | None = None, remark: str = ""
    ) -> list[TrailDefect]:
        """Look behind the newest digest.

        Digests that end up to ``due_by`` must be there; ``None`` when none is due (the trail is
        off). ``restarted`` is when logging was last started; ``remark`` is added to the reason.
        """
        defects: list[TrailDefect] = []
        reached = self._reached()
        unproven_until = max(
            (end for end in self._unproven if due_by and end <= due_by), default=None
        )
        for end in (unproven_until, self._head.end if self._head else None):
            if end is not None and (reached is None or reached < end):
                defects += self._hole(reached, end, None, rolled_back=True)
                reached = end
        if reached is None or due_by is None or self._cadence is None:
            return defects
        late = (due_by - reached) // self._cadence
        # Starting a trail that runs already changes nothing: only a digest too few makes it a gap.
        if late > 0 and restarted is not None and restarted > reached:
            defects.append(self._gap(reached, restarted))
            reached = restarted
            late = (due_by - reached) // self._cadence
        if late > 0:
            defects += self._hole(reached, reached + late * self._cadence, None, remark=remark)
        return defects

    def _link(self, link: SignedDigest) -> list[TrailDefect]:
        previous = link.digest.previous
        if previous is None:
            return self._started_anew(link)
        name = self._layout.digest_name(previous.key)
        last = self._last
        if last is None:
            before_since = name is not None and self._since is not None and name.end < self._since
            return [] if before_since else self._named_hole(self._since, link, previous)
        if (previous.bucket, previous.key) == (last.digest.bucket, last.digest.key):
            return self._continued(last, link, previous)
        if name is not None and name.end < last.digest.end:
            return [self._unchained(last, link, f"the next one continues {previous.key} instead")]
        return self._named_hole(last.digest.end, link, previous)

    def _continued(
        self, last: SignedDigest, link: SignedDigest, previous: Previous
    ) -> list[TrailDefect]:
        if (previous.sha256, previous.signature.lower()) != (last.sha256, last.signature):
            return [self._unchained(last, link, "the next one vouches for other bytes")]
        if link.digest.start > last.digest.end:
            return [self._gap(last.digest.end, link.digest.start, evidence=link.digest.key)]
        return []

    def _named_hole(
        self, start: datetime | None, link: SignedDigest, previous: Previous
    ) -> list[TrailDefect]:
        """The hole before ``link``, whose predecessor it names."""
        return self._hole(start, link.digest.start, previous, evidence=link.digest.key)

    def _started_anew(self, link: SignedDigest) -> list[TrailDefect]:
        """A digest without a predecessor: right only where nothing came before."""
        defects: list[TrailDefect] = []
        start = link.digest.start
        reached = self._last.digest.end if self._last else None
        if self._head is not None and self._head.end < link.digest.end and not self._is_head(link):
            reached = self._reached()
            if reached is None or reached < self._head.end:
                defects += self._hole(reached, self._head.end, None, rolled_back=True)
            reached = self._head.end
        if reached is None:
            return defects
        unproven_until = min(max(self._unproven, default=reached), start)
        if unproven_until > reached:
            defects += self._hole(reached, unproven_until, None)
            reached = unproven_until
        if self._cadence is not None:
            defects.append(self._gap(reached, max(reached, start), evidence=link.digest.key))
        return defects

    def _reached(self) -> datetime | None:
        """The end of the newest digest followed, or where the walk began."""
        return self._last.digest.end if self._last else self._since

    def _is_head(self, link: SignedDigest) -> bool:
        return self._head is not None and self._head.key == link.digest.key

    def _as_remembered(self, link: SignedDigest) -> list[TrailDefect]:
        if link.head == self._head:
            return []
        return [
            TrailDefect(
                TrailDefectKind.ROLLED_BACK,
                link.digest.bucket,
                link.digest.key,
                "Another digest stands where the last proven one was remembered.",
                digest_key=link.digest.key,
                period_start=link.digest.start,
                period_end=link.digest.end,
            )
        ]

    def _gap(self, start: datetime, end: datetime, *, evidence: str | None = None) -> TrailDefect:
        """Told about the digest before it, which stays the same whatever comes later."""
        self._uncovered.append(Stretch(start, end))
        before = self._last.digest.key if self._last else self._layout.digest_prefix
        return TrailDefect(
            TrailDefectKind.GAP,
            self._layout.bucket,
            before,
            f"No digest covers the time from {format_utc(start)} to {format_utc(end)}: logging "
            "or its validation was switched off, and the chain of digests ended and began anew.",
            digest_key=evidence,
            period_start=start,
            period_end=end,
        )

    def _unchained(self, last: SignedDigest, link: SignedDigest, why: str) -> TrailDefect:
        return TrailDefect(
            TrailDefectKind.DIGEST_UNCHAINED,
            last.digest.bucket,
            last.digest.key,
            f"The digest is signed but not part of the chain: {why}.",
            digest_key=link.digest.key,
            period_start=last.digest.start,
            period_end=last.digest.end,
        )

    def _hole(
        self,
        start: datetime | None,
        end: datetime,
        previous: Previous | None,
        *,
        evidence: str | None = None,
        rolled_back: bool = False,
        remark: str = "",
    ) -> list[TrailDefect]:
        """The missing digests between ``start`` and ``end``, newest first.

        Only the newest can be named for certain, by its successor. The others follow from the
        cadence, and from what is known to have been there: unproven objects and the head.
        """
        named = dict(self._unproven)
        if self._head is not None:
            named.setdefault(self._head.end, self._head.key)
        if previous is not None:
            named[end] = previous.key
        reported = set(self._unproven.values())
        defects: list[TrailDefect] = []
        for slot in self._slots(start, end, frozenset(named)):
            self._uncovered.append(slot)
            key = named.get(slot.end) or self._layout.digest_key(
                slot.end, backfill=self._cadence is None
            )
            if key in reported:
                continue
            if len(defects) == MAX_NAMED_APART and start is not None:
                self._uncovered.append(Stretch(start, slot.end))
                defects.append(self._missing(key, Stretch(start, slot.end), evidence, remark))
                break
            if rolled_back and self._head is not None and key == self._head.key:
                defects.append(self._rolled_back(slot))
            else:
                bucket = previous.bucket if previous else self._layout.bucket
                defects.append(self._missing(key, slot, evidence, remark, bucket))
        return defects

    def _slots(
        self, start: datetime | None, end: datetime, known: frozenset[datetime]
    ) -> Iterator[Stretch]:
        """The periods that digests between two times must have had, newest first."""
        cadence = self._cadence
        if cadence is None:
            yield Stretch(start or end, end)
            return
        while start is None or end > start:
            earliest = end - cadence
            before = max(
                (t for t in known if earliest <= t < end and (start is None or t > start)),
                default=None,
            )
            # A digest may begin a little late or early; what remains then is not one more digest.
            if before is None and start and self._last and earliest - start < cadence / 2:
                before = start
            yield Stretch(before or earliest, end)
            # Without a beginning there is no telling how many more there were.
            if before is None and start is None:
                return
            end = before or earliest

    def _missing(
        self,
        key: str,
        period: Stretch,
        evidence: str | None,
        remark: str,
        bucket: str | None = None,
    ) -> TrailDefect:
        known_by = "its successor names it" if evidence else "it is due"
        return TrailDefect(
            TrailDefectKind.DIGEST_MISSING,
            bucket or self._layout.bucket,
            key,
            f"There is no digest for deliveries from {format_utc(period.start)} "
            f"to {format_utc(period.end)}, though {known_by}{remark}.",
            digest_key=evidence,
            period_start=period.start,
            period_end=period.end,
        )

    def _rolled_back(self, period: Stretch) -> TrailDefect:
        return TrailDefect(
            TrailDefectKind.ROLLED_BACK,
            self._layout.bucket,
            self._head.key if self._head else "",
            "The digest that was the last one proven before is gone, and no later one names it.",
            digest_key=self._last.digest.key if self._last else None,
            period_start=period.start,
            period_end=period.end,
        )
