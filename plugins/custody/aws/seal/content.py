"""The input of the seal: the hash of each record's envelope."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from custody.aws.s3.listing import StoredVersion
from custody.aws.s3.reading import open_version
from custody.core.seal.entries import RecordEntry

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def record_entry(s3: S3Client, stored: StoredVersion) -> RecordEntry:
    """The entry of a stored record; raises `ObjectAbsent` and what botocore raises."""
    digest = hashlib.sha256()
    for chunk in open_version(s3, stored.version).chunks:
        digest.update(chunk)
    return RecordEntry(stored.version.key, digest.hexdigest())
