"""The landing record: what the recorder claims about one object version, and where it is kept.

A record is an in-toto Statement whose predicate type is ``LANDING_V1``. Its place in the provenance
bucket follows from the object version and the day of its write, so that a second delivery of the
same notification meets the first one's record (docs/adr/010-record-names.md).
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, cast

from custody.core.checksums import ChecksumType, S3Checksum
from custody.core.s3_fields import bucket_name, etag, instant, object_key, sequencer
from custody.core.statement import Statement, Subject
from custody.core.timestamps import format_utc
from custody.core.untrusted import Fields, MalformedInput

LANDING_V1: Final = "https://custody.example/custody/landing/v1"
RECORD_PREFIX: Final = "provenance/incoming/"
UNVERSIONED: Final = "null"
"""What S3 calls the version of an object that was stored without one."""

_RECORD_ID = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class LandingEvent:
    """What the S3 notification said about the write.

    ``request_id`` is the ``requestID`` CloudTrail gives the same write, where the two witnesses
    meet. ``source_ip`` may be a service's name.
    """

    name: str
    time: datetime
    request_id: str
    host_id: str
    source_ip: str
    principal_id: str


@dataclass(frozen=True)
class HashedVersion:
    """What was found on reading an object version from its first byte to its last.

    ``sha256`` is 64 lower-case hexadecimal digits, ``etag`` has no quotes, ``checksum`` is the one
    S3 keeps with the object.
    """

    sha256: str
    size_bytes: int
    etag: str
    checksum: S3Checksum | None


@dataclass(frozen=True)
class Recorder:
    """The program that made the record."""

    name: str
    version: str


@dataclass(frozen=True)
class LandingRecord:
    """One object version: which bytes (``sha256``, ``size_bytes``) are in it, and how they came.

    ``key`` is decoded; ``version_id`` is ``"null"`` in a bucket without versions; ``sha256`` is 64
    lower-case hexadecimal digits; ``etag`` has no quotes; times are aware.
    """

    bucket: str
    key: str
    version_id: str
    sha256: str
    size_bytes: int
    etag: str
    sequencer: str
    checksum: S3Checksum | None
    event: LandingEvent
    hashed_at: datetime
    recorder: Recorder


def record_id(bucket: str, key: str, version_id: str) -> str:
    """The name of the record of an object version: a SHA-256 of the three, as hexadecimal.

    The three are hashed as a JSON list, so that no key can be chosen to look like another bucket's.
    """
    identity = json.dumps([bucket, key, version_id], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(identity.encode("utf-8")).hexdigest()


def record_key(event_time: datetime, record_id: str) -> str:
    """The object key, in the provenance bucket, of the record of a write at ``event_time`` (aware).

    Raises ``ValueError`` for a naive time or for what is no ``record_id``.
    """
    if not _RECORD_ID.fullmatch(record_id):
        raise ValueError(f"a record id is 64 lower-case hexadecimal digits, not {record_id[:80]!r}")
    if event_time.tzinfo is None:
        raise ValueError("event_time must have a time zone: the record's day is a UTC day")
    return f"{RECORD_PREFIX}dt={event_time.astimezone(UTC):%Y-%m-%d}/{record_id}.json"


def conflict_key(record_key: str, sha256: str) -> str:
    """Where a record goes whose ``sha256`` contradicts the one already kept at ``record_key``."""
    return f"{record_key.removesuffix('.json')}.conflict-{sha256[:16]}.json"


def to_statement(record: LandingRecord) -> bytes:
    """The record as the payload of a DSSE envelope."""
    predicate: dict[str, object] = {
        "bucket": record.bucket,
        "key": record.key,
        "versionId": record.version_id,
        "sizeBytes": record.size_bytes,
        "eTag": record.etag,
        "sequencer": record.sequencer,
    }
    if record.checksum is not None:
        predicate["checksum"] = {
            "algorithm": record.checksum.algorithm,
            "type": record.checksum.type,
            "value": record.checksum.value,
        }
    predicate["event"] = {
        "name": record.event.name,
        "time": format_utc(record.event.time),
        "requestId": record.event.request_id,
        "hostId": record.event.host_id,
        "sourceIp": record.event.source_ip,
        "principalId": record.event.principal_id,
    }
    predicate["hashedAt"] = format_utc(record.hashed_at)
    predicate["recorder"] = {"name": record.recorder.name, "version": record.recorder.version}
    subject = Subject(name=_object_uri(record.bucket, record.key), sha256=record.sha256)
    return Statement((subject,), LANDING_V1, predicate).to_bytes()


def from_statement(payload: bytes) -> LandingRecord:
    """Read the payload of a landing record's envelope; raises ``MalformedInput``.

    Refuses a record whose subject and predicate name different objects: half of it would be a lie,
    and readers would differ over which half.
    """
    statement = Statement.parse(payload)
    if statement.predicate_type != LANDING_V1:
        raise MalformedInput(
            "statement.predicateType",
            f"must be {LANDING_V1}, not {statement.predicate_type[:80]!r}",
        )
    if len(statement.subjects) != 1:
        raise MalformedInput(
            "statement.subject", f"must name one object version, not {len(statement.subjects)}"
        )
    subject = statement.subjects[0]
    predicate = Fields.of(statement.predicate, "statement.predicate")
    bucket, key = bucket_name(predicate, "bucket"), object_key(predicate, "key")
    if subject.name != _object_uri(bucket, key):
        raise MalformedInput(
            "statement.subject[0].name", "is not the object that the predicate describes"
        )
    event = predicate.child("event")
    recorder = predicate.child("recorder")
    return LandingRecord(
        bucket=bucket,
        key=key,
        version_id=predicate.text("versionId"),
        sha256=subject.sha256,
        size_bytes=predicate.count("sizeBytes"),
        etag=etag(predicate, "eTag"),
        sequencer=sequencer(predicate, "sequencer"),
        checksum=_checksum(predicate.child("checksum")) if predicate.has("checksum") else None,
        event=LandingEvent(
            name=event.text("name"),
            time=instant(event, "time"),
            request_id=event.text("requestId"),
            host_id=event.text("hostId"),
            source_ip=event.text("sourceIp"),
            principal_id=event.text("principalId"),
        ),
        hashed_at=instant(predicate, "hashedAt"),
        recorder=Recorder(name=recorder.text("name"), version=recorder.text("version")),
    )


def _object_uri(bucket: str, key: str) -> str:
    return f"s3://{bucket}/{key}"


def _checksum(fields: Fields) -> S3Checksum:
    algorithm, kind, value = (fields.text(name) for name in ("algorithm", "type", "value"))
    try:
        return S3Checksum(algorithm, cast("ChecksumType", kind), value)
    except ValueError as error:
        raise MalformedInput(fields.path, str(error)) from error
