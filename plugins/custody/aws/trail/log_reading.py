"""Which log files of a trail are to be read, and the events in each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from custody.aws.s3.reading import read_version
from custody.aws.trail.store import S3TrailStore
from custody.core.formats.strict_gzip import gunzip
from custody.core.formats.untrusted import MalformedInput
from custody.core.trail.layout import TrailLayout
from custody.core.trail.log_files import MAX_LOG_BYTES, LogContent, read_log
from custody.core.trail.report import TrailReport
from custody.objects import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class LogToRead:
    """One version of a log file; `sha256` is what the digest `digest_key` says of its
    uncompressed bytes. Both are None while no digest vouches for it."""

    version: ObjectVersion
    sha256: str | None
    digest_key: str | None


def logs_to_read(
    store: S3TrailStore, layout: TrailLayout, report: TrailReport, since: datetime
) -> Iterator[LogToRead]:
    """The log files delivered from `since` on: those `report` proves, and those it may yet.

    What the report found wrong is left out. No event is delivered before it happens, so the events
    from `since` on are all here.
    """
    for log in report.logs_verified:
        if _delivered(layout, log.version.key, since):
            yield LogToRead(log.version, log.sha256, log.digest_key)
    settled = {log.version.key for log in report.logs_verified} | {
        defect.key for defect in report.defects
    }
    day = since.replace(hour=0, minute=0, second=0, microsecond=0)
    for stored in store.list(layout.log_prefix, after=f"{layout.log_prefix}{day:%Y/%m/%d}"):
        if (
            stored.key not in settled
            and not stored.current.deletes
            and _delivered(layout, stored.key, since)
        ):
            version = ObjectVersion(layout.bucket, stored.key, stored.current.id)
            yield LogToRead(version, None, None)


def _delivered(layout: TrailLayout, key: str, since: datetime) -> bool:
    """Whether `key` is a log file's, delivered from `since` on; its name tells the minute."""
    delivered = layout.log_time(key)
    return delivered is not None and delivered >= since.replace(second=0, microsecond=0)


def read_log_file(s3: S3Client, file: LogToRead) -> LogContent:
    """The events of a log file; one that cannot be read has that as its one problem.

    Raises `ObjectAbsent`, or what botocore raises.
    """
    packed = read_version(s3, file.version, max_bytes=MAX_LOG_BYTES)
    try:
        content = gunzip(packed, what="log", max_bytes=MAX_LOG_BYTES)
        proven = file.sha256 == sha256(content).hexdigest()
        return read_log(content, log=file.version.key, proven=proven, digest=file.digest_key)
    except MalformedInput as error:
        return LogContent(file.version.key, (), {}, (str(error),))
