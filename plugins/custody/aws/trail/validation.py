"""Proving a trail: every digest, the chain between them, and every log file they name.

Does what `aws cloudtrail validate-logs` does, and finds what it does not look for: logs that no
digest names, missing newest digests, gaps, a chain that is older than the one remembered, digests
that their successors do not vouch for, and logging that is switched off.

A validation is a series of reports, so that a long one can be stopped and continued: keep the
`head` of each, and give the last one to the next validation.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from cryptography.hazmat.primitives.asymmetric import rsa

from custody.aws.trail.checking import WHOLE, CheckedDigest, Checker, Part, Scope
from custody.aws.trail.listing import LogListing, list_digests
from custody.aws.trail.store import TrailStore
from custody.aws.trail.undelivered import foreign, undelivered
from custody.core.trail import reasons
from custody.core.trail.defects import TrailDefect
from custody.core.trail.digests.chain import DigestChain, FinishedChain
from custody.core.trail.digests.coverage import Coverage
from custody.core.trail.layout import TrailLayout
from custody.core.trail.report import Progress, TrailReport
from custody.core.trail.state import TrailState, digests_due_by, may_have_no_digest, off_reason

T = TypeVar("T")

DigestKeys = Callable[[datetime, datetime], Mapping[str, rsa.RSAPublicKey]]
"""CloudTrail's public keys of a time range, by fingerprint."""


@dataclass(frozen=True)
class Pace:
    """Times a validation goes by, and how much it does at once.

    `cadence`: what one digest covers. `grace`: how long after its period a digest may come.
    `skew`: how far S3's time of a delivery and CloudTrail's may differ. `lookback`: how far
    before the remembered head digests are read again, to find what was changed or put there since.
    `workers` read at once; a report covers `digests_per_step` digests.
    """

    cadence: timedelta = timedelta(hours=1)
    grace: timedelta = timedelta(hours=1)
    skew: timedelta = timedelta(minutes=5)
    lookback: timedelta = timedelta(days=1)
    workers: int = 64
    digests_per_step: int = 24

    @classmethod
    def of_cadence(cls, cadence: timedelta) -> Pace:
        """The pace of a trail whose digests cover less or more than the usual hour each."""
        return cls(cadence=cadence, grace=cadence, skew=min(cadence / 2, cls.skew))


def validate_trail(
    store: TrailStore,
    layout: TrailLayout,
    keys: DigestKeys,
    *,
    state: TrailState | None,
    as_of: datetime,
    part: Part = WHOLE,
    pace: Pace = Pace(),
) -> Iterator[TrailReport]:
    """Prove the trail of `layout` as it stands at `as_of`, report by report.

    Only a `part` of it, if one is given. `state` is what CloudTrail says of the trail, `None` if it
    is gone.

    Raises `ValueError` if the part's head is of another trail, and what the store raises when it is
    not an object's fault: the reports until then stand.
    """
    head, until = part.head, part.until
    if head is not None and (head.bucket != layout.bucket or not layout.digest_name(head.key)):
        raise ValueError(f"the head s3://{head.bucket}/{head.key} is no digest of this trail")
    scope = Scope(part, pace.lookback)
    # A log file is in the digest of the time when it was there, which may be the next but one.
    reached = None if until is None else until + 2 * pace.cadence
    digests = list_digests(store, layout, scope.start, reached)
    first = digests.first_end
    known_keys = {} if first is None else keys(min(first, as_of) - pace.cadence, as_of)
    logs = LogListing(store, layout, scope.start, until)
    regular = DigestChain(layout, cadence=pace.cadence, since=scope.start, head=head)
    backfill = DigestChain(layout, cadence=None, since=scope.start)
    off = off_reason(state, layout)

    progress = Progress(head, head)
    wrong = [foreign(layout, stored) for stored in digests.foreign]
    # Once: it is off in every region.
    wrong += [] if off is None or not layout.is_home else [reasons.trail_off(layout, off)]
    yield _report(progress, wrong)
    with ThreadPoolExecutor(pace.workers) as pool:
        checker = Checker(store, pool, known_keys, logs, scope)
        for chain, listed in ((regular, digests.regular), (backfill, digests.backfill)):
            for batch in _batches(listed, pace.digests_per_step):
                checked = checker.check(batch)
                found = [_defects(each, chain) for each in checked]
                if chain is regular:
                    progress = _advance(progress, checked, found)
                yield _report(progress, itertools.chain(*found), checked)
    backfilled = backfill.finish(due_by=as_of)
    finished = _finish(regular, layout, scope, state, min(as_of, until or as_of), pace)
    injected = undelivered(
        logs.unnamed(),
        layout,
        regular=finished.coverage,
        backfill=backfilled.coverage,
        skew=pace.skew,
    )
    yield _report(progress, (*backfilled.defects, *finished.defects, *injected))


def _defects(checked: CheckedDigest, chain: DigestChain) -> list[TrailDefect]:
    """What is wrong with a digest, its logs, and its link to the chain, which goes on to it."""
    signed = checked.loaded.signed
    if signed is not None:
        return checked.defects + chain.follow(signed)
    if checked.loaded.defect is not None:
        chain.unproven(checked.name)
    return checked.defects


def _advance(
    progress: Progress, checked: Iterable[CheckedDigest], found: Iterable[Sequence[TrailDefect]]
) -> Progress:
    for each, defects in zip(checked, found, strict=True):
        signed = each.loaded.signed
        progress = progress.past(signed.head if signed else None, intact=not defects)
    return progress


def _finish(
    chain: DigestChain,
    layout: TrailLayout,
    scope: Scope,
    state: TrailState | None,
    as_of: datetime,
    pace: Pace,
) -> FinishedChain:
    """What should be there behind the newest digest, or instead of none at all."""
    if chain.is_empty:
        due_after = pace.cadence + pace.grace
        fine = scope.part.head is None and may_have_no_digest(
            state, layout, as_of, since=scope.start, due_after=due_after
        )
        missing = reasons.no_digests(layout, scope.part.head, scope.start, as_of)
        return FinishedChain(() if fine else (missing,), Coverage())
    is_on = off_reason(state, layout) is None
    failed = state.digest_error if state and layout.is_home else ""
    return chain.finish(
        due_by=digests_due_by(state, layout, as_of, grace=pace.grace),
        restarted=state.started_at if state and is_on else None,
        remark=f" (CloudTrail's latest attempt failed: {failed})" if failed else "",
    )


def _report(
    progress: Progress, defects: Iterable[TrailDefect], checked: Sequence[CheckedDigest] = ()
) -> TrailReport:
    return TrailReport(
        defects=tuple(defects),
        head=progress.head,
        tip=progress.tip,
        digests_verified=sum(each.loaded.signed is not None for each in checked),
        logs_verified=tuple(log for each in checked for log in each.proven_logs),
    )


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    every = iter(items)
    while batch := list(itertools.islice(every, size)):
        yield batch
