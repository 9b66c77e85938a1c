"""Proving a trail: every digest, the chain between them, and every log file they name.

Does what ``aws cloudtrail validate-logs`` does, and finds what it does not look for: logs that no
digest names, missing newest digests, gaps, a chain that is older than the one remembered, digests
that their successors do not vouch for, and logging that is switched off.

A validation is a series of reports, so that a long one can be stopped and continued: keep the
``head`` of each, and give the last one to the next validation.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from cryptography.hazmat.primitives.asymmetric import rsa

from custody.aws.trail.digests import FoundDigest, LoadedDigest, load_digest
from custody.aws.trail.logs import CheckedLog, LogListing, NamedLog, check_log
from custody.aws.trail.store import StoredObject, TrailStore
from custody.core.formats.timestamps import format_utc
from custody.core.trail.defects import TrailDefect, TrailDefectKind
from custody.core.trail.digest_chain import DigestChain
from custody.core.trail.digest_signatures import SignedDigest
from custody.core.trail.layout import TrailLayout
from custody.core.trail.report import Head, ProvenLog, TrailReport
from custody.core.trail.state import TrailState, off_reason

_LOGS_AT_ONCE: Final = 2000
"""Log files handed to the workers before their results are gathered."""

T = TypeVar("T")

DigestKeys = Callable[[datetime, datetime], Mapping[str, rsa.RSAPublicKey]]
"""CloudTrail's public keys of a time range, by fingerprint."""


@dataclass(frozen=True)
class Pace:
    """Times a validation goes by, and how much it does at once.

    ``cadence``: what one digest covers. ``grace``: how long after its period a digest may come.
    ``skew``: how far S3's time of a delivery and CloudTrail's may differ. ``lookback``: how far
    before the remembered head digests are read again, to find what was changed or put there since.
    ``workers`` read at once; a report covers ``digests_per_step`` digests.
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
    head: Head | None = None,
    since: datetime | None = None,
    pace: Pace = Pace(),
) -> Iterator[TrailReport]:
    """Prove the trail of ``layout`` as it stands at ``as_of``, report by report.

    With ``head`` only what came after it is proven, and what was delivered after ``since``, proven
    before or not; without, everything delivered after ``since``, or everything. ``state`` is what
    CloudTrail says of the trail, ``None`` if it is gone.

    Raises ``ValueError`` if ``head`` is of another trail, and what the store raises when it is not
    an object's fault: the reports until then stand.
    """
    if head is not None and (head.bucket != layout.bucket or not layout.digest_name(head.key)):
        raise ValueError(f"the head s3://{head.bucket}/{head.key} is no digest of this trail")
    with ThreadPoolExecutor(pace.workers) as pool:
        run = _Validation(store, layout, pool, state, as_of, head, since, pace)
        yield from run.reports(keys)


class _Validation:
    """One validation under way."""

    def __init__(
        self,
        store: TrailStore,
        layout: TrailLayout,
        pool: ThreadPoolExecutor,
        state: TrailState | None,
        as_of: datetime,
        head: Head | None,
        since: datetime | None,
        pace: Pace,
    ) -> None:
        starts = [] if head is None else [head.end - pace.lookback]
        starts += [] if since is None else [since]
        start = min(starts, default=None)
        self._store = store
        self._layout = layout
        self._pool = pool
        self._state = state
        self._as_of = as_of
        self._known = head
        self._since = since
        self._start = start
        self._pace = pace
        self._head = head
        self._tip = head
        self._intact = True
        self._keys: Mapping[str, rsa.RSAPublicKey] = {}
        self._logs = LogListing(store, layout, start)
        self._chain = DigestChain(layout, cadence=pace.cadence, since=start, head=head)
        self._filled = DigestChain(layout, cadence=None, since=start)

    def reports(self, keys: DigestKeys) -> Iterator[TrailReport]:
        """Digests and their logs from the oldest on; then what only the whole shows."""
        found, foreign = self._list_digests()
        regular = [entry for entry in found if not entry.name.backfill]
        backfill = [entry for entry in found if entry.name.backfill]
        if found:
            first = min(entry.name.end for entry in found)
            self._keys = keys(min(first, self._as_of) - self._pace.cadence, self._as_of)
        off = self._off()
        yield self._report(foreign + off)
        for batch in _batches(regular, self._pace.digests_per_step):
            yield self._step(batch, self._chain)
        for batch in _batches(backfill, self._pace.digests_per_step):
            yield self._step(batch, self._filled)
        missing = self._filled.finish(due_by=self._as_of) + self._missing_tail(off=bool(off))
        yield self._report(missing + self._injected())

    def _list_digests(self) -> tuple[list[FoundDigest], list[TrailDefect]]:
        """The trail's digests in the order of their ends, and what else lies among them."""
        prefix, after = self._layout.digest_prefix, ""
        if self._start is not None:
            after = f"{prefix}{self._start:%Y/%m/%d}"
        found, foreign = [], []
        for stored in self._store.list(prefix, after=after):
            name = self._layout.digest_name(stored.key)
            if name is not None:
                if self._start is None or name.end >= self._start:
                    found.append(FoundDigest(self._layout.bucket, name, stored))
            elif not self._layout.is_digest_of_another_trail(stored.key) and _is_file(stored):
                foreign.append(self._foreign(stored))
        return sorted(found, key=lambda entry: (entry.name.end, entry.name.key)), foreign

    def _off(self) -> list[TrailDefect]:
        reason = off_reason(self._state, self._layout)
        if reason is None:
            return []
        return [
            TrailDefect(
                TrailDefectKind.TRAIL_OFF, self._layout.bucket, self._layout.digest_prefix, reason
            )
        ]

    def _missing_tail(self, *, off: bool) -> list[TrailDefect]:
        """What should be there behind the newest digest, or instead of none at all."""
        if self._chain.is_empty:
            return self._no_digests(off=off)
        state = self._state
        due_by: datetime | None = self._as_of - self._pace.grace
        if off:
            stopped_at = state.stopped_at if state and not state.logging else None
            due_by = min(self._as_of - self._pace.grace, stopped_at) if stopped_at else None
        return self._chain.finish(
            due_by=due_by,
            restarted=state.started_at if state and not off else None,
            remark=(
                f" (CloudTrail's latest attempt failed: {state.digest_error})"
                if state and state.digest_error
                else ""
            ),
        )

    def _no_digests(self, *, off: bool) -> list[TrailDefect]:
        known = self._known
        if known is None:
            began = [t for t in (self._start, self._state and self._state.started_at) if t]
            due = max(began) + self._pace.cadence + self._pace.grace if began else self._as_of
            if off or self._as_of < due:
                return []
        told = f", not even the one remembered, {known.key}" if known else ""
        return [
            TrailDefect(
                TrailDefectKind.NO_DIGESTS,
                self._layout.bucket,
                self._layout.digest_prefix,
                f"There is not one digest, so no log file can be proven{told}.",
                period_start=self._start,
                period_end=self._as_of,
            )
        ]

    # One step

    def _step(self, batch: Sequence[FoundDigest], chain: DigestChain) -> TrailReport:
        """Verify a batch of digests and the log files they name, in parallel."""
        load = functools.partial(load_digest, self._store, self._keys)
        digests = list(self._pool.map(load, batch))
        defects: list[TrailDefect] = []
        proven: list[ProvenLog] = []
        for found, digest, logs in zip(batch, digests, self._check_logs(digests), strict=True):
            problems = [digest.defect] if digest.defect else []
            problems += [checked.defect for checked in logs if checked.defect]
            proven += [checked.proven for checked in logs if checked.proven]
            if digest.signed is not None:
                problems += chain.follow(digest.signed)
            elif digest.defect is not None:
                chain.unproven(found.name)
            if chain is self._chain:
                self._remember(digest.signed, intact=not problems)
            defects += problems
        verified = sum(digest.signed is not None for digest in digests)
        return self._report(defects, digests=verified, logs=proven)

    def _remember(self, signed: SignedDigest | None, *, intact: bool) -> None:
        self._intact = self._intact and intact
        if signed is None:
            return
        if self._tip is None or signed.digest.end > self._tip.end:
            self._tip = signed.head
        if self._intact and (self._head is None or signed.digest.end > self._head.end):
            self._head = signed.head

    def _report(
        self,
        defects: Sequence[TrailDefect],
        *,
        digests: int = 0,
        logs: Sequence[ProvenLog] = (),
    ) -> TrailReport:
        return TrailReport(tuple(defects), self._head, self._tip, digests, tuple(logs))

    # Log files

    def _check_logs(self, loaded: Sequence[LoadedDigest]) -> list[list[CheckedLog]]:
        """For each digest what becomes of the log files it names, in parallel over all of them.

        Those of digests proven before are not read again unless asked for, but they are named: not
        injected.
        """
        results: list[list[CheckedLog]] = [[] for _ in loaded]
        unproven = (
            (place, named)
            for place, digest in enumerate(loaded)
            for named in self._named(digest.signed)
            if not self._is_proven_for_good(digest.signed)
        )
        for chunk in _batches(unproven, _LOGS_AT_ONCE):
            check = functools.partial(check_log, self._store)
            checked = self._pool.map(check, [named for _, named in chunk])
            for (place, _), result in zip(chunk, checked, strict=True):
                results[place].append(result)
        return results

    def _named(self, signed: SignedDigest | None) -> Iterator[NamedLog]:
        if signed is not None:
            for log in signed.digest.log_files:
                yield NamedLog(log, signed.digest.key, self._logs.named(log))

    def _is_proven_for_good(self, signed: SignedDigest | None) -> bool:
        if signed is None or self._known is None or signed.digest.end > self._known.end:
            return False
        return self._since is None or signed.digest.end <= self._since

    # What no digest names

    def _injected(self) -> list[TrailDefect]:
        """The objects among the logs that no digest names although one would have by now."""
        defects = []
        before: list[StoredObject] = []
        skew = self._pace.skew
        for stored in self._logs.unnamed():
            at = stored.delivered_at
            if stored.current.deletes or not _is_file(stored):
                continue
            made = self._layout.log_time(stored.key)
            if made is None:
                defects.append(self._foreign(stored))
            elif any(self._filled.leaves_open(time, within=skew) for time in (made, at)):
                continue
            elif self._chain.is_before(at, within=skew):
                before.append(stored)
            elif covering := self._chain.covering(at, within=skew):
                reason = (
                    f"No digest names this log file, which was put here at {format_utc(at)}: "
                    "CloudTrail did not deliver it."
                )
                defects.append(self._object(stored, reason, covering))
        return defects + self._before_first(before)

    def _foreign(self, stored: StoredObject) -> TrailDefect:
        reason = "It lies among CloudTrail's files under a name that CloudTrail does not give."
        return self._object(stored, reason, None)

    def _object(self, stored: StoredObject, reason: str, digest_key: str | None) -> TrailDefect:
        return TrailDefect(
            TrailDefectKind.INJECTED,
            self._layout.bucket,
            stored.key,
            reason,
            stored.current.id,
            digest_key,
        )

    def _before_first(self, logs: Sequence[StoredObject]) -> list[TrailDefect]:
        """Log files from before the first digest: one stretch of time, however many they are."""
        first = self._chain.first
        if not logs or first is None:
            return []
        since = min(stored.delivered_at for stored in logs)
        return [
            TrailDefect(
                TrailDefectKind.GAP,
                self._layout.bucket,
                first.digest.key,
                f"The first digest begins at {format_utc(first.digest.start)}; {len(logs)} log "
                f"file(s) put here since {format_utc(since)} are older, and nothing proves them.",
                digest_key=first.digest.key,
                period_start=since,
                period_end=first.digest.start,
            )
        ]


def _is_file(stored: StoredObject) -> bool:
    """Whether it holds anything; the console makes empty objects that look like folders."""
    return stored.current.size > 0 or not stored.key.endswith("/")


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    every = iter(items)
    while batch := list(itertools.islice(every, size)):
        yield batch
