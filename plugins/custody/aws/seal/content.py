"""The input of the seal: the hash of each record's envelope, and the files of the verdicts."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import TYPE_CHECKING

from custody.aws.catalog import locations
from custody.aws.s3.listing import StoredVersion, list_keys
from custody.aws.s3.reading import open_version
from custody.core.seal.entries import RecordEntry

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client


def record_entry(s3: S3Client, stored: StoredVersion) -> RecordEntry:
    """The entry of a stored record; raises `ObjectAbsent` and what botocore raises."""
    digest = hashlib.sha256()
    for chunk in open_version(s3, stored.version).chunks:
        digest.update(chunk)
    return RecordEntry(stored.version.key, digest.hexdigest())


def verdict_files(
    s3: S3Client, glue: GlueClient, database: str, first: date, last: date
) -> list[str]:
    """The URIs of the Parquet files that readers of `reconciliation` see for these days."""
    where = f"dt BETWEEN '{first}' AND '{last}'"
    files: list[str] = []
    for location in locations(glue, database, "reconciliation", where):
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        keys = list_keys(s3, bucket, prefix)
        files += [f"s3://{bucket}/{key}" for key in keys if key.endswith(".parquet")]
    return files
