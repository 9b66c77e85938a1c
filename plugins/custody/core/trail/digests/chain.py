"""The rules between digests: each vouches for the one before, and no time is left uncovered.

Every digest is verified by its own signature first. What is left to find is what a signature cannot
show: digests that are missing, periods that no digest covers, and a chain that is not the one
remembered. A digest signs its predecessor's signature along with its own content, so a hole does
not make what follows it any less proven.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass
from datetime import datetime, timedelta

from custody.core.trail import reasons
from custody.core.trail.defects import TrailDefect
from custody.core.trail.digests.coverage import Coverage, Period
from custody.core.trail.digests.document import Previous
from custody.core.trail.digests.missing import Hole, missing_digests
from custody.core.trail.digests.signatures import SignedDigest
from custody.core.trail.layout import DigestName, TrailLayout
from custody.core.trail.report import Head


@dataclass(frozen=True)
class FinishedChain:
    """The end of a walk: the `defects` behind the newest digest, and what the chain covers."""

    defects: tuple[TrailDefect, ...]
    coverage: Coverage


class DigestChain:
    """One chain of digests, walked from the oldest on.

    Give every digest object of the chain, in the order of the ends in their names: `follow` with
    one that verifies, `unproven` with one that does not. Then `finish`, once: only what it
    returns says which times are covered. `follow` and `finish` return the defects between the
    digests; an unproven digest has one of its own, which is made elsewhere.

    Each raises `ValueError` after `finish`, or for a digest out of order. ::

        chain = DigestChain(layout, cadence=timedelta(hours=1))
        defects = chain.follow(first) + chain.follow(second)
        finished = chain.finish(due_by=now - grace)
        finished.coverage.covering(instant, within=skew)

    `cadence` is the time one digest covers, `None` if there is no rule (backfill). `since` is
    where to start, `None` for the beginning of the trail; `head` the digest remembered.
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
        self._uncovered: list[Period] = []
        self._ends: list[tuple[datetime, str]] = []
        self._given_until: datetime | None = None
        self._finished = False

    @property
    def is_empty(self) -> bool:
        """Whether no digest was given so far, not even an unproven one."""
        return self._last is None and not self._unproven

    def unproven(self, name: DigestName) -> None:
        """Pass by an object that is no proven digest."""
        self._advance(name)
        self._unproven[name.end] = name.key

    def follow(self, link: SignedDigest) -> list[TrailDefect]:
        """Go on to the next digest that verifies, and return the defects before it."""
        self._advance(self._layout.digest_name(link.digest.key))
        defects = self._link(link)
        if self._head is not None and self._is_head(link):
            if link.head != self._head:
                defects.append(reasons.head_replaced(link))
            self._head = None
        self._first = self._first or link
        self._last = link
        insort(self._ends, (link.digest.end, link.digest.key))
        self._unproven.clear()
        return defects

    def finish(
        self, *, due_by: datetime | None, restarted: datetime | None = None, remark: str = ""
    ) -> FinishedChain:
        """End the walk, and look behind the newest digest.

        Digests that end up to `due_by` must be there; `None` when none is due (the trail is
        off). `restarted` is when logging was last started; `remark` is added to the reason.
        """
        self._advance(None)
        self._finished = True
        defects = tuple(self._tail(due_by, restarted, remark))
        return FinishedChain(
            defects,
            Coverage(
                first=self._first,
                last=self._last,
                uncovered=tuple(self._uncovered),
                ends=tuple(self._ends),
                since=self._since,
            ),
        )

    def _advance(self, name: DigestName | None) -> None:
        if self._finished:
            raise ValueError("the chain is finished: no digest can follow")
        if name is None:
            return
        if self._given_until is not None and name.end < self._given_until:
            raise ValueError(f"the digest {name.key} is out of order")
        self._given_until = name.end

    def _tail(
        self, due_by: datetime | None, restarted: datetime | None, remark: str
    ) -> list[TrailDefect]:
        defects: list[TrailDefect] = []
        reached = self._reached
        unproven_until = max(
            (end for end in self._unproven if due_by and end <= due_by), default=None
        )
        for end in (unproven_until, self._head.end if self._head else None):
            if end is not None and (reached is None or reached < end):
                defects += self._hole(reached, end, rolled_back=True)
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
            defects += self._hole(reached, reached + late * self._cadence, remark=remark)
        return defects

    def _link(self, link: SignedDigest) -> list[TrailDefect]:
        previous = link.digest.previous
        if previous is None:
            return self._started_anew(link)
        name = self._layout.digest_name(previous.key)
        last = self._last
        if last is None:
            before_since = name is not None and self._since is not None and name.end < self._since
            return [] if before_since else self._hole_before(link, self._since)
        if (previous.bucket, previous.key) == (last.digest.bucket, last.digest.key):
            return self._continued(last, link, previous)
        if name is not None and name.end < last.digest.end:
            why = f"the next one continues {previous.key} instead"
            return [reasons.digest_unchained(last, link, why)]
        return self._hole_before(link, last.digest.end)

    def _continued(
        self, last: SignedDigest, link: SignedDigest, previous: Previous
    ) -> list[TrailDefect]:
        if (previous.sha256, previous.signature.lower()) != (last.sha256, last.signature):
            return [reasons.digest_unchained(last, link, "the next one vouches for other bytes")]
        if link.digest.start > last.digest.end:
            return [self._gap(last.digest.end, link.digest.start, evidence=link.digest.key)]
        return []

    def _started_anew(self, link: SignedDigest) -> list[TrailDefect]:
        """A digest without a predecessor: right only where nothing came before."""
        defects: list[TrailDefect] = []
        start = link.digest.start
        reached = self._last.digest.end if self._last else None
        if self._head is not None and self._head.end < link.digest.end and not self._is_head(link):
            reached = self._reached
            if reached is None or reached < self._head.end:
                defects += self._hole(reached, self._head.end, rolled_back=True)
            reached = self._head.end
        if reached is None:
            return defects
        unproven_until = min(max(self._unproven, default=reached), start)
        if unproven_until > reached:
            defects += self._hole(reached, unproven_until)
            reached = unproven_until
        if self._cadence is not None:
            defects.append(self._gap(reached, max(reached, start), evidence=link.digest.key))
        return defects

    @property
    def _reached(self) -> datetime | None:
        """The end of the newest digest followed, or where the walk began."""
        return self._last.digest.end if self._last else self._since

    def _is_head(self, link: SignedDigest) -> bool:
        return self._head is not None and self._head.key == link.digest.key

    def _gap(self, start: datetime, end: datetime, *, evidence: str | None = None) -> TrailDefect:
        period = Period(start, end)
        self._uncovered.append(period)
        before = self._last.digest.key if self._last else self._layout.digest_prefix
        return reasons.gap(self._layout.bucket, before, period, evidence=evidence)

    def _hole_before(self, link: SignedDigest, start: datetime | None) -> list[TrailDefect]:
        return self._hole(start, link.digest.start, successor=link)

    def _hole(
        self,
        start: datetime | None,
        end: datetime,
        *,
        successor: SignedDigest | None = None,
        rolled_back: bool = False,
        remark: str = "",
    ) -> list[TrailDefect]:
        hole = Hole(start, end, self._last, self._unproven, self._head, successor, rolled_back)
        missing = missing_digests(hole, self._layout, self._cadence, remark=remark)
        self._uncovered += missing.periods
        return list(missing.defects)
