"""Which landed files still wait for their record."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from custody.aws.landed_files import LandedObject, list_landed
from custody.core.landing import record_id, record_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def awaiting_record(
    s3: S3Client,
    *,
    raw_bucket: str,
    provenance_bucket: str,
    prefix: str,
    landed_after: datetime,
) -> list[LandedObject]:
    """Current object versions under ``prefix`` that have no record and landed after that time.

    Those that landed earlier have used up their time and are left to the quarantine of the job that
    reads them: a recorder that is down must not stop the files it did record.
    """
    return [
        landed
        for landed in list_landed(s3, raw_bucket, prefix)
        if landed.last_modified > landed_after and not _recorded(s3, provenance_bucket, landed)
    ]


def _recorded(s3: S3Client, provenance_bucket: str, landed: LandedObject) -> bool:
    name = record_id(landed.bucket, landed.key, landed.version_id)
    # The record is filed under the day of the S3 event, which around midnight may not be the day of
    # S3's LastModified.
    days = (landed.last_modified + timedelta(days=n) for n in (0, -1, 1))
    return any(_exists(s3, provenance_bucket, record_key(day, name)) for day in days)


def _exists(s3: S3Client, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
            return False
        raise
    return True
