"""The objects among the logs that no digest names although one should by now."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from custody.aws.trail.listing import is_file
from custody.aws.trail.store import StoredObject
from custody.core.trail import reasons
from custody.core.trail.defects import TrailDefect
from custody.core.trail.digests.coverage import Coverage
from custody.core.trail.layout import TrailLayout


def undelivered(
    unnamed: Iterable[StoredObject],
    layout: TrailLayout,
    *,
    regular: Coverage,
    backfill: Coverage,
    skew: timedelta,
) -> list[TrailDefect]:
    """The defects of objects that no digest names: CloudTrail did not deliver them.

    Log files from before the first digest are one gap, however many they are. A log file whose
    digest is not there yet, is missing, or is unproven is left out. `skew` is how far S3's time
    of a delivery and CloudTrail's may differ.
    """
    defects: list[TrailDefect] = []
    before_first: list[datetime] = []
    for stored in unnamed:
        if stored.current.deletes or not is_file(stored):
            continue
        made, at = layout.log_time(stored.key), stored.delivered_at
        if made is None:
            defects.append(foreign(layout, stored))
        elif any(backfill.leaves_open(time, within=skew) for time in (made, at)):
            continue
        elif regular.is_before(at, within=skew):
            before_first.append(at)
        elif digest_key := regular.covering(at, within=skew):
            defects.append(
                reasons.log_injected(layout.bucket, stored.key, stored.current.id, at, digest_key)
            )
    if before_first and regular.first is not None:
        defects.append(reasons.gap_before_first(layout, regular.first, before_first))
    return defects


def foreign(layout: TrailLayout, stored: StoredObject) -> TrailDefect:
    """The defect of an object whose name CloudTrail does not give."""
    return reasons.foreign_object(layout.bucket, stored.key, stored.current.id)
