"""What the trail has about a window: its log files, and what is wrong with it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from custody.aws.trail.log_reading import LogToRead
from custody.aws.trail.proof import TrailClients, prove_recent
from custody.core.ledger.kinds.defects import DatedDefect, dated_defect
from custody.core.ledger.windows import Window
from custody.core.trail.defects import TrailDefect
from custody.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrailEvidence:
    """What the trail has for the window: log files, and what is wrong with it."""

    logs: Sequence[LogToRead]
    defects: Sequence[DatedDefect]


def prove_trail(
    settings: Settings, window: Window, clients: TrailClients, *, remembered: bytes | None
) -> TrailEvidence:
    """Prove the trail as far as the window needs it, and list its log files.

    `remembered` are the heads of the last audit, by which a region that is gone is missed.
    """
    trail = prove_recent(
        clients,
        settings,
        as_of=window.as_of,
        since=window.evidence_from,
        remembered=remembered,
    )
    for defect in trail.defects:
        log.error("the trail is broken: s3://%s/%s: %s", defect.bucket, defect.key, defect.reason)
    log.info(
        "%d digests of %d regions and %d log files proven, %d log files to read",
        trail.digests_verified,
        len(trail.reports),
        trail.logs_verified,
        len(trail.logs),
    )
    return TrailEvidence(trail.logs, defects_of(trail.defects, window))


def defects_of(defects: Iterable[TrailDefect], window: Window) -> list[DatedDefect]:
    """What is wrong with the trail, dated within the window that was judged."""

    def within(defect: TrailDefect) -> datetime:
        last = window.last_moment
        return min(max(defect.period_end or defect.period_start or last, window.start), last)

    return [dated_defect(defect, within(defect)) for defect in defects]
