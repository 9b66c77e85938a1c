"""Keep records: each is written once and never replaced; a contradiction is kept beside it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from custody.aws.s3.reading import read_current
from custody.aws.s3.write_once import put_if_absent
from custody.core.formats.dsse import MAX_ENVELOPE_BYTES, Envelope
from custody.core.formats.untrusted import MalformedInput
from custody.core.records.model import LandingRecord, Record, agrees
from custody.core.records.names import conflict_key, record_id, record_key
from custody.core.records.statement import read_record

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Outcome(Enum):
    """What became of a record."""

    RECORDED = "recorded"
    RECORDED_UNREADABLE = "recorded as unreadable"
    ALREADY_RECORDED = "already recorded"
    CONFLICT = "conflict kept"


@dataclass(frozen=True)
class Kept:
    """The outcome, and the object key in the provenance bucket at which the record is now."""

    outcome: Outcome
    key: str


def keep_record(s3: S3Client, bucket: str, record: Record, envelope: Envelope) -> Kept:
    """Write the `envelope` of `record` to the provenance `bucket` unless it is there already.

    If a record that agrees with it is there, nothing is written. Anything else that is there, what
    is no record included, is a conflict: it stays as it is and this one is kept beside it.
    """
    name = record_id(record.version)
    key = record_key(record.event.time, name)
    body = envelope.to_json_line()
    if put_if_absent(s3, bucket, key, body):
        read = isinstance(record, LandingRecord)
        return Kept(Outcome.RECORDED if read else Outcome.RECORDED_UNREADABLE, key)
    kept = read_current(s3, bucket, key, max_bytes=MAX_ENVELOPE_BYTES)
    if kept is not None and _agrees(kept.body, record):
        return Kept(Outcome.ALREADY_RECORDED, key)
    evidence = conflict_key(key, record.sha256 if isinstance(record, LandingRecord) else name)
    put_if_absent(s3, bucket, evidence, body)
    return Kept(Outcome.CONFLICT, evidence)


def _agrees(existing: bytes, record: Record) -> bool:
    try:
        kept = read_record(Envelope.parse(existing).payload)
    except MalformedInput:
        return False
    return agrees(kept, record)
