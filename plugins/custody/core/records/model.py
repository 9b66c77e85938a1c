"""Records: what the recorder states of one object version.

Either which bytes are in it, or that nobody can read it with the recorder's rights
(docs/adr/032-unreadable-versions.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from custody.core.formats.checksums import S3Checksum
from custody.objects import ObjectVersion


@dataclass(frozen=True)
class LandingEvent:
    """What the S3 notification said about the write.

    `request_id` is the `requestID` CloudTrail gives the same write, where the two witnesses
    meet. `source_ip` may be a service's name.
    """

    name: str
    time: datetime
    request_id: str
    host_id: str
    source_ip: str
    principal_id: str


@dataclass(frozen=True)
class HashedVersion:
    """What reading an object version from its first byte to its last gave.

    `sha256` is 64 lower-case hexadecimal digits, `etag` has no quotes, `checksum` is the one
    S3 keeps with the object.
    """

    sha256: str
    size_bytes: int
    etag: str
    checksum: S3Checksum | None


@dataclass(frozen=True)
class Recorder:
    """The program that made the record."""

    name: str
    version: str


@dataclass(frozen=True)
class LandingRecord:
    """One object version: which bytes (`sha256`, `size_bytes`) are in it, and how they came.

    `sha256` is 64 lower-case hexadecimal digits; `etag` has no quotes; times are aware.
    """

    version: ObjectVersion
    sha256: str
    size_bytes: int
    etag: str
    sequencer: str
    checksum: S3Checksum | None
    event: LandingEvent
    hashed_at: datetime
    recorder: Recorder

    @property
    def made_at(self) -> datetime:
        """When the record was made."""
        return self.hashed_at


class UnreadableReason(StrEnum):
    """Why a version cannot be read, now or later, with the rights the recorder has by design."""

    CUSTOMER_KEY = "customer-key"
    """Encrypted with a key that only the uploader has (SSE-C)."""
    KMS_KEY = "kms-key"
    """Encrypted with a KMS key that is not the platform's, and that the recorder may not use."""
    ARCHIVED = "archived"
    """Stored in an archive, from which S3 reads nothing until somebody has it restored."""
    GONE = "gone"
    """Deleted before it was read."""


@dataclass(frozen=True)
class UnreadableRecord:
    """One object version whose bytes nobody could hash, and why.

    `size_bytes` and `etag` are only what the notification announced. `answer` is what S3 said
    when asked for the bytes. The rest is as in `LandingRecord`.
    """

    version: ObjectVersion
    size_bytes: int
    etag: str
    sequencer: str
    event: LandingEvent
    reason: UnreadableReason
    answer: str
    tried_at: datetime
    recorder: Recorder

    @property
    def made_at(self) -> datetime:
        """When the record was made."""
        return self.tried_at


Record: TypeAlias = LandingRecord | UnreadableRecord


def agrees(kept: Record, new: Record) -> bool:
    """Whether `new` contradicts nothing in `kept`, which was written first.

    A version that cannot be read (any more) contradicts no record of it: it may have been deleted
    since. A hash of a version that is recorded as unreadable does.
    """
    if kept.version != new.version:
        return False
    if isinstance(new, UnreadableRecord):
        return True
    return isinstance(kept, LandingRecord) and (
        (kept.sha256, kept.size_bytes) == (new.sha256, new.size_bytes)
    )
