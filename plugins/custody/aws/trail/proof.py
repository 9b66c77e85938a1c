"""Proving a deployment's trail, and which log files to read afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from custody.aws.trail.log_reading import LogToRead, logs_to_read
from custody.aws.trail.state import fetch_digest_keys, read_trail_state
from custody.aws.trail.store import S3TrailStore
from custody.aws.trail.validation import Pace, validate_trail
from custody.core.formats.untrusted import MalformedInput
from custody.core.trail.layout import TrailLayout
from custody.core.trail.report import Head, TrailReport
from custody.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class ProvenTrail:
    """The report of a validation, the log files to read, and why the remembered head could not be
    used (`trouble`), if so."""

    report: TrailReport
    logs: Sequence[LogToRead]
    trouble: str | None


def prove_recent(
    s3: S3Client,
    cloudtrail: CloudTrailClient,
    settings: Settings,
    *,
    as_of: datetime,
    since: datetime,
) -> ProvenTrail:
    """Prove the trail as far back as events from `since` on need it; the log files from then on.

    Times are aware. Raises what `validate_trail` raises.
    """
    start = since - settings.digest_seconds
    return _prove(s3, cloudtrail, settings, as_of, since, start=start)


def prove_onward(
    s3: S3Client,
    cloudtrail: CloudTrailClient,
    settings: Settings,
    *,
    as_of: datetime,
    since: datetime,
    remembered: bytes | None,
) -> ProvenTrail:
    """Prove everything since the head `remembered` (JSON); from the beginning, if there is none,
    or none that can be used. The log files are those from `since` on, proven anew: their events
    name the actors.

    Times are aware. Raises what `validate_trail` raises.
    """
    head, trouble = _usable(remembered, settings.trail_layout)
    start = None if head is None else since
    return _prove(s3, cloudtrail, settings, as_of, since, start=start, head=head, trouble=trouble)


def _prove(
    s3: S3Client,
    cloudtrail: CloudTrailClient,
    settings: Settings,
    as_of: datetime,
    since: datetime,
    *,
    start: datetime | None = None,
    head: Head | None = None,
    trouble: str | None = None,
) -> ProvenTrail:
    layout, store = settings.trail_layout, S3TrailStore(s3, settings.trail_bucket)
    report = TrailReport.merged(
        validate_trail(
            store,
            layout,
            lambda first, last: fetch_digest_keys(cloudtrail, first, last),
            state=read_trail_state(cloudtrail, settings.trail_name),
            as_of=as_of,
            head=head,
            since=start,
            pace=Pace.of_cadence(settings.digest_seconds),
        )
    )
    return ProvenTrail(report, list(logs_to_read(store, layout, report, since)), trouble)


def _usable(remembered: bytes | None, layout: TrailLayout) -> tuple[Head | None, str | None]:
    """The head to go on from, and what is wrong with the one remembered."""
    if remembered is None:
        return None, None
    try:
        head = Head.from_json(remembered)
    except MalformedInput as error:
        return None, str(error)
    if head.bucket != layout.bucket or layout.digest_name(head.key) is None:
        return None, "it is of another trail"
    return head, None
