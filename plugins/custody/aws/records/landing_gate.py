"""Which landed files still wait for their record."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from custody.aws.records.landed_files import LandedObject, list_landed, record_places

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
    return any(_exists(s3, provenance_bucket, place) for place in record_places(landed))


def _exists(s3: S3Client, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
            return False
        raise
    return True
