"""Compare what the buckets hold now with what the records say was written.

The reconciliation judges writes; this judges what became of them. `DeleteObjects` names no keys
in CloudTrail, S3 logs no event when bytes change at rest, and a version that was written while
neither CloudTrail nor the recorder worked left no other trace: all three show only when versions
are compared.

A finding has the fingerprint that the reconciliation gives the same one, so whichever job finds it
first pages, and the other does not page again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final

from custody.core.ledger import reasons
from custody.core.ledger.kinds.keys import KeyAway, key_row
from custody.core.ledger.kinds.removals import RemovalCalls, decide_removal
from custody.core.ledger.policy import MAX_LATE, Policy
from custody.core.ledger.rows import LedgerRow, row_of_call
from custody.core.ledger.stored_records import undisplaced_key
from custody.core.ledger.verdicts import Verdict
from custody.core.publications.model import PUBLICATION_PREFIX
from custody.core.records.checking import ReadEnvelope
from custody.core.records.model import LandingRecord
from custody.core.records.names import record_id
from custody.core.runs.files import WrittenFile
from custody.core.trail.events import TrailEvent
from custody.core.trail.management_events import ManagementEvent
from custody.core.trail.principals import Call
from custody.objects import ObjectVersion

EXPIRING: Final = frozenset({"silver", "gold"})
"""Layers whose replaced versions expire (`NoncurrentVersionExpiration` in `storage.yaml`), all but
publications: what somebody hid of these still counts (`custody.core.publications.expiry`)."""

_MARKED_WITHIN: Final = timedelta(minutes=1)
"""S3 tells when a marker was made, CloudTrail when the call was done; both to the second."""

_RECORD_NAME: Final = re.compile(r"/([0-9a-f]{64})\.json\Z")


@dataclass(frozen=True, slots=True)
class HeldVersion:
    """A version, or a delete marker, that a bucket holds now; `stored_at` is its LastModified.
    `noted_late`: the recorder has noted that its record is late. `is_latest`: the key leads
    to it."""

    version: ObjectVersion
    stored_at: datetime
    is_marker: bool
    noted_late: bool = False
    is_latest: bool = True
    size_bytes: int = 0

    @property
    def identity(self) -> str:
        """The id of its record."""
        return record_id(self.version)


@dataclass(frozen=True, slots=True)
class RecordedVersion:
    """What good records say of one version.

    `written_at` is when it was written, `recorded_at` when it is known to have been there.
    `sha256s` are the hashes on record: none if nobody could read it, several if the records
    contradict each other (which the reconciliation finds). `record_key` is None of a version
    that no record tells of: what is known of it, the sweep found (`kinds.sweep`).
    """

    version: ObjectVersion
    written_at: datetime
    recorded_at: datetime
    sha256s: frozenset[str]
    size_bytes: int
    key_id: str | None
    record_key: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of reading a version's bytes: their hash and number, or why there is none
    (`trouble`).

    `gone` if S3 refuses for good to return them, which counts as removed; `key_away` if they are
    encrypted under a key of the deployment's own that cannot be used, which says nothing of them.
    """

    sha256: str | None
    trouble: str | None = None
    gone: bool = False
    key_away: KeyAway | None = None
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ObjectAtRest:
    """One object: everything a bucket `held` of it, which version ids of these have no record at
    all, and the versions on record that are `missing`."""

    bucket: str
    key: str
    held: tuple[HeldVersion, ...]
    unrecorded: frozenset[str]
    missing: tuple[RecordedVersion, ...]


def identity_of(key: str) -> str | None:
    """The id in the key of a record's object; None for a key of another form."""
    found = _RECORD_NAME.search(undisplaced_key(key))
    return found[1] if found else None


def is_in_sample(identity: str, day: date, days: int) -> bool:
    """Whether a version's bytes are read on `day`; each is, on one of any `days` days in a row.

    `identity` is a record id. It is a hash, so each day's share is about the same, and whoever
    could choose a version's day would have to choose its version id.
    """
    return int(identity[:16], 16) % days == day.toordinal() % days


def recorded_version(envelopes: Iterable[ReadEnvelope], identity: str) -> RecordedVersion | None:
    """What the good records among `envelopes` say of the version `identity`.

    None if there is none: an envelope that cannot be believed, or is about another version than its
    name says, is a finding of the reconciliation and proves nothing here.
    """
    good = [
        (envelope, envelope.claim)
        for envelope in sorted(
            envelopes, key=lambda e: (e.stored.key, e.stored_at, e.stored.version_id)
        )
        if envelope.claim is not None
        and envelope.trouble is None
        and record_id(envelope.claim.version) == identity
    ]
    if not good:
        return None
    envelope, claim = good[0]
    return RecordedVersion(
        version=claim.version,
        written_at=min(claim.event.time for _, claim in good),
        recorded_at=max(claim.made_at for _, claim in good),
        sha256s=frozenset(c.sha256 for _, c in good if isinstance(c, LandingRecord)),
        size_bytes=claim.size_bytes,
        key_id=envelope.key_id,
        record_key=envelope.stored.key,
    )


def row_of_reading(recorded: RecordedVersion, reading: Reading, policy: Policy) -> LedgerRow | None:
    """`VERIFIED` if the bytes are those on record, else `ALTERED`; None if none are on record.

    `REMOVED` if S3 will not hand out what the recorder could read. If a key of the deployment's own
    is away, the row is about the key. What no record tells of is never `VERIFIED`: None if its
    bytes are those that the sweep hashed.
    """
    if not recorded.sha256s:
        return None
    if reading.key_away is not None:
        return key_row(reading.key_away, policy, time=policy.as_of)
    if reading.gone:
        verdict = Verdict.REMOVED
    elif reading.sha256 in recorded.sha256s:
        verdict = Verdict.VERIFIED
    else:
        verdict = Verdict.ALTERED
    if verdict is Verdict.VERIFIED and recorded.record_key is None:
        return None
    swept_at = recorded.recorded_at if recorded.record_key is None else None
    reason = reasons.of_reading(
        verdict, reading.sha256, reading.trouble, recorded.sha256s, swept_at
    )
    return _with_record(recorded, _row(verdict, reason, recorded.version, policy, None))


def altered_file_rows(
    files: Iterable[WrittenFile], bucket: str, *, time: datetime, policy: Policy
) -> list[LedgerRow]:
    """The `ALTERED` of each file whose bytes are not those that the run which wrote it named."""
    return [
        row_of_call(
            Verdict.ALTERED,
            reasons.of_altered_file(file.sha256),
            ObjectVersion(bucket, file.key, file.version_id),
            time=time,
            policy=policy,
            call=None,
        )
        for file in files
    ]


@dataclass(frozen=True, slots=True)
class Removers:
    """What the trail tells, as far back as it was read, of whatever removes things in a bucket:
    calls that did, and who set its lifecycle rules."""

    calls: tuple[TrailEvent, ...] = ()
    rules: tuple[ManagementEvent, ...] = ()


def rows_at_rest(
    found: ObjectAtRest, removers: Removers, policy: Policy, noncurrent: timedelta
) -> Iterator[LedgerRow]:
    """What is missing, hidden, or on no record of one object.

    Of the `removers`, one that no digest covers may be invented, and names nobody. A replaced
    version of a layer in `EXPIRING` may be gone `noncurrent` after it was replaced, or hidden. What
    is younger than the grace period is passed over: it may be on its way.
    """
    is_publication = found.key.startswith(PUBLICATION_PREFIX)
    may_expire = policy.layers.get(found.bucket) in EXPIRING and not is_publication
    removers = Removers(
        tuple(sorted(removers.calls, key=lambda call: (call.time, call.event_id))),
        tuple(sorted(removers.rules, key=lambda call: (call.time, call.event_id))),
    )
    for held in sorted(found.held, key=lambda held: (held.stored_at, held.version)):
        if held.is_marker:
            yield from _marker(held, removers, policy)
        elif held.version.version_id in found.unrecorded and is_overdue(held, policy):
            reason = reasons.of_unrecorded_at_rest(held.stored_at)
            yield _row(Verdict.UNRECORDED, reason, held.version, policy, None)
    for gone in sorted(found.missing, key=lambda missing: missing.version):
        if gone.written_at + policy.grace > policy.as_of:
            continue
        if may_expire and _has_expired(gone, found, policy.as_of - noncurrent):
            continue
        yield from _missing(gone, removers, policy)


def _has_expired(gone: RecordedVersion, found: ObjectAtRest, replaced_before: datetime) -> bool:
    """Whether a newer version replaced it long enough ago for S3 to have expired it."""
    later = [held.stored_at for held in found.held if held.stored_at >= gone.written_at]
    later += [
        other.written_at
        for other in found.missing
        if other.version != gone.version and other.written_at >= gone.written_at
    ]
    return min(later, default=replaced_before + timedelta.resolution) <= replaced_before


def is_overdue(held: HeldVersion, policy: Policy) -> bool:
    """Whether a version that has no record should have one by now."""
    patience = max(MAX_LATE, policy.grace) if held.noted_late else policy.grace
    is_recorded = policy.layers.get(held.version.bucket) in policy.writers
    return is_recorded and not held.is_marker and held.stored_at + patience <= policy.as_of


def _marker(marker: HeldVersion, removers: Removers, policy: Policy) -> Iterator[LedgerRow]:
    if marker.stored_at > policy.as_of:
        return
    calls = RemovalCalls(
        named=_calls_naming(marker.version, removers),
        unnamed=[
            call
            for call in removers.calls
            if call.key is None and abs(call.time - marker.stored_at) <= _MARKED_WITHIN
        ],
        rules=[rule for rule in removers.rules if rule.time <= marker.stored_at],
    )
    bucket, key = marker.version.bucket, marker.version.key
    expired = policy.has_expired(bucket, key, marker.stored_at)
    removal = decide_removal(bucket, key, calls, policy, expired=expired)
    if removal is not None:
        reason = reasons.of_hidden_object(removal, marker.stored_at)
        yield _row(Verdict.REMOVED, reason, marker.version, policy, removal.proven_call)


def _missing(gone: RecordedVersion, removers: Removers, policy: Policy) -> Iterator[LedgerRow]:
    # CloudTrail drops what is below a second.
    known = gone.recorded_at.replace(microsecond=0)
    calls = RemovalCalls(
        named=_calls_naming(gone.version, removers),
        unnamed=[call for call in removers.calls if call.key is None and call.time >= known],
        rules=removers.rules,
    )
    removal = decide_removal(gone.version.bucket, gone.version.key, calls, policy)
    if removal is not None:
        reason = reasons.of_missing_version(removal)
        row = _row(Verdict.REMOVED, reason, gone.version, policy, removal.proven_call)
        yield _with_record(gone, row)


def _calls_naming(version: ObjectVersion, removers: Removers) -> list[TrailEvent]:
    named = version.key, version.version_id
    return [call for call in removers.calls if (call.key, call.version_id) == named]


def _row(
    verdict: Verdict, reason: str, version: ObjectVersion, policy: Policy, call: Call | None
) -> LedgerRow:
    """A row dated when it was found to be so: that is what is known of every one of them."""
    return row_of_call(verdict, reason, version, time=policy.as_of, policy=policy, call=call)


def _with_record(recorded: RecordedVersion, row: LedgerRow) -> LedgerRow:
    """The row, with what is on record of the version."""
    return replace(
        row,
        sha256=min(recorded.sha256s, default=None),
        size_bytes=recorded.size_bytes,
        key_id=recorded.key_id,
        record_key=recorded.record_key,
    )
