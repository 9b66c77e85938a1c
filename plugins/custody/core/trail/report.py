"""What one validation of a trail came to: how far it is proven, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from custody.core.formats.s3_fields import bucket_name, instant, object_key
from custody.core.formats.timestamps import format_utc
from custody.core.formats.untrusted import Fields, MalformedInput, load_json
from custody.core.trail.defects import TrailDefect
from custody.objects import ObjectVersion

_MAX_HEAD_BYTES: Final = 16 * 1024
_HEAD_VERSION: Final = 1


@dataclass(frozen=True)
class ProvenLog:
    """A log file whose bytes are those that `digest_key` vouches for.

    `version` is the one that was read (its id is `"null"` if the bucket keeps none), `sha256` of
    its uncompressed bytes.
    """

    version: ObjectVersion
    sha256: str
    digest_key: str


@dataclass(frozen=True)
class Head:
    """The digest up to which a trail is proven; a validation that remembers it detects a rollback.

    `sha256` (uncompressed bytes) and `signature` are in hexadecimal, `end` is the end of its
    period.
    """

    bucket: str
    key: str
    sha256: str
    signature: str
    end: datetime

    def to_json(self) -> str:
        """One line of JSON, the same for the same head."""
        return json.dumps({**self.document(), "version": _HEAD_VERSION}, sort_keys=True)

    def document(self) -> dict[str, object]:
        """The fields as JSON has them."""
        return {**asdict(self), "end": format_utc(self.end)}

    @classmethod
    def from_json(cls, text: bytes | str) -> Head:
        """Read what `to_json` wrote; raises `MalformedInput` naming the field."""
        fields = Fields.of(load_json(text, what="head", max_bytes=_MAX_HEAD_BYTES), "")
        if fields.count("version") != _HEAD_VERSION:
            raise MalformedInput("version", f"must be {_HEAD_VERSION}")
        return cls.of(fields)

    @classmethod
    def of(cls, fields: Fields) -> Head:
        """Read the fields of a head; raises `MalformedInput` naming the one at fault."""
        return cls(
            bucket=bucket_name(fields, "bucket"),
            key=object_key(fields, "key"),
            sha256=fields.sha256("sha256"),
            signature=fields.text("signature", max_length=2048),
            end=instant(fields, "end"),
        )


@dataclass(frozen=True)
class Progress:
    """How far a trail is proven; `head` and `tip` as in `TrailReport`."""

    head: Head | None
    tip: Head | None
    intact: bool = True
    """Whether nothing was wrong so far."""

    def past(self, digest: Head | None, *, intact: bool) -> Progress:
        """The progress after the next `digest`, `None` for one that is not signed.

        `intact` is whether nothing is wrong with it, its link, and the logs it names.
        """
        intact = self.intact and intact
        return Progress(
            head=_newer(self.head, digest) if intact else self.head,
            tip=_newer(self.tip, digest),
            intact=intact,
        )


def _newer(one: Head | None, other: Head | None) -> Head | None:
    if one is None or (other is not None and other.end > one.end):
        return other
    return one


@dataclass(frozen=True)
class TrailReport:
    """What one step of a validation, or a whole one, came to.

    `head` is the newest digest up to which *everything* is proven: the digests, their links and
    every log they name. It never moves past a defect. `tip` is the newest digest with a good
    signature, whatever lies before it: what people make the new head once they have dealt with the
    defects.
    """

    defects: tuple[TrailDefect, ...]
    head: Head | None
    tip: Head | None
    digests_verified: int
    logs_verified: tuple[ProvenLog, ...]

    @classmethod
    def merged(cls, reports: Iterable[TrailReport]) -> TrailReport:
        """All steps of one validation as one report."""
        every = tuple(reports)
        return cls(
            defects=tuple(defect for report in every for defect in report.defects),
            head=every[-1].head if every else None,
            tip=every[-1].tip if every else None,
            digests_verified=sum(report.digests_verified for report in every),
            logs_verified=tuple(log for report in every for log in report.logs_verified),
        )
