"""Reading what both witnesses left: record envelopes and CloudTrail's log files.

Every stored version is read, also those that were overwritten or hidden behind a delete marker:
whoever tampers with evidence leaves the honest version beside his own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from custody.aws.s3.hashing import kms_key_of
from custody.aws.trail.store import S3TrailStore
from custody.core.formats.dsse import MAX_ENVELOPE_BYTES
from custody.core.formats.strict_gzip import gunzip
from custody.core.formats.untrusted import MalformedInput
from custody.core.records.checking import ReadEnvelope, TrustedKey, read_envelope
from custody.core.records.landing import RECORD_PREFIX, UnreadableReason
from custody.core.records.refusals import may_be_its_kms_key, unreadable
from custody.core.trail.layout import TrailLayout
from custody.core.trail.log_files import MAX_LOG_BYTES, LogContent, read_log
from custody.core.trail.report import TrailReport
from custody.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """One stored version of an object of evidence."""

    bucket: str
    key: str
    version_id: str
    stored_at: datetime


@dataclass(frozen=True, slots=True)
class KeyRange:
    """Keys under ``prefix`` with ``after`` < key ≤ ``last``; an empty bound is none."""

    prefix: str
    after: str
    last: str


def record_ranges(day: date, parts: int) -> list[KeyRange]:
    """The places of the records filed under ``day``, cut into ``parts`` (1 to 256) of one size.

    Records are named by a hash, so equal ranges hold about as many; whatever else lies there is in
    one of them too.
    """
    prefix = f"{RECORD_PREFIX}dt={day}/"
    bounds = [f"{prefix}{256 * n // parts:02x}" for n in range(1, parts)]
    return [KeyRange(prefix, *pair) for pair in pairwise(["", *bounds, ""])]


def stored_versions(s3: S3Client, bucket: str, keys: KeyRange) -> Iterator[StoredVersion]:
    """Every stored version in a range of keys; delete markers and folder markers are none."""
    # Not botocore's paginator: that does not take a key to begin behind.
    list_versions = partial(s3.list_object_versions, Bucket=bucket, Prefix=keys.prefix)
    page = list_versions(KeyMarker=keys.after) if keys.after else list_versions()
    while True:
        for item in page.get("Versions", ()):
            if keys.last and item["Key"] > keys.last:
                return
            if not item["Key"].endswith("/"):
                yield StoredVersion(bucket, item["Key"], item["VersionId"], item["LastModified"])
        if not page["IsTruncated"]:
            return
        page = list_versions(
            KeyMarker=page["NextKeyMarker"], VersionIdMarker=page["NextVersionIdMarker"]
        )


def trusted_keys(kms: KMSClient, settings: Settings) -> dict[str, TrustedKey]:
    """The public keys that may have signed a record, each with its period, by its ARN.

    Raises ``MalformedInput`` as `Settings.signing_key_periods` does, and what botocore raises.
    """
    return {
        key.key_arn: TrustedKey(
            key.key_arn,
            kms.get_public_key(KeyId=key.key_arn)["PublicKey"],
            key.valid_from,
            key.valid_until,
        )
        for key in settings.signing_key_periods
    }


def read_record(
    s3: S3Client, stored: StoredVersion, keys: Mapping[str, TrustedKey]
) -> ReadEnvelope:
    """Read and check one envelope.

    One that S3 withholds for the way it is encrypted or stored is not to be believed. Raises what
    S3 raises when it is not the object's fault.
    """
    try:
        found = s3.get_object(Bucket=stored.bucket, Key=stored.key, VersionId=stored.version_id)
    except ClientError as error:
        if not _withheld(s3, stored, error):
            raise
        code = error.response["Error"]["Code"]
        return ReadEnvelope(
            stored.bucket,
            stored.key,
            stored.version_id,
            stored.stored_at,
            key_id=None,
            claim=None,
            trouble=f"S3 does not hand it out ({code})",
            was_read=False,
        )
    with closing(found["Body"]) as body:
        raw = body.read(MAX_ENVELOPE_BYTES + 1)
    return read_envelope(
        raw,
        keys,
        bucket=stored.bucket,
        place=stored.key,
        version_id=stored.version_id,
        stored_at=stored.stored_at,
    )


def _withheld(s3: S3Client, stored: StoredVersion, error: ClientError) -> bool:
    """Whether it is the object's own fault that S3 does not hand it out."""
    said = error.response["Error"]
    reason = unreadable(said["Code"], said.get("Message", ""))
    if reason is None and may_be_its_kms_key(said["Code"]):
        return kms_key_of(s3, stored.bucket, stored.key, stored.version_id) is not None
    return reason is not None and reason is not UnreadableReason.GONE


@dataclass(frozen=True, slots=True)
class LogToRead:
    """One version of a log file; ``sha256`` is what the digest ``digest_key`` says of its
    uncompressed bytes. Both are None while no digest vouches for it."""

    bucket: str
    key: str
    version_id: str
    sha256: str | None
    digest_key: str | None


def logs_to_read(
    store: S3TrailStore, layout: TrailLayout, report: TrailReport, since: datetime
) -> Iterator[LogToRead]:
    """The log files delivered from ``since`` on: those ``report`` proves, and those it may yet.

    What the report found wrong is left out. No event is delivered before it happens, so the events
    from ``since`` on are all here.
    """
    for log in report.logs_verified:
        if _delivered(layout, log.key, since):
            yield LogToRead(log.bucket, log.key, log.version_id, log.sha256, log.digest_key)
    settled = {log.key for log in report.logs_verified} | {defect.key for defect in report.defects}
    day = since.replace(hour=0, minute=0, second=0, microsecond=0)
    for stored in store.list(layout.log_prefix, after=f"{layout.log_prefix}{day:%Y/%m/%d}"):
        if (
            stored.key not in settled
            and not stored.current.deletes
            and _delivered(layout, stored.key, since)
        ):
            yield LogToRead(layout.bucket, stored.key, stored.current.id, None, None)


def _delivered(layout: TrailLayout, key: str, since: datetime) -> bool:
    """Whether ``key`` is a log file's, delivered from ``since`` on; its name tells the minute."""
    delivered = layout.log_time(key)
    return delivered is not None and delivered >= since.replace(second=0, microsecond=0)


def read_log_file(s3: S3Client, file: LogToRead) -> LogContent:
    """What a log file tells; one that cannot be read tells that, as its one problem.

    Raises only what S3 raises.
    """
    found = s3.get_object(Bucket=file.bucket, Key=file.key, VersionId=file.version_id)
    with closing(found["Body"]) as body:
        packed = body.read(MAX_LOG_BYTES + 1)
    try:
        content = gunzip(packed, what="log", max_bytes=MAX_LOG_BYTES)
        proven = file.sha256 == sha256(content).hexdigest()
        return read_log(content, log=file.key, proven=proven, digest=file.digest_key)
    except MalformedInput as error:
        return LogContent(file.key, (), {}, (str(error),))
