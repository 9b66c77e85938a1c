"""The evidence about one object version, as `custody.core.ledger.verdicts` judges it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final

from custody.core.ledger.claims import claimed_id, names_other_caller, names_other_request
from custody.core.records.model import LandingRecord, Record
from custody.core.records.names import day_filed
from custody.core.trail.events import TrailEvent
from custody.core.trail.principals import Principal
from custody.objects import UNVERSIONED, ObjectVersion

_CLOCKS: Final = timedelta(minutes=5)
"""How far the times of S3's notifications and of its objects may be apart."""


def time_filed(key: str, claimed: datetime) -> datetime:
    """When the write was that a record under `key` is about: as `claimed`, within the day that it
    is filed under.

    A time outside that day becomes the day's start, so that a record with an invented time neither
    leaves its day's windows nor stays in its grace period for ever.
    """
    day = day_filed(key)
    if day is None or day == claimed.date():
        return claimed
    return datetime.combine(day, time(), UTC)


@dataclass(frozen=True, slots=True)
class StoredRecord:
    """One envelope in the provenance bucket whose record can be read.

    `key` is its object key; it is `displaced` if the recorder found something else under the
    key that the record should have had. `trouble` says why it is not to be believed, None for a
    good signature. `claim` is what it says, `stored_at` when S3 stored it. `undeclared_write` is
    the trail's event of somebody other than the recorder writing to its key, `displacing_write` the
    same for the key it should have had.
    """

    key: str
    key_id: str | None
    claim: Record
    trouble: str | None
    displaced: bool
    undeclared_write: TrailEvent | None
    displacing_write: TrailEvent | None
    stored_at: datetime

    @property
    def event_time(self) -> datetime:
        """When the write was that the record is about (`time_filed`)."""
        return time_filed(self.key, self.claim.event.time)

    @property
    def precedes_its_write(self) -> bool:
        """Whether it was stored before the write that it tells of, by S3's own time."""
        return self.stored_at < self.event_time - _CLOCKS


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """The evidence about one object version; there is at least one write or record.

    `writes` are the trail's events of its writing, `records` what the provenance bucket holds
    about it. `claimed` is the principal whom the record's notification names, as other events of
    the trail describe him. `noted_late`: the recorder has noted that its record is late.
    `record_locked`: S3 does not hand out its record for a key of the deployment's own.
    """

    version: ObjectVersion
    writes: tuple[TrailEvent, ...]
    records: tuple[StoredRecord, ...]
    claimed: Principal | None
    noted_late: bool = False
    record_locked: bool = False

    @property
    def write(self) -> TrailEvent | None:
        """The event to believe: a proven one, then the earliest."""
        return min(self.writes, key=lambda w: (not w.proven, w.time, w.event_id), default=None)

    @property
    def record(self) -> StoredRecord | None:
        """The record to believe: a good one, then the recorder's own, then the oldest."""
        return min(
            self.records,
            key=lambda r: (
                r.trouble is not None,
                r.undeclared_write is not None,
                r.claim.made_at,
                r.key,
            ),
            default=None,
        )

    @property
    def bad_record(self) -> StoredRecord | None:
        """A record that is not to be believed: the first by key."""
        bad = (record for record in self.records if record.trouble is not None)
        return min(bad, key=lambda record: record.key, default=None)

    @property
    def contents(self) -> list[tuple[str, int]]:
        """SHA-256 and size of the version according to each of its records, each pair once."""
        claims = (record.claim for record in self.records)
        return sorted({(c.sha256, c.size_bytes) for c in claims if isinstance(c, LandingRecord)})

    @property
    def proven_writes(self) -> list[TrailEvent]:
        """The events of its writing that stand in a log file which a digest proves."""
        return [event for event in self.writes if event.proven]

    @property
    def proven_write(self) -> TrailEvent | None:
        """The event to believe, if it is proven."""
        return self.write if self.write is not None and self.write.proven else None

    @property
    def contradicted(self) -> StoredRecord | None:
        """The first record that tells of another call than the proven events of the write do."""
        proven = self.proven_writes
        return next(
            (
                record
                for record in sorted(self.records, key=lambda record: record.key)
                if names_other_request(record.claim, proven)
                or names_other_caller(record.claim, proven)
            ),
            None,
        )

    @property
    def request_id(self) -> str | None:
        """The request that wrote it, as far as it is known: where the version has no id, its
        name."""
        if self.write is not None:
            return self.write.request_id
        return self.record.claim.event.request_id if self.record else None

    @property
    def is_unidentified(self) -> bool:
        """Whether the event of its writing names neither the version nor the request."""
        return self.version.version_id == UNVERSIONED and self.request_id is None

    def record_of(self, call: TrailEvent) -> StoredRecord | None:
        """The record that a call of somebody other than the recorder wrote."""
        written = (record for record in self.records if record.undeclared_write == call)
        return min(written, key=lambda record: record.key, default=None)

    @property
    def undeclared_record_write(self) -> TrailEvent | None:
        """The latest proven event of somebody other than the recorder writing one of the records,
        or to the key that one should have had."""
        return max(
            (event for event in self._undeclared if event.proven),
            key=lambda event: (event.time, event.event_id),
            default=None,
        )

    @property
    def rests_on_unproven(self) -> bool:
        """Whether an event in a log file that no digest proves would decide."""
        events = [self.write, *self._undeclared] if self.write else self._undeclared
        return any(not event.proven for event in events)

    @property
    def early_record(self) -> StoredRecord | None:
        """The first record that was there before the write that it tells of."""
        early = (record for record in self.records if record.precedes_its_write)
        return min(early, key=lambda record: record.key, default=None)

    @property
    def is_only_announced(self) -> bool:
        """Whether only what the recorder was told speaks of the write: no event, no bytes."""
        return not self.writes and not any(
            isinstance(record.claim, LandingRecord) for record in self.records
        )

    @property
    def claimed_arn(self) -> str | None:
        """The uploader whom the record to believe names; his principal id if no event shows his
        ARN."""
        if self.claimed:
            return self.claimed.arn
        return claimed_id(self.record.claim) if self.record else None

    @property
    def _undeclared(self) -> list[TrailEvent]:
        events = (record.undeclared_write or record.displacing_write for record in self.records)
        return [event for event in events if event is not None]
