"""What is found wrong with a trail, and how far it is proven: the report of one validation."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from custody.core.formats.s3_fields import bucket_name, instant, object_key
from custody.core.formats.timestamps import format_utc
from custody.core.formats.untrusted import Fields, MalformedInput, load_json

_MAX_HEAD_BYTES: Final = 16 * 1024
_HEAD_VERSION: Final = 1


class TrailFindingKind(StrEnum):
    """Each is a cause of its own; all of them are the verdict ``TRAIL_BROKEN``."""

    TRAIL_OFF = "trail_off"
    """Logging or log file validation is off, or the trail is gone or delivers elsewhere."""

    NO_DIGESTS = "no_digests"
    """There is no digest where there must be some."""

    ROLLED_BACK = "rolled_back"
    """The last digest proven before is gone or another, and nothing newer explains it."""

    GAP = "gap"
    """A stretch of time that no digest covers: the chain ended and another one began."""

    DIGEST_MISSING = "digest_missing"
    DIGEST_ALTERED = "digest_altered"
    DIGEST_MOVED = "digest_moved"
    """CloudTrail signed these bytes, but for another place."""

    DIGEST_UNKNOWN_KEY = "digest_unknown_key"
    DIGEST_UNCHAINED = "digest_unchained"
    """A signed digest that its successor does not vouch for."""

    LOG_MISSING = "log_missing"
    LOG_ALTERED = "log_altered"
    INJECTED = "injected"
    """An object in the place of logs or digests that CloudTrail did not put there."""

    UNREADABLE = "unreadable"
    """S3 has the object and does not hand it out (an encryption key, a permission)."""


@dataclass(frozen=True)
class TrailFinding:
    """One offending object, missing digest, or stretch of time.

    ``version_id`` is that of the bytes (or delete marker) that offend, ``None`` if there is none.
    ``reason`` is one sentence; ``digest_key`` the digest that is the evidence. ``period_start`` and
    ``period_end`` are set when the finding is about a stretch of delivery times.
    """

    kind: TrailFindingKind
    bucket: str
    key: str
    reason: str
    version_id: str | None = None
    digest_key: str | None = None
    period_start: datetime | None = None
    period_end: datetime | None = None


@dataclass(frozen=True)
class ProvenLog:
    """A log file whose bytes are those that ``digest_key`` vouches for.

    ``sha256`` is of its uncompressed bytes, ``version_id`` the object version that was read
    (``"null"`` if the bucket keeps none).
    """

    bucket: str
    key: str
    version_id: str
    sha256: str
    digest_key: str


@dataclass(frozen=True)
class Head:
    """The digest up to which a trail is proven; remembered, it shows a rollback.

    ``sha256`` (uncompressed bytes) and ``signature`` are in hexadecimal, ``end`` is the end of its
    period.
    """

    bucket: str
    key: str
    sha256: str
    signature: str
    end: datetime

    def to_json(self) -> str:
        """One line of JSON, the same for the same head."""
        fields = {**asdict(self), "end": format_utc(self.end), "version": _HEAD_VERSION}
        return json.dumps(fields, sort_keys=True)

    @classmethod
    def from_json(cls, text: bytes | str) -> Head:
        """Read what ``to_json`` wrote; raises ``MalformedInput`` naming the field."""
        fields = Fields.of(load_json(text, what="head", max_bytes=_MAX_HEAD_BYTES), "")
        if fields.count("version") != _HEAD_VERSION:
            raise MalformedInput("version", f"must be {_HEAD_VERSION}")
        return cls(
            bucket=bucket_name(fields, "bucket"),
            key=object_key(fields, "key"),
            sha256=fields.sha256("sha256"),
            signature=fields.text("signature", max_length=2048),
            end=instant(fields, "end"),
        )


@dataclass(frozen=True)
class TrailReport:
    """What one step of a validation, or a whole one, came to.

    ``head`` is the newest digest up to which *everything* is proven: the digests, their links and
    every log they name. It never moves past a finding. ``tip`` is the newest digest with a good
    signature, whatever lies before it: what people make the new head once they have dealt with the
    findings.
    """

    findings: tuple[TrailFinding, ...]
    head: Head | None
    tip: Head | None
    digests_verified: int
    logs_verified: tuple[ProvenLog, ...]

    @classmethod
    def merged(cls, reports: Iterable[TrailReport]) -> TrailReport:
        """All steps of one validation as one report."""
        every = tuple(reports)
        return cls(
            findings=tuple(finding for report in every for finding in report.findings),
            head=every[-1].head if every else None,
            tip=every[-1].tip if every else None,
            digests_verified=sum(report.digests_verified for report in every),
            logs_verified=tuple(log for report in every for log in report.logs_verified),
        )
