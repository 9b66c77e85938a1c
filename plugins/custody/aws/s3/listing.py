"""List the object versions of a bucket."""

from __future__ import annotations

import functools
import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from custody.objects import UNVERSIONED, ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ListObjectVersionsOutputTypeDef


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One version in S3, or a delete marker, as S3 lists it.

    `last_modified` of a multipart upload is when the upload began. `etag` has no quotes; None
    for a delete marker, and where it is not known. `is_latest`: the key leads to it now.
    """

    version: ObjectVersion
    last_modified: datetime
    etag: str | None = None
    size: int = 0
    is_latest: bool = True
    is_delete_marker: bool = False

    def __str__(self) -> str:
        return str(self.version)


@dataclass(frozen=True, slots=True)
class KeyRange:
    """Keys under `prefix` with `after` < key ≤ `last`; an empty bound is none."""

    prefix: str
    after: str = ""
    last: str = ""


def list_versions(
    s3: S3Client, bucket: str, prefix: str = "", *, after: str = ""
) -> Iterator[StoredVersion]:
    """Every version and delete marker under `prefix`, in the order of the keys.

    Keys up to and including `after` are left out.
    """
    for page in _pages(s3, bucket, prefix, after):
        # S3 lists versions and markers apart, each in the order of the keys.
        versions = (
            StoredVersion(
                ObjectVersion(bucket, item["Key"], item["VersionId"]),
                item["LastModified"],
                etag=item["ETag"].strip('"'),
                size=item["Size"],
                is_latest=item["IsLatest"],
            )
            for item in page.get("Versions", ())
        )
        markers = (
            StoredVersion(
                ObjectVersion(bucket, item["Key"], item["VersionId"]),
                item["LastModified"],
                is_latest=item["IsLatest"],
                is_delete_marker=True,
            )
            for item in page.get("DeleteMarkers", ())
        )
        yield from heapq.merge(versions, markers, key=lambda stored: stored.version.key)


def stored_versions(s3: S3Client, bucket: str, keys: KeyRange) -> Iterator[StoredVersion]:
    """Every version in a range of keys that holds bytes, overwritten and hidden ones too.

    Delete markers and folder markers (keys that end with a slash) are left out.
    """
    for stored in list_versions(s3, bucket, keys.prefix, after=keys.after):
        if keys.last and stored.version.key > keys.last:
            return
        if not stored.is_delete_marker and not stored.version.key.endswith("/"):
            yield stored


def list_current(s3: S3Client, bucket: str, prefix: str = "") -> list[StoredVersion]:
    """The current version of every object under `prefix`; folder markers are left out.

    They are in the order of their keys, in whichever S3 lists: of rows with one key that say the
    same time, the first file's stays.
    """
    stored = stored_versions(s3, bucket, KeyRange(prefix))
    return sorted((one for one in stored if one.is_latest), key=lambda one: one.version.key)


def versions_of(s3: S3Client, bucket: str, key: str) -> Iterator[StoredVersion]:
    """Every version and delete marker of one object."""
    for stored in list_versions(s3, bucket, key):
        if stored.version.key != key:  # the key itself comes before all that it begins
            return
        yield stored


def latest_version(s3: S3Client, bucket: str, key: str) -> StoredVersion | None:
    """The version, or delete marker, that the key leads to now; None if it has none."""
    return next((stored for stored in versions_of(s3, bucket, key) if stored.is_latest), None)


def latest_version_id(s3: S3Client, bucket: str, key: str) -> str:
    """The id of the version, or delete marker, that the key leads to now; `null` if none."""
    latest = latest_version(s3, bucket, key)
    return UNVERSIONED if latest is None else latest.version.version_id


def list_folders(s3: S3Client, bucket: str, prefix: str) -> Iterator[str]:
    """The name of every folder right under `prefix`, also where all is hidden by delete markers."""
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, Prefix=prefix, Delimiter="/"
    )
    for page in pages:
        for folder in page.get("CommonPrefixes", ()):
            yield folder["Prefix"].removeprefix(prefix).removesuffix("/")


def list_keys(s3: S3Client, bucket: str, prefix: str) -> Iterator[str]:
    """The key of every current object under `prefix`."""
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", ()):
            yield item["Key"]


def _pages(
    s3: S3Client, bucket: str, prefix: str, after: str
) -> Iterator[ListObjectVersionsOutputTypeDef]:
    """Not botocore's paginator: that does not take a key to begin behind."""
    list_page = functools.partial(s3.list_object_versions, Bucket=bucket, Prefix=prefix)
    page = list_page(KeyMarker=after) if after else list_page()
    yield page
    while page["IsTruncated"]:
        page = list_page(
            KeyMarker=page["NextKeyMarker"], VersionIdMarker=page["NextVersionIdMarker"]
        )
        yield page
