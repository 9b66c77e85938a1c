"""Which landed files still wait for their record."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from custody.aws.s3.listing import StoredVersion, list_current
from custody.aws.s3.reading import exists
from custody.core.records.names import is_multipart, record_keys

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

AT_ONCE: Final = 10
"""Requests at once: as many as a client of botocore keeps connections, unless it is told to."""


def awaiting_records(
    s3: S3Client,
    *,
    raw_bucket: str,
    provenance_bucket: str,
    prefix: str,
    now: datetime,
    waiting_since: datetime,
    patience: timedelta,
) -> list[StoredVersion]:
    """Current object versions under `prefix` that have no record and are still to be waited for.

    Each is waited for during `patience` from when it landed. S3 does not tell when a multipart
    upload was completed, only when it began; so one is waited for during `patience` from
    `waiting_since`, when the caller began to wait, if that is later. Times are aware.

    Those whose time is up are left to the quarantine of the job that reads them: a recorder that is
    down must not stop the files it did record.
    """

    def is_awaited(landed: StoredVersion) -> bool:
        began = landed.last_modified
        if landed.etag is not None and is_multipart(landed.etag):
            began = max(began, waiting_since)
        return began + patience > now

    awaited = [landed for landed in list_current(s3, raw_bucket, prefix) if is_awaited(landed)]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        there = pool.map(lambda landed: _has_record(s3, provenance_bucket, landed), awaited)
        return [landed for landed, recorded in zip(awaited, there, strict=True) if not recorded]


def _has_record(s3: S3Client, provenance_bucket: str, landed: StoredVersion) -> bool:
    keys = record_keys(landed.version, landed.last_modified, landed.etag)
    return any(exists(s3, provenance_bucket, key) for key in keys)
