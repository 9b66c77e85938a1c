"""The input of the seal: the hash of each record's envelope, and the files of the verdicts."""

from __future__ import annotations

import hashlib
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING, Final

from custody.aws.catalog import locations
from custody.aws.records.evidence import StoredVersion
from custody.core.seal.entries import RecordEntry

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

_CHUNK_BYTES: Final = 1024 * 1024


def record_entry(s3: S3Client, stored: StoredVersion) -> RecordEntry:
    """The entry of a stored record; raises what S3 raises."""
    found = s3.get_object(Bucket=stored.bucket, Key=stored.key, VersionId=stored.version_id)
    digest = hashlib.sha256()
    with closing(found["Body"]) as body:
        for chunk in body.iter_chunks(_CHUNK_BYTES):
            digest.update(chunk)
    return RecordEntry(stored.key, digest.hexdigest())


def verdict_files(
    s3: S3Client, glue: GlueClient, database: str, first: date, last: date
) -> list[str]:
    """The URIs of the Parquet files that readers of `reconciliation` see for these days."""
    where = f"dt BETWEEN '{first}' AND '{last}'"
    files: list[str] = []
    for location in locations(glue, database, "reconciliation", where):
        bucket, _, prefix = location.removeprefix("s3://").partition("/")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            names = (item["Key"] for item in page.get("Contents", ()))
            files += [f"s3://{bucket}/{name}" for name in names if name.endswith(".parquet")]
    return files
