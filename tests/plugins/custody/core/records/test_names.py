"""Where records are kept, and where the record of a version may be."""

import hashlib
import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.strategies import AWKWARD_KEYS, instants, versions

from custody.core.records.names import (
    conflict_key,
    is_multipart,
    record_days,
    record_id,
    record_key,
    record_keys,
)
from custody.objects import ObjectVersion


@pytest.mark.parametrize("key", AWKWARD_KEYS)
def test_the_id_is_the_hash_of_a_json_list(key):
    """Written out by hand, because auditors will compute it with other tools."""
    name = json.dumps(key, ensure_ascii=False)
    identity = f'["raw",{name},"v1"]'.encode()
    assert record_id(ObjectVersion("raw", key, "v1")) == hashlib.sha256(identity).hexdigest()


@given(versions, versions)
def test_different_versions_have_different_ids(one, other):
    assert (record_id(one) == record_id(other)) == (one == other)


def test_parts_of_a_name_cannot_trade_places():
    assert record_id(ObjectVersion("b", 'k","v', "w")) != record_id(
        ObjectVersion("b", "k", 'v","w')
    )


def test_a_record_is_filed_under_the_utc_day_of_its_event():
    late = datetime(2026, 11, 2, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    id_ = "0" * 64
    assert record_key(late, id_) == f"provenance/incoming/dt=2026-11-01/{id_}.json"


def test_a_conflict_is_kept_beside_the_record_it_contradicts():
    key = record_key(datetime(2026, 11, 1, tzinfo=UTC), "0" * 64)
    assert conflict_key(key, "ab" * 32) == (
        f"provenance/incoming/dt=2026-11-01/{'0' * 64}.conflict-{'ab' * 8}.json"
    )


@pytest.mark.parametrize("id_", ["", "0" * 63, "0" * 64 + "\n", "../" + "0" * 61, "A" * 64])
def test_a_record_key_takes_nothing_but_an_id(id_):
    with pytest.raises(ValueError, match="64 lower-case"):
        record_key(datetime(2026, 11, 1, tzinfo=UTC), id_)


def test_a_record_key_needs_a_zone():
    with pytest.raises(ValueError, match="time zone"):
        record_key(datetime(2026, 11, 1), "0" * 64)  # noqa: DTZ001 - the point of the test


MD5 = "d41d8cd98f00b204e9800998ecf8427e"


@pytest.mark.parametrize(
    ("etag", "multipart"),
    [(MD5, False), (f"{MD5}-1", True), (f"{MD5}-10000", True), (f"{MD5}-", False), ("", False)],
)
def test_the_entity_tag_tells_a_multipart_upload(etag, multipart):
    assert is_multipart(etag) is multipart


EVENING = datetime(2026, 11, 1, 23, 59, tzinfo=UTC)


def test_a_single_put_is_recorded_around_its_day():
    assert sorted(record_days(EVENING, MD5)) == [
        date(2026, 10, 31) + timedelta(n) for n in range(3)
    ]
    assert next(record_days(EVENING, MD5)) == date(2026, 11, 1)


@pytest.mark.parametrize("etag", [f"{MD5}-7", None], ids=["of an upload in parts", "unknown"])
def test_a_multipart_upload_may_be_recorded_a_week_after_it_began(etag):
    days = list(record_days(EVENING, etag))
    assert days[0] == date(2026, 11, 1)
    assert sorted(days) == [date(2026, 10, 31) + timedelta(n) for n in range(10)]


def test_the_days_are_those_of_utc():
    late = datetime(2026, 11, 2, 1, 0, tzinfo=timezone(timedelta(hours=2)))
    assert next(record_days(late, MD5)) == date(2026, 11, 1)


@given(versions, instants, st.integers(0, 7))
def test_the_record_of_an_upload_in_parts_is_looked_for_where_it_is_kept(version, began, days):
    key = record_key(began + timedelta(days=days), record_id(version))
    assert key in record_keys(version, began, f"{MD5}-2")
