"""What can be wrong with a trail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class TrailDefectKind(StrEnum):
    """Each is a cause of its own; all of them are the verdict `TRAIL_BROKEN`."""

    TRAIL_OFF = "trail_off"
    """Logging or log file validation is off, or the trail is gone or delivers elsewhere."""

    REGION_OFF = "region_off"
    """There are files of a region that the account has not enabled: nobody has its keys."""

    NO_DIGESTS = "no_digests"
    """There is no digest where there must be some."""

    ROLLED_BACK = "rolled_back"
    """The last digest proven before is gone or another, and nothing newer explains it."""

    GAP = "gap"
    """A period that no digest covers: the chain ended and another one began."""

    DIGEST_MISSING = "digest_missing"
    DIGEST_ALTERED = "digest_altered"
    DIGEST_MOVED = "digest_moved"
    """CloudTrail signed these bytes, but for another bucket or key."""

    DIGEST_UNKNOWN_KEY = "digest_unknown_key"
    DIGEST_UNCHAINED = "digest_unchained"
    """A signed digest that its successor does not vouch for."""

    LOG_MISSING = "log_missing"
    LOG_ALTERED = "log_altered"
    INJECTED = "injected"
    """An object among the logs or digests that CloudTrail did not put there."""

    UNREADABLE = "unreadable"
    """S3 has the object and does not hand it out (an encryption key, a permission)."""


@dataclass(frozen=True)
class TrailDefect:
    """One object that is wrong, one missing digest, or one period that nothing covers.

    `version_id` is that of the bytes (or delete marker) that are wrong, `None` if there is
    none. `reason` is one sentence; `digest_key` names the digest that is the evidence.
    `period_start` and `period_end` are set when the defect is about a period of deliveries, or
    about a log file, of whose first and last event the digest says when they were.
    """

    kind: TrailDefectKind
    bucket: str
    key: str
    reason: str
    version_id: str | None = None
    digest_key: str | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None
