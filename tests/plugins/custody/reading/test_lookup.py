"""Finding records and the trail's events."""

from datetime import timedelta

import pytest
from tests.support.audited import PROVENANCE, RAW, RING, A
from tests.support.trail_history import KEYS, LAYOUT

from custody.aws.s3.listing import StoredVersion
from custody.core.lineage.model import HashedObject
from custody.objects import ObjectVersion
from custody.reading.lookup import Sought, records_of, search_trail
from custody.reading.sources import S3Source

HOUR = timedelta(hours=1)
VERSION = ObjectVersion(RAW, "incoming/x", "v")


@pytest.mark.parametrize("days", [-1, 0, 1, 8])
def test_a_record_is_found_on_the_day_of_the_write_near_that_of_the_version(platform, days):
    """S3's date of an upload in parts is when it began; around midnight the two days differ."""
    at = platform.times[A]
    platform.record(HashedObject(VERSION, "ab" * 32), 1, at + timedelta(days=days))
    stored = StoredVersion(VERSION, at)
    (kept,) = records_of(S3Source(platform.s3), PROVENANCE, stored, RING.records)
    assert (kept.envelope.trouble, kept.envelope.stored.key) == (None, platform.places[-1])
    assert kept.raw == platform.envelope(platform.places[-1])


def test_what_lies_too_far_away_is_not_found(platform):
    at = platform.times[A]
    platform.record(HashedObject(VERSION, "ab" * 32), 1, at + timedelta(days=9))
    stored = StoredVersion(VERSION, at)
    assert records_of(S3Source(platform.s3), PROVENANCE, stored, RING.records) == []


def test_a_single_put_is_looked_for_around_its_day(platform):
    at = platform.times[A]
    platform.record(HashedObject(VERSION, "ab" * 32), 1, at + timedelta(days=2))
    source = S3Source(platform.s3)
    single = StoredVersion(VERSION, at, etag="0" * 32)
    assert records_of(source, PROVENANCE, single, RING.records) == []
    in_parts = StoredVersion(VERSION, at, etag=f"{'0' * 32}-2")
    assert len(records_of(source, PROVENANCE, in_parts, RING.records)) == 1


def search(platform, *sought, keys=KEYS):
    store = S3Source(platform.s3).trail(LAYOUT.bucket)
    return search_trail(store, LAYOUT, lambda _start, _end: keys, sought, within=3 * HOUR)


def test_only_files_that_tell_of_the_object_are_taken(platform):
    found = search(platform, Sought(RAW, A, platform.times[A]))
    assert len(found.digests) == len(found.logs) == 1
    assert [event.key for event in found.events] == [A]
    assert {field for _, metadata in found.digests.values() for field in metadata} == {
        "signature", "signature-algorithm",
    }  # fmt: skip


def test_nothing_is_taken_of_another_time_or_without_its_key(platform):
    at = platform.times[A]
    assert search(platform).digests == {}
    assert search(platform, Sought(RAW, A, at - 30 * HOUR)).digests == {}
    assert search(platform, Sought(RAW, A, at + 30 * HOUR)).digests == {}
    assert search(platform, Sought(RAW, A, at), keys={}).digests == {}


def test_a_log_that_was_altered_is_passed_over(platform):
    (log,) = search(platform, Sought(RAW, A, platform.times[A])).logs
    platform.s3.put_object(Bucket=LAYOUT.bucket, Key=log, Body=b"altered")
    assert search(platform, Sought(RAW, A, platform.times[A])).logs == {}
