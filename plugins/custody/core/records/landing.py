"""The records: what the recorder claims about one object version, and where it is kept.

A record is an in-toto Statement. Its predicate type is ``LANDING_V1`` if the version was read and
hashed, ``UNREADABLE_V1`` if nobody will ever read it with the recorder's rights
(docs/adr/032-unreadable-versions.md). Its place in the provenance bucket follows from the object
version and the day of its write, so that a second delivery of the same notification meets the first
one's record (docs/adr/010-record-names.md).
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeAlias, cast

from custody.core.formats.checksums import ChecksumType, S3Checksum
from custody.core.formats.s3_fields import bucket_name, etag, instant, object_key, sequencer
from custody.core.formats.statement import Statement, Subject
from custody.core.formats.timestamps import format_utc
from custody.core.formats.untrusted import Fields, MalformedInput

LANDING_V1: Final = "https://custody.example/custody/landing/v1"
UNREADABLE_V1: Final = "https://custody.example/custody/unreadable/v1"
RECORD_PREFIX: Final = "provenance/incoming/"

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

    @property
    def made_at(self) -> datetime:
        """When the record was made."""
        return self.hashed_at


class UnreadableReason(StrEnum):
    """Why a version cannot be read, now or later, with the rights the recorder has by design."""

    CUSTOMER_KEY = "customer-key"
    """Encrypted with a key that only the uploader has (SSE-C)."""
    KMS_KEY = "kms-key"
    """Encrypted with a KMS key that is not the platform's, and that the recorder may not use."""
    ARCHIVED = "archived"
    """Stored in an archive, from which S3 reads nothing until somebody has it restored."""
    GONE = "gone"
    """Deleted before it was read."""


@dataclass(frozen=True)
class UnreadableRecord:
    """One object version whose bytes nobody could hash, and why.

    ``size_bytes`` and ``etag`` are only what the notification announced. ``answer`` is what S3 said
    when asked for the bytes. The rest is as in ``LandingRecord``.
    """

    bucket: str
    key: str
    version_id: str
    size_bytes: int
    etag: str
    sequencer: str
    event: LandingEvent
    reason: UnreadableReason
    answer: str
    tried_at: datetime
    recorder: Recorder

    @property
    def made_at(self) -> datetime:
        """When the record was made."""
        return self.tried_at


Record: TypeAlias = LandingRecord | UnreadableRecord


def agrees(kept: Record, new: Record) -> bool:
    """Whether ``new`` says nothing that ``kept``, which was there first, does not bear out.

    A version that cannot be read (any more) contradicts no record of it: it may have been deleted
    since. A hash of what was said to be unreadable does.
    """
    if (kept.bucket, kept.key, kept.version_id) != (new.bucket, new.key, new.version_id):
        return False
    if isinstance(new, UnreadableRecord):
        return True
    return isinstance(kept, LandingRecord) and (
        (kept.sha256, kept.size_bytes) == (new.sha256, new.size_bytes)
    )


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


def conflict_key(record_key: str, digest: str) -> str:
    """Where a record goes that does not agree with what is already kept at ``record_key``.

    ``digest`` is what its subject is identified by, in hexadecimal.
    """
    return f"{record_key.removesuffix('.json')}.conflict-{digest[:16]}.json"


def to_statement(record: Record) -> bytes:
    """The record as the payload of a DSSE envelope."""
    if isinstance(record, UnreadableRecord):
        return _unreadable_statement(record).to_bytes()
    return _landing_statement(record).to_bytes()


def read_record(payload: bytes) -> Record:
    """Read the payload of a record's envelope; raises ``MalformedInput``.

    Refuses a record whose subject and predicate name different objects: half of it would be a lie,
    and readers would differ over which half.
    """
    statement = Statement.parse(payload)
    if statement.predicate_type == LANDING_V1:
        return _landing_record(statement)
    if statement.predicate_type == UNREADABLE_V1:
        return _unreadable_record(statement)
    raise MalformedInput(
        "statement.predicateType",
        f"must be {LANDING_V1} or {UNREADABLE_V1}, not {statement.predicate_type[:80]!r}",
    )


def from_statement(payload: bytes) -> LandingRecord:
    """Like ``read_record``, for those who can use nothing but a hash of the bytes."""
    record = read_record(payload)
    if isinstance(record, UnreadableRecord):
        raise MalformedInput(
            "statement.predicateType", f"must be {LANDING_V1}, not {UNREADABLE_V1!r}"
        )
    return record


def _landing_statement(record: LandingRecord) -> Statement:
    predicate: dict[str, object] = {
        **_version_document(record),
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
    predicate["event"] = _event_document(record.event)
    predicate["hashedAt"] = format_utc(record.hashed_at)
    predicate["recorder"] = _recorder_document(record.recorder)
    subject = Subject(name=_object_uri(record.bucket, record.key), sha256=record.sha256)
    return Statement((subject,), LANDING_V1, predicate)


def _unreadable_statement(record: UnreadableRecord) -> Statement:
    predicate: dict[str, object] = {
        **_version_document(record),
        "announced": {"sizeBytes": record.size_bytes, "eTag": record.etag},
        "sequencer": record.sequencer,
        "reason": record.reason.value,
        "answer": record.answer,
        "event": _event_document(record.event),
        "triedAt": format_utc(record.tried_at),
        "recorder": _recorder_document(record.recorder),
    }
    subject = Subject(
        name=_object_uri(record.bucket, record.key),
        s3_object_version=record_id(record.bucket, record.key, record.version_id),
    )
    return Statement((subject,), UNREADABLE_V1, predicate)


def _landing_record(statement: Statement) -> LandingRecord:
    subject, predicate, bucket, key = _about_one_version(statement)
    if subject.sha256 is None:
        raise MalformedInput("statement.subject[0].digest.sha256", "is missing")
    return LandingRecord(
        bucket=bucket,
        key=key,
        version_id=predicate.text("versionId"),
        sha256=subject.sha256,
        size_bytes=predicate.count("sizeBytes"),
        etag=etag(predicate, "eTag"),
        sequencer=sequencer(predicate, "sequencer"),
        checksum=_checksum(predicate.child("checksum")) if predicate.has("checksum") else None,
        event=_event(predicate.child("event")),
        hashed_at=instant(predicate, "hashedAt"),
        recorder=_recorder(predicate.child("recorder")),
    )


def _unreadable_record(statement: Statement) -> UnreadableRecord:
    subject, predicate, bucket, key = _about_one_version(statement)
    version_id = predicate.text("versionId")
    if subject.sha256 is not None:
        raise MalformedInput(
            "statement.subject[0].digest.sha256", "cannot be known of what was not read"
        )
    if subject.s3_object_version != record_id(bucket, key, version_id):
        raise MalformedInput(
            "statement.subject[0].digest.s3ObjectVersion",
            "is not the object version that the predicate describes",
        )
    announced, reason = predicate.child("announced"), predicate.text("reason")
    if reason not in set(UnreadableReason):
        raise MalformedInput(
            predicate.where("reason"), f"{reason[:40]!r} is none of {[*map(str, UnreadableReason)]}"
        )
    return UnreadableRecord(
        bucket=bucket,
        key=key,
        version_id=version_id,
        size_bytes=announced.count("sizeBytes"),
        etag=etag(announced, "eTag"),
        sequencer=sequencer(predicate, "sequencer"),
        event=_event(predicate.child("event")),
        reason=UnreadableReason(reason),
        answer=predicate.text("answer"),
        tried_at=instant(predicate, "triedAt"),
        recorder=_recorder(predicate.child("recorder")),
    )


def _about_one_version(statement: Statement) -> tuple[Subject, Fields, str, str]:
    """The one subject, the predicate, and the bucket and key that both of them name."""
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
    return subject, predicate, bucket, key


def _version_document(record: Record) -> dict[str, object]:
    return {"bucket": record.bucket, "key": record.key, "versionId": record.version_id}


def _event_document(event: LandingEvent) -> dict[str, object]:
    return {
        "name": event.name,
        "time": format_utc(event.time),
        "requestId": event.request_id,
        "hostId": event.host_id,
        "sourceIp": event.source_ip,
        "principalId": event.principal_id,
    }


def _event(fields: Fields) -> LandingEvent:
    return LandingEvent(
        name=fields.text("name"),
        time=instant(fields, "time"),
        request_id=fields.text("requestId"),
        host_id=fields.text("hostId"),
        source_ip=fields.text("sourceIp"),
        principal_id=fields.text("principalId"),
    )


def _recorder_document(recorder: Recorder) -> dict[str, object]:
    return {"name": recorder.name, "version": recorder.version}


def _recorder(fields: Fields) -> Recorder:
    return Recorder(name=fields.text("name"), version=fields.text("version"))


def _object_uri(bucket: str, key: str) -> str:
    return f"s3://{bucket}/{key}"


def _checksum(fields: Fields) -> S3Checksum:
    algorithm, kind, value = (fields.text(name) for name in ("algorithm", "type", "value"))
    try:
        return S3Checksum(algorithm, cast("ChecksumType", kind), value)
    except ValueError as error:
        raise MalformedInput(fields.path, str(error)) from error
