"""What the trail has about a window: its log files, and what is wrong with it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pyspark.rdd import RDD

from custody.aws.trail.log_reading import LogToRead
from custody.aws.trail.proof import TrailClients, prove_recent
from custody.aws.trail.setup import setup_defects
from custody.core.ledger.hours.windows import Window
from custody.core.ledger.kinds.defects import DatedDefect, dated_defect
from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.stored_records import stored_late
from custody.core.records.checking import ReadEnvelope
from custody.core.trail.defects import TrailDefect
from custody.settings import Settings

log = logging.getLogger(__name__)

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TrailEvidence:
    """What the trail has for the window: log files, and what is wrong with it; and the rows of what
    stands otherwise than it was deployed or written, which may be the trail's to explain."""

    logs: Sequence[LogToRead]
    defects: Sequence[DatedDefect]
    differences: Sequence[LedgerRow] = ()


def prove_trail(
    settings: Settings,
    window: Window,
    clients: TrailClients,
    *,
    remembered: bytes | None,
    latest_record: datetime | None = None,
) -> TrailEvidence:
    """Prove the trail as far as the window needs it, and list its log files.

    `remembered` are the heads of the last audit, by which a region that is gone is missed;
    `latest_record` is when the last of the records was stored that came late, if any did.
    """
    trail = prove_recent(
        clients,
        settings,
        as_of=window.as_of,
        span=window.evidence(latest_record),
        remembered=remembered,
    )
    log.info(
        "%d digests of %d regions proven, %d log files to read",
        trail.digests_verified,
        len(trail.reports),
        len(trail.logs),
    )
    setup = setup_defects(clients.cloudtrail(settings.region), settings)
    return TrailEvidence(trail.logs, defects_of([*trail.defects, *setup], window))


def defects_of(defects: Iterable[TrailDefect], window: Window) -> list[DatedDefect]:
    """What is wrong with the trail, dated within the window that was judged: that of a log file by
    its last event, so that whoever judges that hour again looks at it again."""

    def within(defect: TrailDefect) -> datetime:
        last = window.last_moment
        return min(max(defect.period_end or defect.period_start or last, window.start), last)

    found = list(defects)
    for defect in found:
        log.error("the trail is broken: s3://%s/%s: %s", defect.bucket, defect.key, defect.reason)
    return [dated_defect(defect, within(defect)) for defect in found]


def latest_record(envelopes: RDD[ReadEnvelope]) -> datetime | None:
    """When the last of the records was stored that came late, None if none did."""
    late = envelopes.filter(stored_late).map(lambda envelope: envelope.stored_at)
    latest = late.fold(_NEVER, max)
    return None if latest == _NEVER else latest
