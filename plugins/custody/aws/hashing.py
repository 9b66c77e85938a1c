"""The SHA-256 of one exact object version, in constant memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from custody.core.checksums import DIGEST_BYTES, S3Checksum, s3_checksum
from custody.core.landing import HashedVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

CHUNK_BYTES: Final = 1024 * 1024

_GONE_CODES: Final = frozenset({"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed"})
"""How GetObject refuses a version that does not exist (any more); ``MethodNotAllowed`` is a delete
marker. Without ``s3:ListBucket`` and ``s3:ListBucketVersions`` S3 answers ``AccessDenied``
instead."""


class VersionGone(Exception):
    """The object version does not exist, or no longer does: its bytes can never be hashed."""


class IncompleteObject(Exception):
    """S3 sent fewer or more bytes than it announced: a hash of them would be a false witness."""


def hash_version(
    s3: S3Client,
    bucket: str,
    key: str,
    version_id: str,
    *,
    before_chunk: Callable[[], None] = lambda: None,
) -> HashedVersion:
    """Read object version ``version_id`` (``"null"`` if unversioned) and hash it.

    ``before_chunk`` is called before each read of ``CHUNK_BYTES`` and may raise to give up. Raises
    ``VersionGone``, ``IncompleteObject``, or what botocore raises.
    """
    before_chunk()
    try:
        response = s3.get_object(
            Bucket=bucket, Key=key, VersionId=version_id, ChecksumMode="ENABLED"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in _GONE_CODES:
            raise VersionGone(
                f"s3://{bucket}/{key} version {version_id} does not exist (any more)"
            ) from error
        raise
    digest, size = hashlib.sha256(), 0
    with response["Body"] as body:
        while chunk := body.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
            before_chunk()
    if size != response["ContentLength"]:
        raise IncompleteObject(
            f"s3://{bucket}/{key} version {version_id}: read {size} bytes, "
            f"S3 announced {response['ContentLength']}"
        )
    return HashedVersion(
        sha256=digest.hexdigest(),
        size_bytes=size,
        etag=response["ETag"].strip('"'),
        checksum=_checksum(response),
    )


def _checksum(response: GetObjectOutputTypeDef) -> S3Checksum | None:
    """The checksum S3 keeps with the object; it keeps at most one."""
    for algorithm in DIGEST_BYTES:
        value = response.get(f"Checksum{algorithm}")
        if isinstance(value, str):
            return s3_checksum(algorithm, response.get("ChecksumType"), value)
    return None
