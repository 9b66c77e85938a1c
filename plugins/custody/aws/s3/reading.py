"""Read object versions: whole and bounded, in chunks over broken connections, or not at all."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import (
    ClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from custody.aws.s3.errors import (
    ObjectAbsent,
    ObjectWithheld,
    answer_of,
    is_absent,
    may_be_its_kms_key,
    unreadable_reason,
)
from custody.core.formats.checksums import DIGEST_BYTES, S3Checksum, s3_checksum
from custody.objects import UNVERSIONED, ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef

CHUNK_BYTES: Final = 1024 * 1024

_BROKEN_OFF: Final = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
"""A connection that ended before the object did; over hours some do. botocore repeats a request
that fails, but not one whose body breaks off."""

_FRUITLESS: Final = 3
"""Connections in a row that bring no byte before the object is given up."""


@dataclass(frozen=True)
class OpenObject:
    """An object version that S3 has begun to hand out; `chunks` reads it, once.

    `version` is the one that S3 chose where none was asked for. `etag` has no quotes;
    `checksum` is the one S3 keeps with the object; `metadata` is the user's.
    """

    version: ObjectVersion
    size: int
    etag: str
    last_modified: datetime
    metadata: Mapping[str, str]
    checksum: S3Checksum | None
    chunks: Generator[bytes, None, None]


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of an object, and which version of it they are."""

    version: ObjectVersion
    body: bytes
    etag: str
    last_modified: datetime


def open_version(s3: S3Client, version: ObjectVersion) -> OpenObject:
    """Begin to read an object version; raises `ObjectAbsent`, or what botocore raises.

    Reading on raises what broke the connection if new ones bring no byte either.
    """
    return _open(s3, version.bucket, version.key, version.version_id)


def open_current(s3: S3Client, bucket: str, key: str) -> OpenObject:
    """Like `open_version`, for the version that the key leads to now."""
    return _open(s3, bucket, key, None)


def read_version(s3: S3Client, version: ObjectVersion, *, max_bytes: int) -> bytes:
    """The bytes of an object version, or the first `max_bytes` + 1 of them.

    Raises `ObjectAbsent`, `ObjectWithheld`, or what botocore raises.
    """
    return _read(s3, version.bucket, version.key, version.version_id, max_bytes).body


def read_current(s3: S3Client, bucket: str, key: str, *, max_bytes: int) -> Content | None:
    """The current version of an object with its first `max_bytes` + 1 bytes; None if none is.

    Raises `ObjectWithheld`, or what botocore raises.
    """
    try:
        return _read(s3, bucket, key, None, max_bytes)
    except ObjectAbsent:
        return None


def exists(s3: S3Client, bucket: str, key: str) -> bool:
    """Whether the key leads to an object now; raises what botocore raises."""
    return current_version_id(s3, bucket, key) is not None


def current_version_id(s3: S3Client, bucket: str, key: str) -> str | None:
    """The id of the version that the key leads to now, `null` in a bucket without versioning; None
    if it leads to none. Raises what botocore raises."""
    try:
        return s3.head_object(Bucket=bucket, Key=key).get("VersionId", UNVERSIONED)
    except ClientError as error:
        if is_absent(error):
            return None
        raise


def kms_key_of(s3: S3Client, version: ObjectVersion) -> str | None:
    """The ARN of the KMS key that encrypts the version, if one does and S3 says so.

    HeadObject needs the same permission as GetObject but, unless it asks for the checksum, not that
    of the key. So an answer also says that it is not the object that may not be read.
    """
    return _kms_key(s3, version.bucket, version.key, version.version_id)


def withholding_key(s3: S3Client, version: ObjectVersion, error: ClientError) -> str | None:
    """The id of the KMS key for which S3 does not hand a version out; None if it is not for one."""
    arn = kms_key_of(s3, version) if may_be_its_kms_key(error) else None
    return None if arn is None else arn.rpartition("/")[2]


def first_bytes(chunks: Iterator[bytes], max_bytes: int) -> bytes:
    """The first `max_bytes` + 1 bytes: one more than the bound, so that a longer file shows."""
    read = bytearray()
    for chunk in chunks:
        read += chunk
        if len(read) > max_bytes:
            break
    return bytes(read[: max_bytes + 1])


def _read(s3: S3Client, bucket: str, key: str, version_id: str | None, max_bytes: int) -> Content:
    try:
        opened = _open(s3, bucket, key, version_id)
    except ClientError as error:
        if not _is_withheld(s3, bucket, key, version_id, error):
            raise
        raise ObjectWithheld(error.response, error.operation_name) from error
    with closing(opened.chunks):  # and with it the connection
        body = first_bytes(opened.chunks, max_bytes)
    return Content(opened.version, body, opened.etag, opened.last_modified)


def _is_withheld(
    s3: S3Client, bucket: str, key: str, version_id: str | None, error: ClientError
) -> bool:
    if may_be_its_kms_key(error):
        return _kms_key(s3, bucket, key, version_id) is not None
    return unreadable_reason(error) is not None


def _kms_key(s3: S3Client, bucket: str, key: str, version_id: str | None) -> str | None:
    try:
        if version_id is None:
            head = s3.head_object(Bucket=bucket, Key=key)
        else:
            head = s3.head_object(Bucket=bucket, Key=key, VersionId=version_id)
    except ClientError:
        return None  # what GetObject said is the better explanation
    return head.get("SSEKMSKeyId")


def _open(s3: S3Client, bucket: str, key: str, version_id: str | None) -> OpenObject:
    try:
        if version_id is None:
            found = s3.get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
        else:
            found = s3.get_object(
                Bucket=bucket, Key=key, VersionId=version_id, ChecksumMode="ENABLED"
            )
    except ClientError as error:
        if is_absent(error):
            raise ObjectAbsent(answer_of(error)) from error
        raise
    version = ObjectVersion(bucket, key, version_id or found.get("VersionId", UNVERSIONED))
    return OpenObject(
        version=version,
        size=found["ContentLength"],
        etag=found["ETag"].strip('"'),
        last_modified=found["LastModified"],
        metadata=found.get("Metadata", {}),
        checksum=_checksum(found),
        chunks=_chunks(s3, version, found),
    )


def _chunks(
    s3: S3Client, version: ObjectVersion, response: GetObjectOutputTypeDef
) -> Generator[bytes, None, None]:
    """The bytes of the version that `response` began, over as many connections as it takes."""
    position = begun_at = fruitless = 0
    etag, body, size = response["ETag"], response["Body"], response["ContentLength"]
    while True:
        try:
            # Not `with body`: that gives the stream below, whose errors are not botocore's.
            with closing(body):
                while position < size and (chunk := body.read(CHUNK_BYTES)):
                    position += len(chunk)
                    yield chunk
        except _BROKEN_OFF:
            fruitless = fruitless + 1 if position == begun_at else 0
            if fruitless == _FRUITLESS:
                raise
        else:
            return
        begun_at = position
        body = s3.get_object(
            Bucket=version.bucket,
            Key=version.key,
            VersionId=version.version_id,
            Range=f"bytes={position}-",
            IfMatch=etag,  # version "null" can be replaced meanwhile
        )["Body"]


def _checksum(response: GetObjectOutputTypeDef) -> S3Checksum | None:
    """The checksum S3 keeps with the object; it keeps at most one."""
    for algorithm in DIGEST_BYTES:
        value = response.get(f"Checksum{algorithm}")
        if isinstance(value, str):
            return s3_checksum(algorithm, response.get("ChecksumType"), value)
    return None
