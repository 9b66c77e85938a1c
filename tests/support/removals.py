"""Who removes, and the calls they make: for tests of what is found missing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from custody.core.ledger.policy import Policy
from custody.core.trail.events import TrailEvent
from custody.core.trail.principals import Principal

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
GLUE = Principal("arn:aws:iam::111122223333:role/glue", "AssumedRole", "AROAGLUE", None)
INSIDER = Principal("arn:aws:iam::111122223333:user/insider", "IAMUser", "AIDAINSIDER", None)
CRM = Principal("arn:aws:iam::111122223333:user/crm", "IAMUser", "AIDACRM", None)
POLICY = Policy(
    as_of=NOON,
    grace=3 * HOUR,
    layers={"raw": "bronze", "processed": "silver", "provenance": "provenance"},
    writers={"bronze": (CRM.arn,), "silver": (GLUE.arn,), "gold": (GLUE.arn,)},
    recorders=("arn:aws:iam::111122223333:role/recorder",),
)


def call(
    who: Principal = INSIDER,
    *,
    at: datetime = NOON - HOUR,
    key: str | None = None,
    version: str | None = None,
    event_id: str = "e1",
    is_marker: bool = False,
    bucket: str = "raw",
) -> TrailEvent:
    """A batch delete, or with a key the delete of that object or version."""
    return TrailEvent(
        event_id=event_id,
        name="DeleteObject" if key else "DeleteObjects",
        time=at,
        bucket=bucket,
        key=key,
        version_id=version,
        delete_marker=is_marker,
        request_id="R",
        bytes_in=None,
        who=who,
        source_ip="203.0.113.9",
        user_agent="aws-cli",
        updates=None,
        log="log",
        proven=True,
    )
