"""The SHA-256 of one exact object version, in constant memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from custody.aws.s3.errors import (
    ObjectAbsent,
    answer_of,
    may_be_its_kms_key,
    unreadable_reason,
)
from custody.aws.s3.reading import kms_key_of, open_version
from custody.core.records.model import HashedVersion, UnreadableReason
from custody.objects import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Unreadable(Exception):
    """S3 will never hand out the object version to whoever asked; `reason` says why."""

    def __init__(self, version: ObjectVersion, reason: UnreadableReason, answer: str) -> None:
        super().__init__(f"{version.uri} version {version.version_id}: {answer}")
        self.reason = reason
        self.answer = answer


class VersionGone(Unreadable):
    """The object version does not exist, or no longer does: its bytes can never be hashed."""


class IncompleteObject(Exception):
    """S3 sent fewer or more bytes than it announced: a hash of them would be false evidence."""


def hash_version(
    s3: S3Client,
    version: ObjectVersion,
    *,
    data_key_arn: str | None = None,
    before_chunk: Callable[[], None] = lambda: None,
) -> HashedVersion:
    """Read an object version from its first byte to its last, and hash it.

    A connection that breaks off is taken up again where it ended. `before_chunk` is called before
    each chunk is read and may raise to give up.

    Raises `Unreadable` (`VersionGone` if that is why), `IncompleteObject`, or what botocore
    raises. `data_key_arn` is the KMS key the reader is meant to use: a version under another key
    that it may not use is `Unreadable`. Under that key, or without one given, a refusal is raised
    as it is, because somebody may put it right.
    """
    before_chunk()
    try:
        opened = open_version(s3, version)
    except ObjectAbsent as error:
        raise VersionGone(version, UnreadableReason.GONE, str(error)) from error
    except ClientError as error:
        reason = _reason(s3, version, error, data_key_arn)
        if reason is None:
            raise
        raise Unreadable(version, reason, answer_of(error)) from error
    digest, size = hashlib.sha256(), 0
    for chunk in opened.chunks:
        digest.update(chunk)
        size += len(chunk)
        before_chunk()
    if size != opened.size:
        raise IncompleteObject(
            f"{version.uri} version {version.version_id}: read {size} bytes, "
            f"S3 announced {opened.size}"
        )
    return HashedVersion(
        sha256=digest.hexdigest(),
        size_bytes=size,
        etag=opened.etag,
        checksum=opened.checksum,
    )


def _reason(
    s3: S3Client, version: ObjectVersion, error: ClientError, data_key_arn: str | None
) -> UnreadableReason | None:
    reason = unreadable_reason(error)
    if reason is None and data_key_arn is not None and may_be_its_kms_key(error):
        used = kms_key_of(s3, version)
        if used is not None and used != data_key_arn:
            return UnreadableReason.KMS_KEY
    return reason
