"""What the trail has about a window: its log files, and what is wrong with it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from custody.aws.trail.log_reading import LogToRead
from custody.aws.trail.proof import prove_recent
from custody.core.ledger.kinds.defects import DatedDefect, dated_defect
from custody.core.ledger.windows import Window
from custody.core.trail.defects import TrailDefect
from custody.core.trail.report import TrailReport
from custody.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrailEvidence:
    """What the trail has for the window: log files, and what is wrong with it."""

    logs: Sequence[LogToRead]
    defects: Sequence[DatedDefect]


def prove_trail(
    settings: Settings, window: Window, s3: S3Client, cloudtrail: CloudTrailClient
) -> TrailEvidence:
    """Prove the trail as far as the window needs it, and list its log files."""
    trail = prove_recent(s3, cloudtrail, settings, as_of=window.as_of, since=window.evidence_from)
    report, logs = trail.report, trail.logs
    for defect in report.defects:
        log.error("the trail is broken: s3://%s/%s: %s", defect.bucket, defect.key, defect.reason)
    log.info(
        "%d digests and %d log files proven, %d log files to read",
        report.digests_verified,
        len(report.logs_verified),
        len(logs),
    )
    return TrailEvidence(logs, defects_of(report, window))


def defects_of(report: TrailReport, window: Window) -> list[DatedDefect]:
    """What is wrong with the trail, dated within the window that was judged."""

    def within(defect: TrailDefect) -> datetime:
        last = window.last_moment
        return min(max(defect.period_end or defect.period_start or last, window.start), last)

    return [dated_defect(defect, within(defect)) for defect in report.defects]
