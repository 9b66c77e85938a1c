"""Requests as SDKs send them, and the CloudTrail event names AWS documents for them."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from localaws.cloudtrail.recording.s3calls import S3Call, parse, query_of


def call(
    method: str, path: str, query: str = "", virtual: str | None = None, **headers: str
) -> S3Call | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return parse(method, path.encode(), query_of(query.encode()), named, virtual)


@pytest.mark.parametrize(
    ("method", "query", "event_name", "read_only"),
    [
        ("GET", "", "GetObject", True),
        ("GET", "versionId=v1", "GetObject", True),
        ("GET", "x-id=GetObject", "GetObject", True),
        ("GET", "acl", "GetObjectAcl", True),
        ("GET", "tagging=", "GetObjectTagging", True),
        ("GET", "retention", "GetObjectRetention", True),
        ("GET", "legal-hold", "GetObjectLegalHold", True),
        ("GET", "attributes", "GetObjectAttributes", True),
        ("GET", "uploadId=u", "ListParts", True),
        ("HEAD", "", "HeadObject", True),
        ("PUT", "", "PutObject", False),
        ("PUT", "partNumber=1&uploadId=u", "UploadPart", False),
        ("PUT", "acl", "PutObjectAcl", False),
        ("PUT", "tagging", "PutObjectTagging", False),
        ("PUT", "retention", "PutObjectRetention", False),
        ("PUT", "legal-hold", "PutObjectLegalHold", False),
        ("POST", "uploads", "CreateMultipartUpload", False),
        ("POST", "uploadId=u", "CompleteMultipartUpload", False),
        ("POST", "restore", "RestoreObject", False),
        ("POST", "select&select-type=2", "SelectObjectContent", True),
        ("DELETE", "", "DeleteObject", False),
        ("DELETE", "uploadId=u", "AbortMultipartUpload", False),
        ("DELETE", "tagging", "DeleteObjectTagging", False),
    ],
)
def test_object_operations(method: str, query: str, event_name: str, read_only: bool) -> None:
    found = call(method, "/bucket/folder/key", query)
    assert found is not None
    assert (found.event_name, found.read_only) == (event_name, read_only)
    assert (found.bucket, found.key) == ("bucket", "folder/key")


def test_copies_are_told_from_uploads_by_their_source() -> None:
    copy = call("PUT", "/b/k", x_amz_copy_source="b/other")
    part = call("PUT", "/b/k", "partNumber=1&uploadId=u", x_amz_copy_source="b/other")
    assert copy is not None
    assert copy.event_name == "CopyObject"
    assert part is not None
    assert part.event_name == "UploadPartCopy"


@pytest.mark.parametrize(
    ("method", "query", "event_name"),
    [
        ("GET", "", "ListObjects"),
        ("GET", "list-type=2&prefix=a%2F&delimiter=%2F", "ListObjects"),
        ("GET", "versions&prefix=a", "ListObjectVersions"),
        ("GET", "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=c", "ListObjects"),
        ("HEAD", "", "HeadBucket"),
        ("POST", "delete", "DeleteObjects"),
    ],
)
@pytest.mark.parametrize("path", ["/bucket", "/bucket/"])
def test_bucket_operations_that_are_data_events(
    method: str, query: str, event_name: str, path: str
) -> None:
    found = call(method, path, query)
    assert found is not None
    assert (found.event_name, found.bucket, found.key) == (event_name, "bucket", None)


@pytest.mark.parametrize(
    ("method", "path", "query"),
    [
        ("GET", "/", ""),
        ("PUT", "/bucket", ""),
        ("DELETE", "/bucket", ""),
        ("GET", "/bucket", "policy"),
        ("GET", "/bucket", "versioning"),
        ("GET", "/bucket", "uploads"),
        ("PUT", "/bucket", "notification"),
        ("POST", "/bucket", ""),
        ("OPTIONS", "/bucket/key", ""),
        ("GET", "/bucket/key", "annotation"),
    ],
)
def test_everything_else_is_no_data_event(method: str, path: str, query: str) -> None:
    assert call(method, path, query) is None


@pytest.mark.parametrize(
    "key",
    [
        "plain.csv",
        "folder marker/",
        "/starts with a slash",
        "two//slashes",
        "a b+c%d&e=f?g#h'\"i.csv",
        "100%25 already encoded",
        "кириллица/日本語/é e\u0301.csv",
        "x" * 1024,
        "..",
    ],
)
def test_the_key_is_the_decoded_one(key: str) -> None:
    found = call("PUT", f"/bucket/{quote(key)}")
    assert found is not None
    assert found.key == key


def test_a_plus_in_a_path_is_a_plus() -> None:
    found = call("PUT", "/bucket/a+b%20c%2Bd")
    assert found is not None
    assert found.key == "a+b c+d"


def test_a_virtual_hosted_request_has_the_bucket_in_its_host() -> None:
    found = call("PUT", "/folder/key", virtual="bucket")
    assert found is not None
    assert (found.bucket, found.key) == ("bucket", "folder/key")


def test_parameters_are_decoded_and_keep_empty_values() -> None:
    assert query_of(b"list-type=2&prefix=&delimiter=%2F&versions") == (
        ("list-type", "2"),
        ("prefix", ""),
        ("delimiter", "/"),
        ("versions", ""),
    )
