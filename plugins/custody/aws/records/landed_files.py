"""Reading landed files through the custody gate.

A file is read only if its record exists, is to be believed (`custody.core.records.checking`), is
about this very object version, and names the hash of the bytes that arrived here. All of it is
checked before the first byte is used.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO

from botocore.exceptions import ClientError

from custody.core.datasets.landed_csv import BrokenFileError, TextCheck
from custody.core.formats.dsse import MAX_ENVELOPE_BYTES
from custody.core.records.checking import ReadEnvelope, TrustedKey, read_envelope
from custody.core.records.landing import LandingRecord, UnreadableRecord, record_id, record_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK_BYTES = 1024 * 1024
# A record is filed under the day its event was sent; around midnight that may not be the day S3
# gives as the object's last modification.
_DAYS_TO_LOOK = (timedelta(0), timedelta(days=1), timedelta(days=-1))


@dataclass(frozen=True, slots=True)
class LandedObject:
    """One object version that lies in bronze. `version_id` is ``null`` in an unversioned bucket."""

    bucket: str
    key: str
    version_id: str
    last_modified: datetime

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key} (version {self.version_id})"


@dataclass(frozen=True, slots=True)
class Gate:
    """Where records lie, and the keys (by their id) that may have signed them."""

    provenance_bucket: str
    keys: Mapping[str, TrustedKey]


def list_landed(s3: S3Client, bucket: str, prefix: str) -> list[LandedObject]:
    """The current version of every object under `prefix`, by key; folder markers are no objects."""
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    return [
        LandedObject(bucket, item["Key"], item["VersionId"], item["LastModified"])
        for page in pages
        for item in page.get("Versions", ())
        if item["IsLatest"] and not item["Key"].endswith("/")
    ]


def record_of(s3: S3Client, landed: LandedObject, gate: Gate) -> LandingRecord:
    """The verified record of an object version.

    Raises BrokenFileError ``custody.unrecorded``, ``custody.bad_signature`` or, if its record says
    that nobody could hash it, ``custody.unreadable``; any other failure to read the record (such as
    a missing permission) is raised as it is: it says nothing of the file.
    """
    envelope = _envelope_of(s3, landed, gate)
    record = envelope.claim
    if record is None or envelope.trouble is not None:
        raise BrokenFileError("custody.bad_signature", str(envelope.trouble))
    about = (record.bucket, record.key, record.version_id)
    if about != (landed.bucket, landed.key, landed.version_id):
        raise BrokenFileError(
            "custody.bad_signature",
            f"its record is about s3://{record.bucket}/{record.key} (version {record.version_id})",
        )
    if isinstance(record, UnreadableRecord):
        raise BrokenFileError(
            "custody.unreadable",
            f"the recorder could not read it ({record.reason}): {record.answer}",
        )
    return record


def record_places(landed: LandedObject) -> Iterator[str]:
    """The object keys at which the record of an object version may lie, the likeliest first."""
    name = record_id(landed.bucket, landed.key, landed.version_id)
    return (record_key(landed.last_modified + days, name) for days in _DAYS_TO_LOOK)


@contextmanager
def open_verified(s3: S3Client, landed: LandedObject, record: LandingRecord) -> Iterator[BinaryIO]:
    """The bytes of an object version, read once, on local disk, at their start.

    Raises BrokenFileError ``custody.altered`` when they are not the bytes of the record, and what
    `TextCheck` raises when they are no text.
    """
    digest, text = hashlib.sha256(), TextCheck()
    with tempfile.TemporaryFile() as spool:
        found = s3.get_object(Bucket=landed.bucket, Key=landed.key, VersionId=landed.version_id)
        for chunk in found["Body"].iter_chunks(_CHUNK_BYTES):
            digest.update(chunk)
            text.feed(chunk)
            spool.write(chunk)
        if digest.hexdigest() != record.sha256:
            raise BrokenFileError(
                "custody.altered",
                f"the bytes hash to {digest.hexdigest()}, the record says {record.sha256}",
            )
        text.finish()
        spool.seek(0)
        yield spool


def _envelope_of(s3: S3Client, landed: LandedObject, gate: Gate) -> ReadEnvelope:
    bucket = gate.provenance_bucket
    for place in record_places(landed):
        try:
            found = s3.get_object(Bucket=bucket, Key=place)
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"NoSuchKey", "404"}:
                raise
        else:
            return read_envelope(
                found["Body"].read(MAX_ENVELOPE_BYTES + 1),
                gate.keys,
                bucket=bucket,
                place=place,
                version_id=found.get("VersionId", "null"),
                stored_at=found["LastModified"],
            )
    name = record_id(landed.bucket, landed.key, landed.version_id)
    raise BrokenFileError("custody.unrecorded", f"no record {name} within a day of its landing")
