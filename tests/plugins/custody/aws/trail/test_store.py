"""A trail's bucket: versions grouped by key, and what a refused read says."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.moto_aws import make_bucket, refusal

from custody.aws.s3.errors import ObjectAbsent, ObjectRefused
from custody.aws.trail.store import S3TrailStore
from custody.objects import ObjectVersion

BUCKET = "custody-test-trail"


@pytest.fixture
def trail(s3: Any) -> str:
    return make_bucket(s3, BUCKET)


@pytest.fixture
def store(s3: Any, trail: str) -> S3TrailStore:
    return S3TrailStore(s3, trail)


def put(s3: Any, key: str, body: bytes = b"x", **metadata: str) -> str:
    return str(s3.put_object(Bucket=BUCKET, Key=key, Body=body, Metadata=metadata)["VersionId"])


def content(metadata: Any, chunks: Any) -> tuple[dict[str, str], bytes]:
    return dict(metadata), b"".join(chunks)


def test_lists_each_key_once_with_its_versions_the_current_one_first(s3, store):
    old, new = put(s3, "p/a", b"1"), put(s3, "p/a", b"22")
    put(s3, "p/b")
    marker = s3.delete_object(Bucket=BUCKET, Key="p/b")["VersionId"]
    put(s3, "q/c")
    a, b = store.list("p/")
    assert (a.key, [(v.id, v.size, v.deletes) for v in a.versions]) == (
        "p/a",
        [(new, 2, False), (old, 1, False)],
    )
    assert (b.key, b.current.id, b.current.deletes, len(b.versions)) == ("p/b", marker, True, 2)
    assert a.delivered_at == a.versions[1].last_modified


def test_lists_from_behind_a_key_on(s3, store):
    # The marker itself is there because moto leaves out the first key from it on, whichever it is.
    for key in ("p/2026/11/01/a", "p/2026/11/02", "p/2026/11/02/a", "p/2026/11/03/a"):
        put(s3, key)
    assert [o.key for o in store.list("p/", after="p/2026/11/02")] == [
        "p/2026/11/02/a",
        "p/2026/11/03/a",
    ]


def test_versions_of_a_key_may_stand_on_two_pages(s3, store):
    ids = [put(s3, "p/a") for _ in range(5)]
    put(s3, "p/b")
    s3.meta.events.register(
        "provide-client-params.s3.ListObjectVersions", lambda params, **_: {**params, "MaxKeys": 2}
    )
    a, b = store.list("p/")
    assert [v.id for v in a.versions] == ids[::-1]
    assert b.key == "p/b"


def test_reads_the_current_or_a_given_version(s3, store):
    old, new = put(s3, "a", b"1", signature="s"), put(s3, "a", b"2")
    current, earlier = (ObjectVersion(BUCKET, "a", version_id) for version_id in (new, old))
    assert store.read(BUCKET, "a", None, content) == (({}, b"2"), current)
    assert store.read(BUCKET, "a", old, content) == (({"signature": "s"}, b"1"), earlier)


def test_an_object_without_versions(s3):
    make_bucket(s3, "custody-test-plain", versioned=False)
    s3.put_object(Bucket="custody-test-plain", Key="a", Body=b"1")
    store = S3TrailStore(s3, "custody-test-plain")
    (stored,) = store.list("")
    assert stored.current.id == "null"
    assert store.read("custody-test-plain", "a", "null", content)[0] == ({}, b"1")


@pytest.mark.parametrize("version_id", [None, "0" * 32])
def test_what_is_not_there_is_absent(store, version_id):
    with pytest.raises(ObjectAbsent):
        store.read(BUCKET, "a", version_id, content)


def refuse(s3: Any, code: str, status: int) -> None:
    s3.meta.events.register("before-call.s3.GetObject", lambda **_: refusal(code, status))


@pytest.mark.parametrize("code", ["AccessDenied", "KMS.DisabledException", "InvalidObjectState"])
def test_what_is_not_handed_out_is_refused(s3, store, code):
    refuse(s3, code, 403)
    with pytest.raises(ObjectRefused, match=code):
        store.read(BUCKET, "a", None, content)


@pytest.mark.parametrize(("code", "status"), [("SlowDown", 503), ("ExpiredToken", 400)])
def test_what_is_not_the_objects_fault_is_raised(s3, store, code, status):
    refuse(s3, code, status)
    with pytest.raises(ClientError, match=code):
        store.read(BUCKET, "a", None, content)


def test_a_bucket_that_a_digest_names_may_be_absent(s3, store):
    refuse(s3, "NoSuchBucket", 404)
    with pytest.raises(ObjectAbsent, match="NoSuchBucket"):
        store.read("another-bucket", "a", None, content)
