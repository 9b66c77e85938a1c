"""What has been paged already: one marker object per finding, ``pages/<fingerprint>.json``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from custody.core.findings import Finding

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def not_yet_paged(s3: S3Client, bucket: str, findings: Iterable[Finding]) -> list[Finding]:
    """The findings without a marker, in order."""
    return [finding for finding in findings if not _marked(s3, bucket, finding.fingerprint)]


def mark_paged(s3: S3Client, bucket: str, fingerprints: Iterable[str], message: str) -> None:
    """Leave a marker per finding, holding the page (a JSON document) that told about it.

    Call it after the page is out: a crash in between pages twice, which is better than never.
    """
    for fingerprint in fingerprints:
        s3.put_object(
            Bucket=bucket,
            Key=_marker(fingerprint),
            Body=message.encode("utf-8"),
            ContentType="application/json",
        )


def _marker(fingerprint: str) -> str:
    return f"pages/{fingerprint}.json"


def _marked(s3: S3Client, bucket: str, fingerprint: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=_marker(fingerprint))
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey"}:
            return False
        raise
    return True
