"""Landing records: one name per object version, and a payload that reads back as it was written."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.strategies import (
    json_values,
    records,
    unreadable_records,
)

from custody.core.formats.checksums import S3Checksum
from custody.core.formats.untrusted import MalformedInput
from custody.core.records.model import (
    LandingEvent,
    LandingRecord,
    Recorder,
    UnreadableReason,
    UnreadableRecord,
    agrees,
)
from custody.core.records.names import record_id
from custody.core.records.statement import LANDING_V1, from_statement, read_record, to_statement
from custody.objects import ObjectVersion

RECORD = LandingRecord(
    version=ObjectVersion(
        "custody-dev-raw-111122223333",
        "incoming/customers/dt=2026-11-01/é+%.csv",
        "3HL4kqtJvjVBH40Nrjfkd",
    ),
    sha256="ab" * 32,
    size_bytes=12,
    etag="d41d8cd98f00b204e9800998ecf8427e",
    sequencer="0055AED6DCD90281E5",
    checksum=S3Checksum("CRC32", "COMPOSITE", "AAAAAA==-2"),
    event=LandingEvent(
        name="ObjectCreated:Put",
        time=datetime(2026, 11, 1, 6, 0, 0, 120_000, tzinfo=UTC),
        request_id="C3D13FE58DE4C810",
        host_id="FMyUVURIY8",
        source_ip="198.51.100.7",
        principal_id="AWS:AIDAJDPLRKLG7UEXAMPLE",
    ),
    hashed_at=datetime(2026, 11, 1, 6, 0, 1, 5_000, tzinfo=UTC),
    recorder=Recorder("custody-recorder", "1.0.0"),
)

DOCUMENT = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [
        {
            "name": "s3://custody-dev-raw-111122223333/incoming/customers/dt=2026-11-01/é+%.csv",
            "digest": {"sha256": "ab" * 32},
        }
    ],
    "predicateType": "https://custody.example/custody/landing/v1",
    "predicate": {
        "bucket": "custody-dev-raw-111122223333",
        "key": "incoming/customers/dt=2026-11-01/é+%.csv",
        "versionId": "3HL4kqtJvjVBH40Nrjfkd",
        "sizeBytes": 12,
        "eTag": "d41d8cd98f00b204e9800998ecf8427e",
        "sequencer": "0055AED6DCD90281E5",
        "checksum": {"algorithm": "CRC32", "type": "COMPOSITE", "value": "AAAAAA==-2"},
        "event": {
            "name": "ObjectCreated:Put",
            "time": "2026-11-01T06:00:00.120Z",
            "requestId": "C3D13FE58DE4C810",
            "hostId": "FMyUVURIY8",
            "sourceIp": "198.51.100.7",
            "principalId": "AWS:AIDAJDPLRKLG7UEXAMPLE",
        },
        "hashedAt": "2026-11-01T06:00:01.005Z",
        "recorder": {"name": "custody-recorder", "version": "1.0.0"},
    },
}


UNREADABLE = UnreadableRecord(
    version=RECORD.version,
    size_bytes=12,
    etag=RECORD.etag,
    sequencer=RECORD.sequencer,
    event=RECORD.event,
    reason=UnreadableReason.ARCHIVED,
    answer="InvalidObjectState: The operation is not valid for the object's storage class",
    tried_at=RECORD.hashed_at,
    recorder=RECORD.recorder,
)

UNREADABLE_DOCUMENT = {
    "_type": "https://in-toto.io/Statement/v1",
    "subject": [
        {
            "name": DOCUMENT["subject"][0]["name"],
            "digest": {"s3ObjectVersion": record_id(RECORD.version)},
        }
    ],
    "predicateType": "https://custody.example/custody/unreadable/v1",
    "predicate": {
        "bucket": RECORD.version.bucket,
        "key": RECORD.version.key,
        "versionId": RECORD.version.version_id,
        "announced": {"sizeBytes": 12, "eTag": RECORD.etag},
        "sequencer": RECORD.sequencer,
        "reason": "archived",
        "answer": UNREADABLE.answer,
        "event": DOCUMENT["predicate"]["event"],
        "triedAt": "2026-11-01T06:00:01.005Z",
        "recorder": DOCUMENT["predicate"]["recorder"],
    },
}


def test_the_predicate_is_the_one_we_published():
    """Stored records live for years and others read them: this shape may grow, never change."""
    assert json.loads(to_statement(RECORD)) == DOCUMENT
    assert json.loads(to_statement(UNREADABLE)) == UNREADABLE_DOCUMENT


@given(records)
def test_a_record_reads_back(record):
    assert from_statement(to_statement(record)) == record


@given(records | unreadable_records)
def test_either_kind_of_record_reads_back(record):
    assert read_record(to_statement(record)) == record


def changed(path: str, value: object, document: object = DOCUMENT) -> bytes:
    document = json.loads(json.dumps(document))
    *parents, last = path.split(".")
    target = document
    for name in parents:
        target = target[int(name) if name.isdigit() else name]
    target[last] = value
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("predicateType", LANDING_V1.replace("v1", "v2"), "statement.predicateType"),
        ("subject", DOCUMENT["subject"] * 2, "statement.subject"),
        ("subject.0.name", "s3://elsewhere/key", "statement.subject[0].name"),
        ("predicate.key", "another", "statement.subject[0].name"),
        ("predicate.key", "é" * 513, "statement.predicate.key"),
        ("predicate.key", "", "statement.predicate.key"),
        ("predicate.bucket", "../etc", "statement.predicate.bucket"),
        ("predicate.versionId", None, "statement.predicate.versionId"),
        ("predicate.sizeBytes", "12", "statement.predicate.sizeBytes"),
        ("predicate.sizeBytes", -1, "statement.predicate.sizeBytes"),
        ("predicate.eTag", '"d41d"', "statement.predicate.eTag"),
        ("predicate.sequencer", "xyz", "statement.predicate.sequencer"),
        ("predicate.checksum.type", "FULL_OBJECT", "statement.predicate.checksum"),
        ("predicate.event", [], "statement.predicate.event"),
        ("predicate.event.time", "yesterday", "statement.predicate.event.time"),
        ("predicate.event.requestId", 1, "statement.predicate.event.requestId"),
        ("predicate.hashedAt", "2026-11-01T06:00:01.005", "statement.predicate.hashedAt"),
        ("predicate.recorder.version", None, "statement.predicate.recorder.version"),
    ],
)
def test_names_the_field_at_fault(path, value, field):
    with pytest.raises(MalformedInput) as caught:
        from_statement(changed(path, value))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        ("predicateType", LANDING_V1, "statement.subject[0].digest.sha256"),
        ("subject", UNREADABLE_DOCUMENT["subject"] * 2, "statement.subject"),
        ("subject.0.name", "s3://elsewhere/key", "statement.subject[0].name"),
        ("subject.0.digest.sha256", "ab" * 32, "statement.subject[0].digest.sha256"),
        (
            "subject.0.digest.s3ObjectVersion",
            "ab" * 32,
            "statement.subject[0].digest.s3ObjectVersion",
        ),
        ("predicate.versionId", "another", "statement.subject[0].digest.s3ObjectVersion"),
        ("predicate.announced", None, "statement.predicate.announced"),
        ("predicate.announced.sizeBytes", -1, "statement.predicate.announced.sizeBytes"),
        ("predicate.reason", "tired", "statement.predicate.reason"),
        ("predicate.answer", "", "statement.predicate.answer"),
        ("predicate.triedAt", None, "statement.predicate.triedAt"),
    ],
)
def test_names_the_field_at_fault_in_a_record_of_what_was_not_read(path, value, field):
    with pytest.raises(MalformedInput) as caught:
        read_record(changed(path, value, UNREADABLE_DOCUMENT))
    assert caught.value.field == field


def test_a_landing_record_is_not_one_of_what_was_not_read():
    with pytest.raises(MalformedInput, match="cannot be known"):
        read_record(changed("predicateType", UNREADABLE_DOCUMENT["predicateType"]))


def test_those_who_need_a_hash_do_not_get_a_record_without_one():
    with pytest.raises(MalformedInput, match="unreadable/v1"):
        from_statement(to_statement(UNREADABLE))


FIELDS = [
    *DOCUMENT,
    *(f"predicate.{name}" for name in DOCUMENT["predicate"] | UNREADABLE_DOCUMENT["predicate"]),
    *(f"predicate.event.{name}" for name in DOCUMENT["predicate"]["event"]),
    *("subject.0.name", "subject.0.digest", "predicate.recorder.name"),
]


@given(st.sampled_from(FIELDS), json_values, st.sampled_from([DOCUMENT, UNREADABLE_DOCUMENT]))
def test_hostile_values_are_read_or_refused(path, value, document):
    with suppress(MalformedInput):
        read_record(changed(path, value, document))


@given(st.binary(max_size=200) | json_values.map(json.dumps).map(str.encode))
def test_a_hostile_payload_is_read_or_refused(payload):
    with suppress(MalformedInput):
        read_record(payload)


OTHER_BYTES = replace(RECORD, sha256="cd" * 32)
ANOTHER = replace(RECORD.version, key="another")


@pytest.mark.parametrize(
    ("kept", "new", "agree"),
    [
        (RECORD, replace(RECORD, hashed_at=RECORD.hashed_at + timedelta(1)), True),
        (RECORD, OTHER_BYTES, False),
        (RECORD, replace(RECORD, size_bytes=13), False),
        (RECORD, replace(RECORD, version=replace(RECORD.version, version_id="another")), False),
        # Deleted, say, between two deliveries of one notification.
        (RECORD, UNREADABLE, True),
        (UNREADABLE, replace(UNREADABLE, reason=UnreadableReason.GONE), True),
        (
            UNREADABLE,
            replace(UNREADABLE, version=replace(UNREADABLE.version, key="another")),
            False,
        ),
        # What cannot be read has no hash: one of the two is wrong, and readers must see both.
        (UNREADABLE, RECORD, False),
    ],
)
def test_when_a_second_record_says_nothing_new(kept, new, agree):
    assert agrees(kept, new) is agree


@given(records | unreadable_records)
def test_a_record_agrees_with_itself(record):
    assert agrees(record, record)


def test_newer_recorders_may_add_fields():
    assert from_statement(changed("predicate.inclusionProof", {"index": 1})) == RECORD


def test_a_checksum_may_be_absent():
    assert from_statement(changed("predicate.checksum", None)).checksum is None
