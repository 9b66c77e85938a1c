"""Landing records: one name per object version, and a payload that reads back as it was written."""

import hashlib
import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.strategies import (
    AWKWARD_KEYS,
    buckets,
    json_values,
    keys,
    records,
    texts,
    unreadable_records,
)

from custody.core.formats.checksums import S3Checksum
from custody.core.formats.untrusted import MalformedInput
from custody.core.records.landing import (
    LANDING_V1,
    LandingEvent,
    LandingRecord,
    Recorder,
    UnreadableReason,
    UnreadableRecord,
    agrees,
    conflict_key,
    from_statement,
    read_record,
    record_id,
    record_key,
    to_statement,
)

RECORD = LandingRecord(
    bucket="custody-dev-raw-111122223333",
    key="incoming/customers/dt=2026-11-01/é+%.csv",
    version_id="3HL4kqtJvjVBH40Nrjfkd",
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
    bucket=RECORD.bucket,
    key=RECORD.key,
    version_id=RECORD.version_id,
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
            "digest": {"s3ObjectVersion": record_id(RECORD.bucket, RECORD.key, RECORD.version_id)},
        }
    ],
    "predicateType": "https://custody.example/custody/unreadable/v1",
    "predicate": {
        "bucket": RECORD.bucket,
        "key": RECORD.key,
        "versionId": RECORD.version_id,
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


@pytest.mark.parametrize(
    ("kept", "new", "agree"),
    [
        (RECORD, replace(RECORD, hashed_at=RECORD.hashed_at + timedelta(1)), True),
        (RECORD, OTHER_BYTES, False),
        (RECORD, replace(RECORD, size_bytes=13), False),
        (RECORD, replace(RECORD, version_id="another"), False),
        # Deleted, say, between two deliveries of one notification.
        (RECORD, UNREADABLE, True),
        (UNREADABLE, replace(UNREADABLE, reason=UnreadableReason.GONE), True),
        (UNREADABLE, replace(UNREADABLE, key="another"), False),
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


@pytest.mark.parametrize("key", AWKWARD_KEYS)
def test_the_id_is_the_hash_of_a_json_list(key):
    """Written out by hand, because auditors will compute it with other tools."""
    name = json.dumps(key, ensure_ascii=False)
    identity = f'["raw",{name},"v1"]'.encode()
    assert record_id("raw", key, "v1") == hashlib.sha256(identity).hexdigest()


@given(st.tuples(buckets, keys, texts), st.tuples(buckets, keys, texts))
def test_different_versions_have_different_ids(one, other):
    assert (record_id(*one) == record_id(*other)) == (one == other)


def test_parts_of_a_name_cannot_trade_places():
    assert record_id("b", 'k","v', "w") != record_id("b", "k", 'v","w')


def test_a_record_is_filed_under_the_utc_day_of_its_event():
    late = datetime(2026, 11, 2, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    id_ = "0" * 64
    assert record_key(late, id_) == f"provenance/incoming/dt=2026-11-01/{id_}.json"


def test_a_conflict_stands_beside_the_record_it_contradicts():
    key = record_key(RECORD.event.time, "0" * 64)
    assert conflict_key(key, "ab" * 32) == (
        f"provenance/incoming/dt=2026-11-01/{'0' * 64}.conflict-{'ab' * 8}.json"
    )


@pytest.mark.parametrize("id_", ["", "0" * 63, "0" * 64 + "\n", "../" + "0" * 61, "A" * 64])
def test_a_record_key_takes_nothing_but_an_id(id_):
    with pytest.raises(ValueError, match="64 lower-case"):
        record_key(RECORD.event.time, id_)


def test_a_record_key_needs_a_zone():
    with pytest.raises(ValueError, match="time zone"):
        record_key(datetime(2026, 11, 1), "0" * 64)  # noqa: DTZ001 - the point of the test
