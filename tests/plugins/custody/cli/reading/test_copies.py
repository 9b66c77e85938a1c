"""A copy of the buckets on disk."""

import os

import pytest
from tests.support.audited import write_json

from custody.aws.s3.errors import ObjectAbsent
from custody.cli.errors import CannotCheck
from custody.cli.reading.copies import CopySource
from custody.objects import ObjectVersion

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
    listed = [
        {"Key": "b", "VersionId": "old", "IsLatest": False},
        {"Key": "b", "VersionId": "new", "IsLatest": True},
    ]
    write_json(tmp_path / "_versions" / f"{BUCKET}.json", {"Versions": listed})
    return tmp_path


def keys(root, prefix: str) -> list[str]:
    return [stored.version.key for stored in CopySource(root).evidence(BUCKET, prefix)]


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


@pytest.mark.parametrize("listing", ["{", '{"Versions": {}}', '{"Versions": [{"IsLatest": true}]}'])
def test_a_listing_that_is_none_is_named(root, listing):
    (root / "_versions" / f"{BUCKET}.json").write_text(listing)
    with pytest.raises(CannotCheck, match=f"{BUCKET}.json"):
        list(CopySource(root).versions(BUCKET, ""))


@pytest.mark.parametrize("key", ["../secret", "a/../../secret", "/etc/hostname", "link", "a/", "x"])
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
        next(CopySource(root).evidence("other-bucket", ""))


def test_a_trail_has_the_dates_of_its_files_and_the_metadata_beside_them(root):
    os.utime(root / BUCKET / "b", (1_000_000_000, 1_000_000_000))
    write_json(root / "_metadata" / BUCKET / "b.json", {"Metadata": {"signature": "00"}})
    trail = CopySource(root).trail(BUCKET)
    listed = {stored.key: stored for stored in trail.list("", after="a")}
    assert listed["b"].delivered_at.timestamp() == 1_000_000_000
    assert [stored.key for stored in trail.list("", after="a/b/c")] == ["b"]

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
