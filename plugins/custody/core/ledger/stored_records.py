"""What the provenance bucket holds under the keys of records, for the ledger to judge by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from custody.core.ledger.facts import StoredRecord, time_filed
from custody.core.ledger.kinds.defects import MalformedRecord
from custody.core.ledger.policy import Policy
from custody.core.records.checking import ReadEnvelope
from custody.core.records.names import RECORD_PREFIX, is_filed_early, noted_id
from custody.core.trail.events import TrailEvent

RECORDED_WITHIN: Final = timedelta(hours=2)
"""How long the recorder takes for a record where nothing keeps it."""

_LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ANY_VERSION: Final = "any version"
_DISPLACED: Final = re.compile(r"\.conflict-[0-9a-f]{16}\.json\Z")


def undisplaced_key(key: str) -> str:
    """The key that a record would have had the recorder found nothing else under it."""
    return _DISPLACED.sub(".json", key)


def stored_late(envelope: ReadEnvelope) -> bool:
    """Whether an envelope was stored later than the recorder does it, so that the trail has to be
    read up to then to tell by whom. One that is no record counts from the start of its day."""
    written = envelope.claim.event.time if envelope.claim is not None else _LONG_AGO
    return envelope.stored_at > time_filed(envelope.stored.key, written) + RECORDED_WITHIN


def _is_displaced(envelope: ReadEnvelope) -> bool:
    return _DISPLACED.search(envelope.stored.key) is not None


def is_note_write(event: TrailEvent, policy: Policy) -> bool:
    """Whether an event is a write where the recorder notes that a record is late."""
    return (
        event.is_write
        and policy.layers.get(event.bucket) == "provenance"
        and noted_id(event.key or "") is not None
    )


def noted_late(
    writes: Iterable[TrailEvent], lying: Mapping[str, datetime], policy: Policy
) -> frozenset[str]:
    """The ids of the records that the recorder notes as late, by the `writes` of notes, and by
    those that are `lying` there (by key, with the time when each was stored) while their events may
    still come.

    Also by a write that no digest covers yet: it pages nobody, and names nobody. A note that an
    event shows to be another's counts for nothing.
    """
    known = list(writes)
    of_recorder = {event.key for event in known if event.who.is_one_of(policy.recorders)}
    of_others = {event.key for event in known if event.proven} - of_recorder
    awaited = {
        key
        for key, stored_at in lying.items()
        if key not in of_others and policy.awaits_event(stored_at)
    }
    return frozenset(found for key in of_recorder | awaited if (found := noted_id(key or "")))


@dataclass(frozen=True, slots=True)
class FoundRecords:
    """What lies, or lay, under the keys of records: `records`, what cannot be read as one, the
    writes of which nothing was read (`unread`), and what S3 does not hand out for a key of the
    deployment's own (`locked`), which says nothing of it."""

    records: Sequence[StoredRecord]
    malformed: Sequence[MalformedRecord]
    unread: Sequence[TrailEvent]
    locked: Sequence[ReadEnvelope] = ()


def is_record_write(event: TrailEvent, policy: Policy) -> bool:
    """Whether an event is a write under the key of a record."""
    return (
        event.is_write
        and policy.layers.get(event.bucket) == "provenance"
        and (event.key or "").startswith(RECORD_PREFIX)
    )


def is_early(event: TrailEvent, policy: Policy) -> bool:
    """Whether it is the recorder's write of a record, under a day that had not come."""
    by_recorder = is_record_write(event, policy) and event.who.is_one_of(policy.recorders)
    return by_recorder and is_filed_early(event.key or "", event.time)


def is_notable_write(event: TrailEvent, policy: Policy) -> bool:
    """Whether an event is a write under the key of a record that may be a finding: by somebody
    other than the recorder, or under a day that had not come."""
    by_other = is_record_write(event, policy) and not event.who.is_one_of(policy.recorders)
    return by_other or is_early(event, policy)


def found_records(
    envelopes: Iterable[ReadEnvelope], notable: Iterable[TrailEvent], policy: Policy
) -> FoundRecords:
    """Put together what was read under some keys of records with the `notable` writes to them."""
    read, writes = list(envelopes), list(notable)
    undeclared = (write for write in writes if not write.who.is_one_of(policy.recorders))
    locked = [envelope for envelope in read if envelope.key_away is not None]
    others = [envelope for envelope in read if envelope.key_away is None]
    return FoundRecords(*split_envelopes(others, undeclared), _unread(read, writes), locked)


def _unread(envelopes: Sequence[ReadEnvelope], writes: Sequence[TrailEvent]) -> list[TrailEvent]:
    """The writes of which no envelope was read: what they wrote is gone again, or is filed where
    the records of the window are not."""
    versions = {(envelope.stored.key, envelope.stored.version_id) for envelope in envelopes}
    keys = {key for key, _ in versions}
    return [
        write
        for write in writes
        if write.key not in keys
        or (write.version_id is not None and (write.key, write.version_id) not in versions)
    ]


def split_envelopes(
    envelopes: Iterable[ReadEnvelope], undeclared_writes: Iterable[TrailEvent]
) -> tuple[list[StoredRecord], list[MalformedRecord]]:
    """Split envelopes into records and objects that cannot be read as a record.

    `undeclared_writes` are the trail's events of others than the recorder writing under the keys
    of records; each is about the version it wrote, or where it names none about all of its key.
    A malformed object under the key of a displaced record is left out: the conflict over that key
    tells of it.
    """
    read = list(envelopes)
    writes: dict[tuple[str, str | None], TrailEvent] = {}
    for event in sorted(undeclared_writes, key=lambda e: (e.proven, e.time, e.event_id)):
        key = event.key or ""
        writes[key, event.version_id] = writes[key, _ANY_VERSION] = event

    def write_of(envelope: ReadEnvelope) -> TrailEvent | None:
        key = envelope.stored.key
        return writes.get((key, envelope.stored.version_id)) or writes.get((key, None))

    def displacing(envelope: ReadEnvelope) -> TrailEvent | None:
        if not _is_displaced(envelope):
            return None
        return writes.get((undisplaced_key(envelope.stored.key), _ANY_VERSION))

    records = [
        StoredRecord(
            key=e.stored.key,
            key_id=e.key_id,
            claim=e.claim,
            trouble=e.trouble,
            displaced=_is_displaced(e),
            undeclared_write=write_of(e),
            displacing_write=displacing(e),
            stored_at=e.stored_at,
        )
        for e in read
        if e.claim is not None
    ]
    contested = {undisplaced_key(record.key) for record in records if record.displaced}
    malformed = [
        MalformedRecord(
            bucket=e.stored.bucket,
            key=e.stored.key,
            version_id=e.stored.version_id,
            stored_at=e.stored_at,
            trouble=e.trouble or "it is no record",
            undeclared_write=write_of(e),
        )
        for e in read
        if e.claim is None and e.stored.key not in contested
    ]
    return records, malformed
