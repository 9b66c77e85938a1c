"""Listing what a bucket holds, and reading a version back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import FlexibleChecksumError

from custody.aws.s3.hashing import IncompleteObject, Unreadable, hash_version
from custody.core.ledger.at_rest import HeldVersion, Reading
from custody.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def held_versions(s3: S3Client, bucket: str, prefix: str = "") -> Iterator[HeldVersion]:
    """Every version and delete marker under ``prefix``."""
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for item in page.get("Versions", ()):
            yield HeldVersion(
                bucket, item["Key"], item["VersionId"], item["LastModified"], is_marker=False
            )
        for marker in page.get("DeleteMarkers", ()):
            yield HeldVersion(
                bucket, marker["Key"], marker["VersionId"], marker["LastModified"], is_marker=True
            )


def audited_versions(s3: S3Client, settings: Settings) -> Iterator[HeldVersion]:
    """What the data buckets of a deployment hold, and what hides records and seals."""
    for bucket in (settings.raw_bucket, settings.processed_bucket, settings.analytics_bucket):
        yield from held_versions(s3, bucket)
    for version in held_versions(s3, settings.provenance_bucket):
        if version.is_marker:
            yield version


def read_back(s3: S3Client, bucket: str, key: str, version_id: str) -> Reading:
    """Hash the bytes of a version as they are now.

    Bytes that S3's own checksum or length does not fit are read a second time, so that a fault on
    the way is not taken for one at rest. Raises what botocore raises when it is not the version's
    fault (a permission, S3 itself).
    """
    trouble = ""
    for _ in range(2):
        try:
            return Reading(hash_version(s3, bucket, key, version_id).sha256)
        except Unreadable as error:
            return Reading(None, error.answer, gone=True)
        except FlexibleChecksumError as error:
            trouble = f"they do not fit the checksum S3 keeps with them ({error})"
        except IncompleteObject as error:
            trouble = str(error)
    return Reading(None, trouble)
