"""Records as in-toto Statements: the payload of a record's envelope, written and read.

The predicate type is `LANDING_V1` if the version was read and hashed, `UNREADABLE_V1` if nobody
can read it with the recorder's rights.
"""

from __future__ import annotations

from typing import Final, cast

from custody.core.formats.checksums import ChecksumType, S3Checksum
from custody.core.formats.s3_fields import bucket_name, etag, instant, object_key, sequencer
from custody.core.formats.statement import Statement, Subject
from custody.core.formats.timestamps import format_utc
from custody.core.formats.untrusted import Fields, MalformedInput
from custody.core.records.model import (
    LandingEvent,
    LandingRecord,
    Record,
    Recorder,
    UnreadableReason,
    UnreadableRecord,
)
from custody.core.records.names import record_id
from custody.objects import ObjectVersion

LANDING_V1: Final = "https://custody.example/custody/landing/v1"
UNREADABLE_V1: Final = "https://custody.example/custody/unreadable/v1"


def to_statement(record: Record) -> bytes:
    """The record as the payload of a DSSE envelope."""
    if isinstance(record, UnreadableRecord):
        return _unreadable_statement(record).to_bytes()
    return _landing_statement(record).to_bytes()


def read_record(payload: bytes) -> Record:
    """Read the payload of a record's envelope; raises `MalformedInput`.

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
    """Like `read_record`, for those who can use nothing but a hash of the bytes."""
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
    subject = Subject(name=record.version.uri, sha256=record.sha256)
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
        name=record.version.uri,
        s3_object_version=record_id(record.version),
    )
    return Statement((subject,), UNREADABLE_V1, predicate)


def _landing_record(statement: Statement) -> LandingRecord:
    subject, predicate, version = _about_one_version(statement)
    if subject.sha256 is None:
        raise MalformedInput("statement.subject[0].digest.sha256", "is missing")
    return LandingRecord(
        version=version,
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
    subject, predicate, version = _about_one_version(statement)
    if subject.sha256 is not None:
        raise MalformedInput(
            "statement.subject[0].digest.sha256", "cannot be known of what was not read"
        )
    if subject.s3_object_version != record_id(version):
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
        version=version,
        size_bytes=announced.count("sizeBytes"),
        etag=etag(announced, "eTag"),
        sequencer=sequencer(predicate, "sequencer"),
        event=_event(predicate.child("event")),
        reason=UnreadableReason(reason),
        answer=predicate.text("answer"),
        tried_at=instant(predicate, "triedAt"),
        recorder=_recorder(predicate.child("recorder")),
    )


def _about_one_version(statement: Statement) -> tuple[Subject, Fields, ObjectVersion]:
    """The one subject, the predicate, and the object version that both of them name."""
    if len(statement.subjects) != 1:
        raise MalformedInput(
            "statement.subject", f"must name one object version, not {len(statement.subjects)}"
        )
    subject = statement.subjects[0]
    predicate = Fields.of(statement.predicate, "statement.predicate")
    version = ObjectVersion(
        bucket_name(predicate, "bucket"),
        object_key(predicate, "key"),
        predicate.text("versionId"),
    )
    if subject.name != version.uri:
        raise MalformedInput(
            "statement.subject[0].name", "is not the object that the predicate describes"
        )
    return subject, predicate, version


def _version_document(record: Record) -> dict[str, object]:
    version = record.version
    return {"bucket": version.bucket, "key": version.key, "versionId": version.version_id}


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


def _checksum(fields: Fields) -> S3Checksum:
    algorithm, kind, value = (fields.text(name) for name in ("algorithm", "type", "value"))
    try:
        return S3Checksum(algorithm, cast("ChecksumType", kind), value)
    except ValueError as error:
        raise MalformedInput(fields.path, str(error)) from error
