"""What the audit remembers of the logs it has proven, to notice one that went back.

Kept in the analytics bucket, apart from the logs themselves: nobody holds the keys to both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

HEADS_PREFIX: Final = "audit/heads/"
_MAX_HEAD_BYTES: Final = 64 * 1024


def head_key(name: str) -> str:
    """Where the head ``name`` is kept."""
    return f"{HEADS_PREFIX}{name}"


def recall(s3: S3Client, bucket: str, name: str) -> bytes | None:
    """The head remembered last; None if there never was one.

    A delete marker does not make anything forgotten: the newest version behind it is read.
    """
    key = head_key(name)
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
    versions = [v for page in pages for v in page.get("Versions", ()) if v["Key"] == key]
    if not versions:
        return None
    newest = max(versions, key=lambda v: (v["IsLatest"], v["LastModified"]))
    found = s3.get_object(Bucket=bucket, Key=key, VersionId=newest["VersionId"])
    with found["Body"] as body:
        return body.read(_MAX_HEAD_BYTES + 1)


def remember(s3: S3Client, bucket: str, name: str, head: bytes) -> None:
    """Remember ``head``; one that is remembered already is not written again."""
    if recall(s3, bucket, name) != head:
        s3.put_object(Bucket=bucket, Key=head_key(name), Body=head)


def standing_version(s3: S3Client, bucket: str, key: str) -> str | None:
    """The version, or delete marker, that an object's name leads to now; None if it has none."""
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
    for page in pages:
        for item in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
            if item["Key"] == key and item["IsLatest"]:
                return item["VersionId"]
    return None
