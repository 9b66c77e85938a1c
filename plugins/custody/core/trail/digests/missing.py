"""The digests that are missing between two times: which they were, and how they are reported."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from custody.core.trail import reasons
from custody.core.trail.defects import TrailDefect
from custody.core.trail.digests.coverage import Period
from custody.core.trail.digests.signatures import SignedDigest
from custody.core.trail.layout import TrailLayout
from custody.core.trail.report import Head

MAX_NAMED_APART: Final = 48
"""Missing digests of one hole that are named one by one; the rest of it is one defect."""


@dataclass(frozen=True)
class Hole:
    """The time from `start` (`None`: unknown) to `end`, in which no digest is proven.

    `last` is the digest before it and `successor` the one after, if there are such. What is
    known to have been in it: `unproven`, objects that have a defect of their own (keys by the
    ends in their names), and the `head` remembered, which is `rolled_back` if nothing newer
    explains that it is gone.
    """

    start: datetime | None
    end: datetime
    last: SignedDigest | None
    unproven: Mapping[datetime, str]
    head: Head | None
    successor: SignedDigest | None = None
    rolled_back: bool = False

    @property
    def known(self) -> dict[datetime, str]:
        """The keys that are known to have been in it, by their ends."""
        known = dict(self.unproven)
        if self.head is not None:
            known.setdefault(self.head.end, self.head.key)
        if self.successor is not None and self.successor.digest.previous is not None:
            known[self.end] = self.successor.digest.previous.key
        return known


@dataclass(frozen=True)
class MissingDigests:
    """The periods of a hole, unproven ones included, and a defect for each digest missing."""

    periods: tuple[Period, ...]
    defects: tuple[TrailDefect, ...]


def missing_digests(
    hole: Hole, layout: TrailLayout, cadence: timedelta | None, *, remark: str = ""
) -> MissingDigests:
    """The missing digests of a hole, newest first.

    Only the newest is certain: its successor names it. The others follow from the `cadence`
    (`None`: there is no rule) and from what is known. `remark` is added to the sentences.
    """
    known, reported = hole.known, set(hole.unproven.values())
    previous = hole.successor.digest.previous if hole.successor else None
    bucket = previous.bucket if previous else layout.bucket
    evidence = hole.successor.digest.key if hole.successor else None
    periods: list[Period] = []
    defects: list[TrailDefect] = []
    for period in _periods(hole, cadence, known):
        periods.append(period)
        key = known.get(period.end) or layout.digest_key(period.end, backfill=cadence is None)
        if key in reported:
            continue
        if len(defects) == MAX_NAMED_APART and hole.start is not None:
            rest = Period(hole.start, period.end)
            periods.append(rest)
            defects.append(
                reasons.digest_missing(layout.bucket, key, rest, evidence=evidence, remark=remark)
            )
            break
        if hole.rolled_back and hole.head is not None and key == hole.head.key:
            defects.append(reasons.head_gone(hole.head, period, hole.last))
        else:
            defects.append(
                reasons.digest_missing(bucket, key, period, evidence=evidence, remark=remark)
            )
    return MissingDigests(tuple(periods), tuple(defects))


def _periods(
    hole: Hole, cadence: timedelta | None, known: Collection[datetime]
) -> Iterator[Period]:
    """The periods that the digests in a hole must have had, newest first."""
    start, end = hole.start, hole.end
    if cadence is None:
        yield Period(start or end, end)
        return
    while start is None or end > start:
        earliest = end - cadence
        before = max(
            (t for t in known if earliest <= t < end and (start is None or t > start)),
            default=None,
        )
        # A digest may begin a little late or early; what remains then is not one more digest.
        if before is None and start and hole.last and earliest - start < cadence / 2:
            before = start
        yield Period(before or earliest, end)
        # Without a beginning there is no telling how many more there were.
        if before is None and start is None:
            return
        end = before or earliest
