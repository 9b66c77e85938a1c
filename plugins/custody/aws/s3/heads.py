"""The heads that the audit remembers: the last verified state of each log.

A log that does not begin with its remembered head was rolled back or replaced. Heads are kept in
the analytics bucket, apart from the logs themselves: nobody holds the keys to both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from custody.aws.s3.errors import ObjectWithheld
from custody.aws.s3.listing import versions_of
from custody.aws.s3.reading import read_version

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

HEADS_PREFIX: Final = "audit/heads/"

TRAIL_HEAD: Final = "trail.json"
"""Names what is remembered of the trail (`custody.core.trail.heads`)."""

SEAL_HEAD: Final = "seal"
"""Names the checkpoint of the seal."""

_MAX_HEAD_BYTES: Final = 64 * 1024


def head_key(name: str) -> str:
    """Where the head `name` is kept."""
    return f"{HEADS_PREFIX}{name}"


def recall(s3: S3Client, bucket: str, name: str) -> bytes | None:
    """The head remembered last; None if there never was one.

    A delete marker does not make anything forgotten: the newest version behind it is read. One that
    S3 does not hand out, as it was encrypted anew, is empty, and so a head that cannot be used.
    """
    versions = [
        stored for stored in versions_of(s3, bucket, head_key(name)) if not stored.is_delete_marker
    ]
    if not versions:
        return None
    newest = max(versions, key=lambda stored: (stored.is_latest, stored.last_modified))
    try:
        return read_version(s3, newest.version, max_bytes=_MAX_HEAD_BYTES)
    except ObjectWithheld:
        return b""


def remember(s3: S3Client, bucket: str, name: str, head: bytes) -> None:
    """Remember `head`; one that is remembered already is not written again."""
    if recall(s3, bucket, name) != head:
        s3.put_object(Bucket=bucket, Key=head_key(name), Body=head)
