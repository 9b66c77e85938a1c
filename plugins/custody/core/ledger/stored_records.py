"""What the provenance bucket holds under the keys of records, for the ledger to judge by."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from custody.core.ledger.facts import StoredRecord, time_filed
from custody.core.ledger.kinds.defects import MalformedRecord
from custody.core.records.checking import ReadEnvelope
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
