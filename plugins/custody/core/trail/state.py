"""Whether a trail is on: what CloudTrail says of it, judged against what the platform expects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from custody.core.trail.layout import TrailLayout


@dataclass(frozen=True)
class TrailState:
    """A trail as ``DescribeTrails`` and ``GetTrailStatus`` tell of it; times are aware.

    ``prefix`` has no slash at its end. ``digest_error`` is what stopped CloudTrail from delivering
    its latest digest, empty if nothing did.
    """

    bucket: str
    prefix: str
    logging: bool
    validated: bool
    started_at: datetime | None = None
    stopped_at: datetime | None = None
    digest_error: str = ""


def off_reason(state: TrailState | None, layout: TrailLayout) -> str | None:
    """Why the trail no longer proves what happens now, or ``None`` if it does.

    ``state`` is ``None`` if the trail does not exist (any more).
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
    return None
