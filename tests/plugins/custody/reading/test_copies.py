"""A copy of the buckets on disk."""

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.support.audited import write_json

from custody.aws.s3.errors import ObjectAbsent
from custody.core.records.model import HashedVersion
from custody.objects import ObjectVersion
from custody.reading.copies import CopySource
from custody.reading.errors import CannotCheck

BUCKET = "custody-raw"
KEYS = ["a", "a-b/x", "a/b", "a/b-c", "a/b/c", "b"]


@pytest.fixture
def root(tmp_path):
    for key in KEYS:
        if key in {"a", "a/b"}:
            continue  # a file cannot be a folder, too
        path = tmp_path / BUCKET / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(key)
    listed = [listed_as(key, "new") for key in ("b", "a-b/x", "a/b-c", "a/b/c")]
    list_versions(tmp_path, [*listed, listed_as("b", "old", IsLatest=False)])
    return tmp_path


def listed_as(key: str, version_id: str, **changes: Any) -> dict[str, Any]:
    """A version as the AWS CLI lists it."""
    return {
        "Key": key,
        "VersionId": version_id,
        "IsLatest": True,
        "Size": len(key),
        "ETag": f'"{"0" * 32}"',
        "LastModified": "2026-11-01T07:00:00.123000+01:00",
        **changes,
    }


def list_versions(root: Path, versions: list[dict[str, Any]], **more: Any) -> None:
    write_json(root / "_versions" / f"{BUCKET}.json", {"Versions": versions, **more})


def keys(root, prefix: str) -> list[str]:
    return [stored.version.key for stored in CopySource(root).versions(BUCKET, prefix)]


def test_keys_come_in_the_order_of_s3(root):
    assert keys(root, "") == sorted(["a-b/x", "a/b-c", "a/b/c", "b"])


def test_a_prefix_need_not_end_at_a_slash(root):
    assert keys(root, "a/b") == ["a/b-c", "a/b/c"]
    assert keys(root, "a/b/") == ["a/b/c"]
    assert keys(root, "c") == []


def test_a_file_is_the_version_that_the_listing_calls_the_latest(root):
    source = CopySource(root)
    assert {v.version.key: v.version.version_id for v in source.versions(BUCKET, "")}["b"] == "new"
    assert source.read(BUCKET, "b", max_bytes=10) == b"b"
    assert source.read_version(ObjectVersion(BUCKET, "b", "new"), max_bytes=10) == b"b"
    assert source.read_version(ObjectVersion(BUCKET, "b", "old"), max_bytes=10) is None


def test_without_a_listing_versions_are_not_guessed(root):
    (root / "_versions" / f"{BUCKET}.json").unlink()
    with pytest.raises(CannotCheck, match="list-object-versions"):
        next(CopySource(root).versions(BUCKET, ""), None)


def test_the_dates_sizes_and_tags_are_those_of_the_listing(root):
    (b,) = CopySource(root).versions(BUCKET, "b")
    assert (b.last_modified, b.size) == (datetime(2026, 11, 1, 6, 0, 0, 123000, UTC), 1)
    assert b.etag == "0" * 32


def test_what_is_listed_and_not_there_is_still_a_version_and_cannot_be_read(root):
    """An altered file that was deleted, renamed or made a link would otherwise not be missed."""
    (root / BUCKET / "b").rename(root / BUCKET / "renamed")
    (root / BUCKET / "a-b/x").unlink()
    (root / BUCKET / "a-b/x").symlink_to(root / BUCKET / "a/b/c")
    (root / BUCKET / "a/b").rename(root / "elsewhere")
    (root / BUCKET / "a/b").symlink_to(root / "elsewhere")
    source = CopySource(root)
    assert keys(root, "") == sorted(["a-b/x", "a/b-c", "a/b/c", "b"])
    for key in ("b", "a-b/x", "a/b/c"):
        told = source.hash(ObjectVersion(BUCKET, key, "new"))
        assert "is not in the copy" in str(told)
        assert source.read_version(ObjectVersion(BUCKET, key, "new"), max_bytes=10) is None


def test_an_empty_object_whose_key_ends_with_a_slash_has_no_bytes_and_another_cannot_be_read(root):
    list_versions(root, [listed_as("a/", "v", Size=0), listed_as("c/", "v", Size=3)])
    source = CopySource(root)
    assert source.hash(ObjectVersion(BUCKET, "a/", "v")) == HashedVersion(
        hashlib.sha256(b"").hexdigest(), 0, etag="", checksum=None
    )
    assert "is not in the copy" in str(source.hash(ObjectVersion(BUCKET, "c/", "v")))


def test_what_a_copy_does_not_hold_is_counted(root):
    assert CopySource(root).out_of_reach(BUCKET, "") == 1
    assert CopySource(root).out_of_reach(BUCKET, "a") == 0


@pytest.mark.parametrize("more", [{"NextToken": "x"}, {"IsTruncated": True}, {"Prefix": "b"}])
def test_a_listing_that_is_not_all_of_the_bucket_is_refused(root, more):
    list_versions(root, [listed_as("b", "new")], **more)
    with pytest.raises(CannotCheck, match=r"there are more versions|of a prefix only"):
        keys(root, "")


def test_a_listing_with_two_current_versions_of_one_key_is_refused(root):
    list_versions(root, [listed_as("b", "one"), listed_as("b", "two")])
    with pytest.raises(CannotCheck, match="second current version"):
        keys(root, "")


@pytest.mark.parametrize(
    "listing",
    [
        "{",
        '{"Versions": {}}',
        '{"Versions": [{"IsLatest": true}]}',
        json.dumps({"Versions": [listed_as("b", "v", LastModified="2026-11-01T07:00:00")]}),
        json.dumps({"Versions": [listed_as("b", "v", LastModified="now")]}),
    ],
)
def test_a_listing_that_is_none_is_named(root, listing):
    (root / "_versions" / f"{BUCKET}.json").write_text(listing)
    with pytest.raises(CannotCheck, match=f"{BUCKET}.json"):
        list(CopySource(root).versions(BUCKET, ""))


@pytest.mark.parametrize(
    "key", ["../secret", "a/../../secret", "/etc/hostname", "link", "a/", "x", "a//b-c"]
)
def test_nothing_outside_of_the_bucket_is_read(root, key):
    (root / "secret").write_text("secret")
    (root / BUCKET / "link").symlink_to(root / "secret")
    source = CopySource(root)
    assert source.read(BUCKET, key, max_bytes=100) is None
    assert "link" not in keys(root, "")
    assert isinstance(source.hash(ObjectVersion(BUCKET, key, "null")), str)


def test_a_bound_is_kept(root):
    (root / BUCKET / "b").write_bytes(b"x" * 100)
    assert CopySource(root).read(BUCKET, "b", max_bytes=10) == b"x" * 11


def test_what_is_missing_is_named(root, tmp_path):
    with pytest.raises(CannotCheck, match="no folder"):
        CopySource(tmp_path / "nothing")
    with pytest.raises(CannotCheck, match="no bucket"):
        next(CopySource(root).versions("other-bucket", ""))


def test_a_trail_has_the_dates_of_its_listing_and_the_metadata_beside_its_files(root):
    write_json(root / "_metadata" / BUCKET / "b.json", {"Metadata": {"signature": "00"}})
    trail = CopySource(root).trail(BUCKET)
    listed = {stored.key: stored for stored in trail.list("", after="a")}
    assert listed["b"].delivered_at == datetime(2026, 11, 1, 6, 0, 0, 123000, UTC)
    assert [stored.key for stored in trail.list("", after="a/b/c")] == ["b"]
    assert list(trail.folders("")) == ["a-b", "a"]
    assert list(trail.folders("a/")) == ["b"]

    def consume(metadata, chunks):
        return dict(metadata), b"".join(chunks)

    assert trail.read(BUCKET, "b", None, consume) == (
        ({"signature": "00"}, b"b"),
        ObjectVersion(BUCKET, "b", "null"),
    )
    with pytest.raises(ObjectAbsent):
        trail.read(BUCKET, "none", None, consume)


def test_metadata_that_is_none_is_named(root):
    (root / "_metadata" / BUCKET).mkdir(parents=True)
    (root / "_metadata" / BUCKET / "b.json").write_text("[]")
    with pytest.raises(CannotCheck, match="head-object"):
        CopySource(root).trail(BUCKET).read(BUCKET, "b", None, lambda *_: None)
