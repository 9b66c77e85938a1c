"""Versions and delete markers, as S3 lists them."""

import pytest

from custody.aws.s3.listing import (
    KeyRange,
    latest_version,
    latest_version_id,
    list_current,
    list_keys,
    list_versions,
    stored_versions,
    versions_of,
)
from custody.objects import ObjectVersion


def put(s3, bucket, key, body=b"x"):
    return s3.put_object(Bucket=bucket, Key=key, Body=body)["VersionId"]


def delete(s3, bucket, key):
    return s3.delete_object(Bucket=bucket, Key=key)["VersionId"]


def test_lists_every_version_and_marker_in_the_order_of_the_keys(s3, raw):
    old, new = put(s3, raw, "p/a", b"1"), put(s3, raw, "p/a", b"22")
    gone = put(s3, raw, "p/b")
    marker = delete(s3, raw, "p/b")
    other = put(s3, raw, "p/c")
    put(s3, raw, "q")

    found = list(list_versions(s3, raw, "p/"))

    assert [(each.version.key, each.version.version_id) for each in found] == [
        ("p/a", new), ("p/a", old), ("p/b", gone), ("p/b", marker), ("p/c", other),
    ]  # fmt: skip
    assert [each.is_latest for each in found] == [True, False, False, True, True]
    assert [each.is_delete_marker for each in found] == [False, False, False, True, False]
    assert [each.size for each in found] == [2, 1, 1, 0, 1]
    assert found[0].etag == s3.head_object(Bucket=raw, Key="p/a")["ETag"].strip('"')
    assert found[3].etag is None
    assert all(each.last_modified.tzinfo for each in found)
    assert str(found[4]) == f"s3://{raw}/p/c (version {other})"


@pytest.fixture
def small_pages(s3):
    s3.meta.events.register(
        "provide-client-params.s3.ListObjectVersions", lambda params, **_: {**params, "MaxKeys": 2}
    )


def test_lists_over_many_pages(s3, raw, small_pages):
    expected = [("a", put(s3, raw, "a")) for _ in range(5)][::-1]
    expected += [(key, put(s3, raw, key)) for key in "bcd"]
    found = [(each.version.key, each.version.version_id) for each in list_versions(s3, raw)]
    assert found == expected


def test_a_bucket_without_versions_has_one_of_each(s3):
    s3.create_bucket(Bucket="custody-test-plain")
    s3.put_object(Bucket="custody-test-plain", Key="a", Body=b"x")
    (found,) = list_versions(s3, "custody-test-plain")
    assert found.version == ObjectVersion("custody-test-plain", "a", "null")


def test_only_what_holds_bytes_is_stored(s3, raw):
    hidden = put(s3, raw, "a")
    delete(s3, raw, "a")
    put(s3, raw, "folder/")
    found = stored_versions(s3, raw, KeyRange(""))
    assert [each.version.version_id for each in found] == [hidden]


def test_a_range_has_its_last_key_and_not_the_one_before_it(s3, raw):
    # The bound itself is there because moto leaves out the first key from it on, whichever it is.
    for key in "abcde":
        put(s3, raw, key)
    found = stored_versions(s3, raw, KeyRange("", after="b", last="d"))
    assert [each.version.key for each in found] == ["c", "d"]


def test_the_current_version_of_each_object(s3, raw):
    for key in ("p/", "p/a", "p/b", "p/gone", "q/other"):
        put(s3, raw, key)
    current = put(s3, raw, "p/a", b"2")
    delete(s3, raw, "p/gone")
    found = list_current(s3, raw, "p/")
    assert [each.version.key for each in found] == ["p/a", "p/b"]
    assert found[0].version.version_id == current


def test_versions_of_one_key_are_not_those_of_a_longer_one(s3, raw):
    put(s3, raw, "seal/checkpoint.old")
    assert list(versions_of(s3, raw, "seal/checkpoint")) == []
    assert latest_version(s3, raw, "seal/checkpoint") is None
    assert latest_version_id(s3, raw, "seal/checkpoint") == "null"
    first, second = (put(s3, raw, "seal/checkpoint") for _ in range(2))
    found = versions_of(s3, raw, "seal/checkpoint")
    assert [each.version.version_id for each in found] == [second, first]
    assert latest_version_id(s3, raw, "seal/checkpoint") == second
    marker = delete(s3, raw, "seal/checkpoint")
    latest = latest_version(s3, raw, "seal/checkpoint")
    assert latest is not None
    assert (latest.version.version_id, latest.is_delete_marker) == (marker, True)
    assert latest_version_id(s3, raw, "seal/checkpoint") == marker


def test_keys_of_current_objects(s3, raw):
    for key in ("p/a", "p/b", "q"):
        put(s3, raw, key)
    delete(s3, raw, "p/b")
    assert list(list_keys(s3, raw, "p/")) == ["p/a"]
