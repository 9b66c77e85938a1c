"""Make a record from the notification of an object version and the bytes that were read."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from custody.core.formats.untrusted import MAX_TEXT
from custody.core.records.model import (
    HashedVersion,
    LandingRecord,
    Recorder,
    UnreadableReason,
    UnreadableRecord,
)
from custody.core.records.notifications import ObjectCreated

RECORDER: Final = Recorder(name="custody-recorder", version="1.1.0")
"""The program, wherever it runs: the Lambda and the Glue job for large objects are the same."""


class NotAsAnnounced(Exception):
    """The stored bytes are not those the notification speaks of: signing them would mislead.

    Either the notification is forged, or the object was overwritten in a bucket without versions.
    """


def landing_record(
    created: ObjectCreated, hashed: HashedVersion, hashed_at: datetime
) -> LandingRecord:
    """The record of `created`, whose bytes were read as `hashed` by `hashed_at` (aware).

    Raises `NotAsAnnounced` naming what differs.
    """
    stored_sha256 = hashed.checksum.object_sha256 if hashed.checksum else None
    for what, announced, found in (
        ("size in bytes", created.size_bytes, hashed.size_bytes),
        ("entity tag", created.etag, hashed.etag),
        ("SHA-256 kept by S3", stored_sha256 or hashed.sha256, hashed.sha256),
    ):
        if announced != found:
            raise NotAsAnnounced(f"{what}: announced {announced}, read {found}")
    return LandingRecord(
        version=created.version,
        sha256=hashed.sha256,
        size_bytes=hashed.size_bytes,
        etag=created.etag,
        sequencer=created.sequencer,
        checksum=hashed.checksum,
        event=created.event,
        hashed_at=hashed_at,
        recorder=RECORDER,
    )


def unreadable_record(
    created: ObjectCreated, reason: UnreadableReason, answer: str, tried_at: datetime
) -> UnreadableRecord:
    """The record of `created`, which S3 refused to hand out with `answer` at `tried_at`."""
    return UnreadableRecord(
        version=created.version,
        size_bytes=created.size_bytes,
        etag=created.etag,
        sequencer=created.sequencer,
        event=created.event,
        reason=reason,
        answer=answer[:MAX_TEXT],
        tried_at=tried_at,
        recorder=RECORDER,
    )
