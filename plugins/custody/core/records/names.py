"""Where a record is kept: the object keys of records in the provenance bucket.

The key follows from the object version and the day of its write, so that a second delivery of the
same notification finds the first one's record (docs/adr/010-record-names.md).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

from custody.objects import ObjectVersion

RECORD_PREFIX: Final = "provenance/incoming/"

LATE_PREFIX: Final = "provenance/late/"
"""Where the recorder notes that it has been told of a version and cannot record it yet."""

_IDENTITY: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_RECORD_ID: Final = re.compile(r"[0-9a-f]{64}")
_FILED_UNDER: Final = re.compile(rf"{RECORD_PREFIX}dt=(\d{{4}}-\d{{2}}-\d{{2}})/")
_MULTIPART_ETAG: Final = re.compile(r"[^-]+-[0-9]+")

_DAYS_OF_ONE_PUT: Final = (0, 1, -1)
"""S3 dates object and event separately, so around midnight they may be of different days."""

_DAYS_OF_PARTS: Final = tuple(range(2, 9))
"""The buckets abort an upload that was begun seven days ago (`AbortIncompleteMultipartUpload`);
S3 rounds that up to the next midnight."""


def record_id(version: ObjectVersion) -> str:
    """The name of the record of an object version: a SHA-256 of it, as hexadecimal.

    Bucket, key and version id are hashed as a JSON list, so that no key can be chosen to look like
    another bucket's.
    """
    identity = _IDENTITY.encode([version.bucket, version.key, version.version_id])
    return hashlib.sha256(identity.encode("utf-8")).hexdigest()


def record_key(event_time: datetime, record_id: str) -> str:
    """The object key, in the provenance bucket, of the record of a write at `event_time` (aware).

    Raises `ValueError` for a naive time or for what is no `record_id`.
    """
    if not _RECORD_ID.fullmatch(record_id):
        raise ValueError(f"a record id is 64 lower-case hexadecimal digits, not {record_id[:80]!r}")
    if event_time.tzinfo is None:
        raise ValueError("event_time must have a time zone: the record's day is a UTC day")
    return f"{record_day_prefix(event_time.astimezone(UTC).date())}{record_id}.json"


def record_day_prefix(day: date) -> str:
    """What the keys of the records of one day's writes begin with."""
    return f"{RECORD_PREFIX}dt={day.isoformat()}/"


def late_key(event_time: datetime, record_id: str) -> str:
    """The object key of the note that the record of a write at `event_time` (aware) is late."""
    return record_key(event_time, record_id).replace(RECORD_PREFIX, LATE_PREFIX, 1)


def late_day_prefix(day: date) -> str:
    """What the keys of the notes begin with that records of one day's writes are late."""
    return record_day_prefix(day).replace(RECORD_PREFIX, LATE_PREFIX, 1)


def noted_id(key: str) -> str | None:
    """The id of the record that a note is about; None for a key of another form."""
    name = key.rpartition("/")[2].removesuffix(".json")
    return name if key.startswith(LATE_PREFIX) and _RECORD_ID.fullmatch(name) else None


def day_filed(key: str) -> date | None:
    """The day in the key of a record; None for a key without one."""
    found = _FILED_UNDER.match(key)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def is_filed_early(key: str, written_at: datetime) -> bool:
    """Whether the day in a record's key had not come when the record was written (aware).

    A day ahead is allowed for, as clocks differ around midnight.
    """
    day = day_filed(key)
    return day is not None and day > (written_at + timedelta(days=1)).astimezone(UTC).date()


def record_days(last_modified: datetime, etag: str | None) -> Iterator[date]:
    """The days under which the record of an object version may be filed, the likeliest first.

    A record is filed under the UTC day of its write's event. S3 dates an object by when its upload
    began (`last_modified`, aware): a multipart upload, whose `etag` has the number of its parts
    behind it, may be completed as long as the bucket's lifecycle rule lets it stand. An `etag`
    that is not known (None) may be of one.
    """
    whole = etag is not None and not is_multipart(etag)
    began = last_modified.astimezone(UTC).date()
    for days in _DAYS_OF_ONE_PUT if whole else (*_DAYS_OF_ONE_PUT, *_DAYS_OF_PARTS):
        yield began + timedelta(days=days)


def record_keys(version: ObjectVersion, last_modified: datetime, etag: str | None) -> Iterator[str]:
    """The object keys at which the record of an object version may be, the likeliest first.

    `last_modified` and `etag` as for `record_days`.
    """
    name = record_id(version)
    return (f"{record_day_prefix(day)}{name}.json" for day in record_days(last_modified, etag))


def is_multipart(etag: str) -> bool:
    """Whether this is the entity tag of a multipart upload: a hash, a hyphen, a number of parts."""
    return _MULTIPART_ETAG.fullmatch(etag) is not None


def conflict_key(record_key: str, digest: str) -> str:
    """Where a record goes that does not agree with what is already kept at `record_key`.

    `digest` is what its subject is identified by, in hexadecimal.
    """
    return f"{record_key.removesuffix('.json')}.conflict-{digest[:16]}.json"
