"""List what the buckets hold, and read versions back, for the audit at rest."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, FlexibleChecksumError

from custody.aws.s3.errors import code_of
from custody.aws.s3.hashing import IncompleteObject, Unreadable, hash_version
from custody.aws.s3.listing import list_versions
from custody.aws.s3.reading import withholding_key
from custody.core.ledger.kinds.at_rest import HeldVersion, Reading
from custody.core.ledger.kinds.keys import KeyAway
from custody.objects import ObjectVersion
from custody.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def held_versions(s3: S3Client, bucket: str) -> Iterator[HeldVersion]:
    """Every version and delete marker of a bucket."""
    for stored in list_versions(s3, bucket):
        yield HeldVersion(
            stored.version,
            stored.last_modified,
            is_marker=stored.is_delete_marker,
            is_latest=stored.is_latest,
            size_bytes=stored.size,
        )


def audited_versions(s3: S3Client, settings: Settings) -> Iterator[HeldVersion]:
    """What the data buckets of a deployment hold, and what hides records and seals."""
    for bucket in (settings.raw_bucket, settings.processed_bucket, settings.analytics_bucket):
        yield from held_versions(s3, bucket)
    for version in held_versions(s3, settings.provenance_bucket):
        if version.is_marker:
            yield version


def read_back(s3: S3Client, version: ObjectVersion, *, own_keys: Collection[str] = ()) -> Reading:
    """Hash the bytes of a version as they are now.

    Bytes that S3's own checksum or length does not fit are read a second time, so that a fault on
    the way is not taken for one at rest. A version that was encrypted anew, under a key that is
    none of the deployment's (`own_keys`, by their ids), cannot be read and is not as it was
    recorded; of one of these keys the reading says that it cannot be used. Raises what botocore
    raises when neither is at fault (a permission, KMS or S3 themselves).
    """
    trouble = ""
    for _ in range(2):
        try:
            found = hash_version(s3, version)
            return Reading(found.sha256, size_bytes=found.size_bytes)
        except Unreadable as error:
            return Reading(None, error.answer, gone=True)
        except FlexibleChecksumError as error:
            trouble = f"they do not fit the checksum S3 keeps with them ({error})"
        except IncompleteObject as error:
            trouble = str(error)
        except ClientError as error:
            key = withholding_key(s3, version, error)
            if key is None or not own_keys:
                raise
            if key in own_keys:
                return Reading(None, key_away=KeyAway(key, code_of(error)))
            answer = f"they were encrypted anew under a key of others ({code_of(error)})"
            return Reading(None, answer)
    return Reading(None, trouble)
