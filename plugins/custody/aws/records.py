"""Keeping landing records: written once, never replaced, contradictions kept beside them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from custody.core.dsse import MAX_ENVELOPE_BYTES, Envelope
from custody.core.landing import (
    LandingRecord,
    conflict_key,
    from_statement,
    record_id,
    record_key,
)
from custody.core.untrusted import MalformedInput

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PUT_ATTEMPTS: Final = 4
"""A racing write makes S3 answer 409; once it is over, the next attempt is told 412 or succeeds."""


class Outcome(Enum):
    """What became of a record."""

    RECORDED = "recorded"
    ALREADY_RECORDED = "already recorded"
    CONFLICT = "conflict kept"


@dataclass(frozen=True)
class Kept:
    """The outcome, and the object key in the provenance bucket at which the claim now stands."""

    outcome: Outcome
    key: str


def keep_record(s3: S3Client, bucket: str, record: LandingRecord, envelope: Envelope) -> Kept:
    """Write the ``envelope`` of ``record`` to the provenance ``bucket`` unless it is there already.

    A record of the same version with the same hash and size makes this a no-op. One that claims
    anything else, or cannot be read, is a conflict: it stays as it is and this one is kept beside
    it.
    """
    key = record_key(record.event.time, record_id(record.bucket, record.key, record.version_id))
    body = envelope.to_json_line()
    if _put_if_absent(s3, bucket, key, body):
        return Kept(Outcome.RECORDED, key)
    if _claims_the_same(_read(s3, bucket, key), record):
        return Kept(Outcome.ALREADY_RECORDED, key)
    evidence = conflict_key(key, record.sha256)
    _put_if_absent(s3, bucket, evidence, body)
    return Kept(Outcome.CONFLICT, evidence)


def _put_if_absent(s3: S3Client, bucket: str, key: str, body: bytes) -> bool:
    """Write the object and say ``True``, or say ``False`` if one was there already."""
    for attempt in range(1, _PUT_ATTEMPTS + 1):
        try:
            s3.put_object(
                Bucket=bucket,
                Key=key,
                Body=body,
                IfNoneMatch="*",
                ContentType="application/json",
                ChecksumAlgorithm="SHA256",
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "PreconditionFailed":
                return False
            if code == "ConditionalRequestConflict" and attempt < _PUT_ATTEMPTS:
                continue
            raise
        return True
    raise AssertionError("the last attempt returns or raises")


def _read(s3: S3Client, bucket: str, key: str) -> bytes:
    with s3.get_object(Bucket=bucket, Key=key)["Body"] as body:
        return body.read(MAX_ENVELOPE_BYTES + 1)


def _claims_the_same(existing: bytes, record: LandingRecord) -> bool:
    try:
        kept = from_statement(Envelope.parse(existing).payload)
    except MalformedInput:
        return False
    return _claim(kept) == _claim(record)


def _claim(record: LandingRecord) -> tuple[str, str, str, str, int]:
    return record.bucket, record.key, record.version_id, record.sha256, record.size_bytes
