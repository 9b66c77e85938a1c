"""What the provenance bucket holds, read as the first witness's testimony."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from custody.core.ledger.rows import IllegibleRecord
from custody.core.ledger.verdicts import SeenRecord
from custody.core.records.checking import ReadEnvelope
from custody.core.trail.events import TrailEvent

_ANY: Final = "any version"
_DISPLACED: Final = re.compile(r"\.conflict-[0-9a-f]{16}\.json\Z")


def proper_place(place: str) -> str:
    """Where a record would lie had the recorder found nothing else there."""
    return _DISPLACED.sub(".json", place)


def _is_displaced(envelope: ReadEnvelope) -> bool:
    return _DISPLACED.search(envelope.place) is not None


def read_testimony(
    envelopes: Iterable[ReadEnvelope], outsiders: Iterable[TrailEvent]
) -> tuple[list[SeenRecord], list[IllegibleRecord]]:
    """The records to judge by, and the objects among them that are none.

    ``outsiders`` are the trail's events of others than the recorder writing to the places of
    records; each is about the version it wrote, or where it names none about all of its place.
    Something illegible in the place of a displaced record is left out: the conflict over that place
    tells of it.
    """
    read = list(envelopes)
    wrote: dict[tuple[str, str | None], TrailEvent] = {}
    for event in sorted(outsiders, key=lambda e: (e.proven, e.time, e.event_id)):
        wrote[event.key or "", event.version_id] = wrote[event.key or "", _ANY] = event

    def outsider(envelope: ReadEnvelope) -> TrailEvent | None:
        place = envelope.place
        return wrote.get((place, envelope.version_id)) or wrote.get((place, None))

    records = [
        SeenRecord(
            place=e.place,
            key_id=e.key_id,
            claim=e.claim,
            trouble=e.trouble,
            displaced=_is_displaced(e),
            outsider=outsider(e),
            squatter=wrote.get((proper_place(e.place), _ANY)) if _is_displaced(e) else None,
        )
        for e in read
        if e.claim is not None
    ]
    contested = {proper_place(record.place) for record in records if record.displaced}
    illegible = [
        IllegibleRecord(
            bucket=e.bucket,
            place=e.place,
            version_id=e.version_id,
            stored_at=e.stored_at,
            trouble=e.trouble or "it is no record",
            outsider=outsider(e),
        )
        for e in read
        if e.claim is None and e.place not in contested
    ]
    return records, illegible
