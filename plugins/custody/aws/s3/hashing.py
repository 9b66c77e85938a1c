"""The SHA-256 of one exact object version, in constant memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

from botocore.exceptions import (
    ClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from custody.core.formats.checksums import DIGEST_BYTES, S3Checksum, s3_checksum
from custody.core.records.landing import HashedVersion, UnreadableReason
from custody.core.records.refusals import may_be_its_kms_key, unreadable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

CHUNK_BYTES: Final = 1024 * 1024

_BROKEN_OFF: Final = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
"""A connection that ended before the object did; over hours some do."""


class Unreadable(Exception):
    """S3 will never hand out the object version to whoever asked; ``reason`` says why."""

    def __init__(self, version: str, reason: UnreadableReason, answer: str) -> None:
        super().__init__(f"{version}: {answer}")
        self.reason = reason
        self.answer = answer


class VersionGone(Unreadable):
    """The object version does not exist, or no longer does: its bytes can never be hashed."""


class IncompleteObject(Exception):
    """S3 sent fewer or more bytes than it announced: a hash of them would be a false witness."""


def hash_version(
    s3: S3Client,
    bucket: str,
    key: str,
    version_id: str,
    *,
    data_key_arn: str | None = None,
    before_chunk: Callable[[], None] = lambda: None,
) -> HashedVersion:
    """Read object version ``version_id`` (``"null"`` if unversioned) and hash it.

    A connection that breaks off is taken up again where it ended. ``before_chunk`` is called before
    each read of ``CHUNK_BYTES`` and may raise to give up.

    Raises ``Unreadable`` (``VersionGone`` if that is why), ``IncompleteObject``, or what botocore
    raises. ``data_key_arn`` is the KMS key the reader is meant to use: a version under another key
    that it may not use is ``Unreadable``. Under that key, or without one given, a refusal is raised
    as it is, because somebody may put it right.
    """
    before_chunk()
    version = f"s3://{bucket}/{key} version {version_id}"
    try:
        response = s3.get_object(
            Bucket=bucket, Key=key, VersionId=version_id, ChecksumMode="ENABLED"
        )
    except ClientError as error:
        answer = _answer(error)
        match _reason(s3, bucket, key, version_id, error, data_key_arn):
            case None:
                raise
            case UnreadableReason.GONE as reason:
                raise VersionGone(version, reason, answer) from error
            case reason:
                raise Unreadable(version, reason, answer) from error
    digest, size = hashlib.sha256(), 0
    for chunk in _chunks(s3, bucket, key, version_id, response):
        digest.update(chunk)
        size += len(chunk)
        before_chunk()
    if size != response["ContentLength"]:
        raise IncompleteObject(
            f"{version}: read {size} bytes, S3 announced {response['ContentLength']}"
        )
    return HashedVersion(
        sha256=digest.hexdigest(),
        size_bytes=size,
        etag=response["ETag"].strip('"'),
        checksum=_checksum(response),
    )


def _chunks(
    s3: S3Client, bucket: str, key: str, version_id: str, response: GetObjectOutputTypeDef
) -> Iterator[bytes]:
    """The bytes of the version ``response`` began, over as many connections as it takes.

    Raises what broke the connection if a new one brings no byte either.
    """
    position = begun_at = 0
    etag, body = response["ETag"], response["Body"]
    while True:
        try:
            with body:
                while chunk := body.read(CHUNK_BYTES):
                    position += len(chunk)
                    yield chunk
        except _BROKEN_OFF:
            if position == begun_at:
                raise
        else:
            return
        begun_at = position
        body = s3.get_object(
            Bucket=bucket,
            Key=key,
            VersionId=version_id,
            Range=f"bytes={position}-",
            IfMatch=etag,  # version "null" can be replaced meanwhile
        )["Body"]


def _reason(
    s3: S3Client,
    bucket: str,
    key: str,
    version_id: str,
    error: ClientError,
    data_key_arn: str | None,
) -> UnreadableReason | None:
    code = error.response["Error"]["Code"]
    reason = unreadable(code, error.response["Error"].get("Message", ""))
    if reason is None and data_key_arn is not None and may_be_its_kms_key(code):
        used = kms_key_of(s3, bucket, key, version_id)
        if used is not None and used != data_key_arn:
            return UnreadableReason.KMS_KEY
    return reason


def kms_key_of(s3: S3Client, bucket: str, key: str, version_id: str) -> str | None:
    """The ARN of the KMS key that encrypts the version, if one does and S3 says so.

    HeadObject needs the same permission as GetObject but, unless it asks for the checksum, not that
    of the key. So an answer also says that it is not the object that may not be read.
    """
    try:
        return s3.head_object(Bucket=bucket, Key=key, VersionId=version_id).get("SSEKMSKeyId")
    except ClientError:
        return None  # what GetObject said is the better explanation


def _answer(error: ClientError) -> str:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    return f"{code}: {message}" if message else code


def _checksum(response: GetObjectOutputTypeDef) -> S3Checksum | None:
    """The checksum S3 keeps with the object; it keeps at most one."""
    for algorithm in DIGEST_BYTES:
        value = response.get(f"Checksum{algorithm}")
        if isinstance(value, str):
            return s3_checksum(algorithm, response.get("ChecksumType"), value)
    return None
