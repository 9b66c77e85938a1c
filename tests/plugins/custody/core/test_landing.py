"""Landing records: one name per object version, and a payload that reads back as it was written."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.plugins.custody.core.strategies import AWKWARD_KEYS, buckets, keys, records, texts

from custody.core.checksums import S3Checksum
from custody.core.landing import (
    LANDING_V1,
    LandingEvent,
    LandingRecord,
    Recorder,
    conflict_key,
    from_statement,
    record_id,
    record_key,
    to_statement,
)
from custody.core.untrusted import MalformedInput

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


def test_the_predicate_is_the_one_we_published():
    """Stored records live for years and others read them: this shape may grow, never change."""
    assert json.loads(to_statement(RECORD)) == DOCUMENT


@given(records)
def test_a_record_reads_back(record):
    assert from_statement(to_statement(record)) == record


def changed(path: str, value: object) -> bytes:
    document = json.loads(json.dumps(DOCUMENT))
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
