"""What CloudTrail says of a trail: whether it is on, and which digests are due by that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from custody.core.trail.layout import TrailLayout


@dataclass(frozen=True)
class TrailState:
    """A trail as `DescribeTrails` and `GetTrailStatus` describe it; times are aware.

    `prefix` has no slash at its end. `digest_error` is what stopped CloudTrail from delivering
    its latest digest, empty if nothing did. `multi_region`: it logs what happens in every region.
    """

    bucket: str
    prefix: str
    logging: bool
    validated: bool
    multi_region: bool = True
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    digest_error: str = ""


def off_reason(state: TrailState | None, layout: TrailLayout) -> str | None:
    """Why the trail no longer proves what happens now in the region of `layout`, or `None`.

    `state` is `None` if the trail does not exist (any more).
    """
    if state is None:
        return f"The trail {layout.trail} does not exist: nothing is logged."
    if not state.logging:
        return f"The trail {layout.trail} is not logging: it was stopped."
    if not state.validated:
        return (
            f"Log file validation of the trail {layout.trail} is switched off: "
            "CloudTrail writes no digests, so new logs prove nothing."
        )
    if (state.bucket, state.prefix) != (layout.bucket, layout.prefix):
        return (
            f"The trail {layout.trail} now delivers to s3://{state.bucket}/{state.prefix}, "
            f"not to s3://{layout.bucket}/{layout.prefix}."
        )
    return None if layout.is_home else narrow_reason(state, layout)


def narrow_reason(state: TrailState | None, layout: TrailLayout) -> str | None:
    """Why the trail no longer logs what happens in other regions than its own, or `None`."""
    if state is None or state.multi_region:
        return None
    return (
        f"The trail {layout.trail} logs {layout.home_region} alone: what happens in other regions, "
        "and who takes a role at the global endpoint, is in no log."
    )


def digests_due_by(
    state: TrailState | None, layout: TrailLayout, as_of: datetime, *, grace: timedelta
) -> datetime | None:
    """The time up to which digests must have come at `as_of`, `grace` after their periods.

    That is when logging was stopped, if it was; `None` if none is due since the trail is off.
    """
    latest = as_of - grace
    if off_reason(state, layout) is None:
        return latest
    if state is None or state.logging or state.stopped_at is None:
        return None
    return min(latest, state.stopped_at)


def may_have_no_digest(
    state: TrailState | None,
    layout: TrailLayout,
    as_of: datetime,
    *,
    since: datetime | None,
    due_after: timedelta,
) -> bool:
    """Whether a trail without any digest from `since` on is as it should be at `as_of`.

    It is while the trail is off, or until `due_after` its start (or `since`).
    """
    began = [t for t in (since, state.started_at if state else None) if t is not None]
    due = max(began) + due_after if began else as_of
    return off_reason(state, layout) is not None or as_of < due
