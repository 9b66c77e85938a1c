"""The sweep: the bytes of a version that no notification announced are hashed by the audit.

What S3 did not announce has no record, and whoever sent it, or kept the recorder from hearing of
it, could claim later that other bytes had landed. The sweep fixes them as they are found. It makes
no record in S3's name: the version stays `UNRECORDED`
(docs/adr/081-a-sweep-beside-the-recorder.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from custody.core.formats.s3_fields import instant, object_key
from custody.core.formats.timestamps import format_utc
from custody.core.formats.untrusted import Fields, MalformedInput
from custody.core.ledger.kinds.at_rest import HeldVersion, RecordedVersion
from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.verdicts import Verdict
from custody.objects import ObjectVersion

MAX_BYTES_A_NIGHT: Final = 16 * 1024**3
"""What one audit reads; a version larger than that is hashed by none. An audit has two hours."""

MAX_VERSIONS_A_NIGHT: Final = 5_000

MAX_KEPT_BYTES: Final = 16 * 1024**2
"""Of what is known of all of them, as JSON: a run's report has it (`MAX_REPORT_BYTES`)."""

_MAX_ANSWER: Final = 300


@dataclass(frozen=True, slots=True)
class SweptVersion:
    """A version that the sweep read at `swept_at`: the hash and the size of its bytes, or the
    `trouble` in their place."""

    version: ObjectVersion
    stored_at: datetime
    swept_at: datetime
    sha256: str | None
    size_bytes: int
    trouble: str | None = None

    @property
    def as_recorded(self) -> RecordedVersion:
        """What is known of it, as if a record said so that is none."""
        return RecordedVersion(
            version=self.version,
            written_at=self.stored_at,
            recorded_at=self.swept_at,
            sha256s=frozenset() if self.sha256 is None else frozenset({self.sha256}),
            size_bytes=self.size_bytes,
            key_id=None,
            record_key=None,
        )

    def to_document(self) -> dict[str, object]:
        document: dict[str, object] = {
            "bucket": self.version.bucket,
            "key": self.version.key,
            "version_id": self.version.version_id,
            "stored_at": format_utc(self.stored_at),
            "swept_at": format_utc(self.swept_at),
            "size_bytes": self.size_bytes,
        }
        if self.sha256 is not None:
            document["sha256"] = self.sha256
        if self.trouble is not None:
            document["trouble"] = self.trouble[:_MAX_ANSWER]
        return document

    @classmethod
    def of(cls, item: object, where: str) -> SweptVersion:
        """Raises `MalformedInput`."""
        fields = Fields.of(item, where)
        return cls(
            ObjectVersion(
                fields.text("bucket"), object_key(fields, "key"), fields.text("version_id")
            ),
            stored_at=instant(fields, "stored_at"),
            swept_at=instant(fields, "swept_at"),
            sha256=fields.sha256("sha256") if fields.has("sha256") else None,
            size_bytes=fields.count("size_bytes"),
            trouble=fields.optional_text("trouble"),
        )


Swept = Mapping[ObjectVersion, SweptVersion]


@dataclass(frozen=True, slots=True)
class Sweep:
    """What the sweeps of all nights know, and how many versions without a record are `left`, of
    which they know no hash."""

    versions: Swept
    left: int = 0

    def to_document(self) -> Mapping[str, object]:
        """In one form, the same whatever the order."""
        listed = [self.versions[version].to_document() for version in sorted(self.versions)]
        return {"versions": listed, "left": self.left}

    @classmethod
    def from_document(cls, document: Mapping[str, object]) -> Sweep:
        """Raises `MalformedInput`."""
        fields = Fields.of(document, "report.sweep")
        listed = fields.values.get("versions")
        if not isinstance(listed, list):
            raise MalformedInput(fields.where("versions"), "must be a list")
        swept = [
            SweptVersion.of(item, f"{fields.path}.versions[{i}]") for i, item in enumerate(listed)
        ]
        return cls({one.version: one for one in swept}, fields.count("left"))


def due_tonight(unrecorded: Iterable[HeldVersion], known: Swept) -> list[HeldVersion]:
    """Which of the `unrecorded` the sweep reads tonight: those that no earlier one hashed, the
    oldest first.

    What could not be read is tried again behind all that was not tried yet, so that whoever puts
    thousands of these there keeps no other from being hashed.
    """
    waiting = [held for held in unrecorded if not _is_hashed(held.version, known)]
    due: list[HeldVersion] = []
    left = MAX_BYTES_A_NIGHT
    for held in sorted(
        waiting, key=lambda held: (_tried(held, known), held.stored_at, held.version)
    ):
        if held.size_bytes > MAX_BYTES_A_NIGHT:
            continue
        left -= held.size_bytes
        if left < 0 or len(due) == MAX_VERSIONS_A_NIGHT:
            break
        due.append(held)
    return due


def swept_so_far(
    unrecorded: Iterable[HeldVersion], known: Swept, tonight: Iterable[SweptVersion]
) -> Sweep:
    """What is known of versions without a record after tonight, for the next audit.

    A version that is gone is not forgotten: that it is missing is found by what is known of it.
    """
    found = {**known, **{one.version: one for one in tonight}}
    kept: dict[ObjectVersion, SweptVersion] = {}
    room = MAX_KEPT_BYTES
    for one in sorted(found.values(), key=_in_order_of_worth):
        room -= len(json.dumps(one.to_document(), ensure_ascii=False).encode())
        if room < 0:
            break
        kept[one.version] = one
    left = sum(not _is_hashed(held.version, kept) for held in unrecorded)
    return Sweep(kept, left)


def with_sweep(row: LedgerRow, swept: Swept) -> LedgerRow:
    """The row; an `UNRECORDED` one with what the sweep knows of its version."""
    if row.verdict != Verdict.UNRECORDED:
        return row
    known = swept.get(row.object_version)
    reason = f"{row.verdict_reason} {_told(known)}"
    if known is None or known.sha256 is None:
        return replace(row, verdict_reason=reason)
    return replace(
        row,
        verdict_reason=reason,
        sha256=known.sha256,
        size_bytes=known.size_bytes,
        hashed_at=known.swept_at,
    )


def _told(known: SweptVersion | None) -> str:
    if known is None:
        return (
            "No sweep has hashed it: each reads the oldest first, as many as fit in a night, and "
            "none that is larger than all of these."
        )
    at = f"{known.swept_at:%Y-%m-%d %H:%M:%S}"
    if known.sha256 is None:
        return f"The sweep could not hash it at {at}: {known.trouble}."
    return f"The sweep hashed it at {at}: {known.size_bytes} bytes, SHA-256 {known.sha256}."


def _is_hashed(version: ObjectVersion, known: Swept) -> bool:
    return version in known and known[version].sha256 is not None


def _tried(held: HeldVersion, known: Swept) -> float:
    """When it was tried last; 0 for never."""
    return known[held.version].swept_at.timestamp() if held.version in known else 0


def _in_order_of_worth(one: SweptVersion) -> tuple[object, ...]:
    """Hashes before what could not be read, and those that are known longest first."""
    return one.sha256 is None, one.swept_at, one.version
