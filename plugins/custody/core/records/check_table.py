"""The table `record_checks`: every envelope is read and verified once, and what came of it kept.

A row holds what the record says as its own statement, so that nothing is lost by keeping it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from custody.core.records.checking import ReadEnvelope
from custody.core.records.statement import read_record, to_statement
from custody.objects import ObjectVersion


@dataclass(frozen=True, slots=True)
class RecordCheck:
    """One row. `statement` is the record's in-toto statement, None if it could not be read;
    `trouble` is why the envelope is not to be believed, None if it is."""

    bucket: str
    record_key: str
    record_version: str
    stored_at: datetime
    key_id: str | None
    statement: str | None
    trouble: str | None


def to_row(envelope: ReadEnvelope) -> RecordCheck:
    """What is kept of an envelope that was read."""
    claim = envelope.claim
    return RecordCheck(
        bucket=envelope.stored.bucket,
        record_key=envelope.stored.key,
        record_version=envelope.stored.version_id,
        stored_at=envelope.stored_at,
        key_id=envelope.key_id,
        statement=to_statement(claim).decode("utf-8") if claim else None,
        trouble=envelope.trouble,
    )


def from_row(row: Mapping[str, object]) -> ReadEnvelope:
    """The envelope that a row was made of; raises `MalformedInput` for a row that is none."""
    check = RecordCheck(**row)  # type: ignore[arg-type]  # a row of the table has its columns
    return ReadEnvelope(
        stored=ObjectVersion(check.bucket, check.record_key, check.record_version),
        stored_at=check.stored_at,
        key_id=check.key_id,
        claim=read_record(check.statement.encode("utf-8")) if check.statement else None,
        trouble=check.trouble,
    )
