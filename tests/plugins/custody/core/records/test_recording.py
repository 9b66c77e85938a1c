"""The recorder signs what it read only if that is what was announced."""

import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.support.notices import notice

from custody.core.formats.checksums import S3Checksum
from custody.core.records.model import HashedVersion, UnreadableReason
from custody.core.records.notifications import object_created
from custody.core.records.recording import (
    RECORDER,
    NotAsAnnounced,
    landing_record,
    unreadable_record,
)
from custody.core.records.statement import read_record, to_statement

CONTENT = b"id,name\n1,x\n"
CREATED = object_created(notice(size=len(CONTENT), etag="0" * 32))
HASHED = HashedVersion(
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    size_bytes=len(CONTENT),
    etag="0" * 32,
    checksum=S3Checksum(
        "SHA256", "FULL_OBJECT", base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()
    ),
)
NOW = datetime(2026, 11, 1, 6, 0, 2, tzinfo=UTC)


def test_a_record_joins_what_was_told_and_what_was_read():
    record = landing_record(CREATED, HASHED, NOW)
    for told in ("version", "sequencer", "event", "etag", "size_bytes"):
        assert getattr(record, told) == getattr(CREATED, told)
    assert record.sha256 == HASHED.sha256
    assert record.checksum == HASHED.checksum
    assert record.hashed_at == NOW
    assert record.recorder == RECORDER


@pytest.mark.parametrize(
    ("read", "difference"),
    [
        ({"size_bytes": 13}, "size in bytes: announced 12, read 13"),
        ({"etag": "1" * 32}, "entity tag: announced 0{32}, read 1{32}"),
        ({"sha256": "ab" * 32}, "SHA-256 kept by S3"),
    ],
)
def test_bytes_that_were_not_announced_are_not_signed(read, difference):
    with pytest.raises(NotAsAnnounced, match=difference):
        landing_record(CREATED, replace(HASHED, **read), NOW)


def test_a_composite_checksum_is_kept_but_not_taken_for_the_objects():
    composite = S3Checksum("SHA256", "COMPOSITE", base64.b64encode(b"\1" * 32).decode() + "-2")
    record = landing_record(CREATED, replace(HASHED, checksum=composite), NOW)
    assert record.checksum == composite
    assert record.sha256 == HASHED.sha256


def test_a_record_of_what_was_not_read_says_what_was_told_and_what_s3_answered():
    record = unreadable_record(CREATED, UnreadableReason.GONE, "NoSuchVersion: gone", NOW)
    for told in ("version", "sequencer", "event", "etag", "size_bytes"):
        assert getattr(record, told) == getattr(CREATED, told)
    assert (record.reason, record.answer) == (UnreadableReason.GONE, "NoSuchVersion: gone")
    assert (record.tried_at, record.recorder) == (NOW, RECORDER)


def test_an_endless_answer_is_cut():
    record = unreadable_record(CREATED, UnreadableReason.GONE, "x" * 5000, NOW)
    assert read_record(to_statement(record)) == record
    assert record.answer == "x" * 1024
