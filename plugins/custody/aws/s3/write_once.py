"""Write an object once (If-None-Match), or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from custody.aws.s3.errors import code_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PUT_ATTEMPTS: Final = 4
"""A racing write makes S3 answer 409; once it is over, the next attempt is told 412 or succeeds."""


def put_if_absent(
    s3: S3Client, bucket: str, key: str, body: bytes, *, content_type: str = "application/json"
) -> bool:
    """Write the object and return True, or return False if one was there already."""
    for attempt in range(1, _PUT_ATTEMPTS + 1):
        try:
            s3.put_object(
                Bucket=bucket,
                Key=key,
                Body=body,
                IfNoneMatch="*",
                ContentType=content_type,
                ChecksumAlgorithm="SHA256",
            )
        except ClientError as error:
            code = code_of(error)
            if code == "PreconditionFailed":
                return False
            if code == "ConditionalRequestConflict" and attempt < _PUT_ATTEMPTS:
                continue
            raise
        return True
    raise AssertionError("the last attempt returns or raises")
