"""Keeping records: written once, never replaced, contradictions kept beside them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from custody.aws.s3.write_once import put_if_absent
from custody.core.formats.dsse import MAX_ENVELOPE_BYTES, Envelope
from custody.core.formats.untrusted import MalformedInput
from custody.core.records.landing import (
    LandingRecord,
    Record,
    agrees,
    conflict_key,
    read_record,
    record_id,
    record_key,
)

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
    """The outcome, and the object key in the provenance bucket at which the claim now stands."""

    outcome: Outcome
    key: str


def keep_record(s3: S3Client, bucket: str, record: Record, envelope: Envelope) -> Kept:
    """Write the ``envelope`` of ``record`` to the provenance ``bucket`` unless it is there already.

    A record it ``agrees`` with makes this a no-op. Anything else that is there, what is no record
    included, is a conflict: it stays as it is and this one is kept beside it.
    """
    version = record_id(record.bucket, record.key, record.version_id)
    key = record_key(record.event.time, version)
    body = envelope.to_json_line()
    if put_if_absent(s3, bucket, key, body):
        read = isinstance(record, LandingRecord)
        return Kept(Outcome.RECORDED if read else Outcome.RECORDED_UNREADABLE, key)
    if _bears_out(_read(s3, bucket, key), record):
        return Kept(Outcome.ALREADY_RECORDED, key)
    evidence = conflict_key(key, record.sha256 if isinstance(record, LandingRecord) else version)
    put_if_absent(s3, bucket, evidence, body)
    return Kept(Outcome.CONFLICT, evidence)


def _read(s3: S3Client, bucket: str, key: str) -> bytes:
    with s3.get_object(Bucket=bucket, Key=key)["Body"] as body:
        return body.read(MAX_ENVELOPE_BYTES + 1)


def _bears_out(existing: bytes, record: Record) -> bool:
    try:
        kept = read_record(Envelope.parse(existing).payload)
    except MalformedInput:
        return False
    return agrees(kept, record)
