"""The entries of the log: one JSON document each, in one canonical form.

An entry is UTF-8 JSON in the form of RFC 8785 (names sorted, no spaces), so that the same fact is
always the same bytes and whoever holds it can compute its leaf. `v` is the version of the form.

* `{"key":…,"kind":"record","sha256":…,"v":1}`: the object `key` of the provenance bucket that
  the log is kept in had content with this SHA-256.
* `{"as_of":…,"bucket":…,"fingerprint":…,"key":…,"kind":"verdict","v":1,"verdict":…,
  "version_id":…}`: what was found about an object version.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from custody.core.formats.canonical_json import canonical_json
from custody.core.formats.s3_fields import bucket_name, instant, object_key
from custody.core.formats.timestamps import format_utc
from custody.core.formats.untrusted import Fields, MalformedInput, load_json

VERSION: Final = 1
MAX_ENTRY_BYTES: Final = 0xFFFF - 1
"""Never reached: the longest entry, with 1,024 characters of a key and as many of a version at six
bytes each, has some 13,000."""

_DAY_FOLDER = re.compile(r"(?:^|/)dt=(\d{4}-\d\d-\d\d)/", re.ASCII)
_VERDICT = re.compile(r"[A-Z][A-Z_]{0,63}", re.ASCII)


def filed_under(key: str) -> date:
    """The day in an object key (`dt=YYYY-MM-DD/`); raises `MalformedInput` if there is none."""
    match = _DAY_FOLDER.search(key)
    try:
        return date.fromisoformat(match[1] if match else "")
    except ValueError as error:
        raise MalformedInput("entry.key", "is not filed under a day (dt=YYYY-MM-DD/)") from error


@dataclass(frozen=True)
class RecordEntry:
    """A hash record or lineage statement: its object key in the provenance bucket, and the SHA-256
    (64 lower-case hexadecimal digits) of the envelope stored there.

    Raises `MalformedInput` if the key names no day (`dt=YYYY-MM-DD/`).
    """

    key: str
    sha256: str

    def __post_init__(self) -> None:
        _ = self.day

    @property
    def day(self) -> date:
        """The day the record is filed under."""
        return filed_under(self.key)

    def to_bytes(self) -> bytes:
        return _canonical({"kind": "record", "key": self.key, "sha256": self.sha256})


@dataclass(frozen=True)
class VerdictEntry:
    """A verdict about an object version.

    `fingerprint` is that of the finding (64 lower-case hexadecimal digits). `as_of` (aware) is
    the time the verdict speaks of and must not depend on when it was worked out: the end of the
    window that was reconciled, never the clock. Otherwise one verdict becomes many entries.
    Raises `ValueError` if it is naive.
    """

    bucket: str
    key: str
    version_id: str
    verdict: str
    fingerprint: str
    as_of: datetime

    def __post_init__(self) -> None:
        _ = format_utc(self.as_of)

    @property
    def day(self) -> date:
        """The UTC day the verdict speaks of."""
        return self.as_of.astimezone(UTC).date()

    def to_bytes(self) -> bytes:
        return _canonical(
            {
                "kind": "verdict",
                "bucket": self.bucket,
                "key": self.key,
                "version_id": self.version_id,
                "verdict": self.verdict,
                "fingerprint": self.fingerprint,
                "as_of": format_utc(self.as_of),
            }
        )


SealEntry = RecordEntry | VerdictEntry


def is_due(key: str, stored_at: datetime, *, first: date, last: date) -> bool:
    """Whether what came to this key of the provenance bucket is to be sealed with these days.

    It is filed under one of them, or came since `first` and is filed under an older one: a run that
    builds an old day anew files its statement there. Nothing is sealed ahead of its day, for how
    far the seal has reached tells when a key that was replaced signed something.
    """
    try:
        day = filed_under(key)
    except MalformedInput:
        return False
    return first <= day <= last or (day < first <= stored_at.astimezone(UTC).date())


def parse_entry(raw: bytes) -> SealEntry:
    """Read an entry. Raises `MalformedInput`, also for one that is not in canonical form."""
    fields = Fields.of(load_json(raw, what="entry", max_bytes=MAX_ENTRY_BYTES), "entry")
    version = fields.count("v")
    if version != VERSION:
        raise MalformedInput("entry.v", f"is {version}; this program knows {VERSION}")
    kind = fields.text("kind")
    if kind == "record":
        entry: SealEntry = RecordEntry(object_key(fields, "key"), fields.sha256("sha256"))
    elif kind == "verdict":
        entry = VerdictEntry(
            bucket=bucket_name(fields, "bucket"),
            key=object_key(fields, "key"),
            version_id=fields.text("version_id"),
            verdict=_verdict(fields),
            fingerprint=fields.sha256("fingerprint"),
            as_of=instant(fields, "as_of"),
        )
    else:
        raise MalformedInput("entry.kind", f"{kind[:60]!r} is neither a record nor a verdict")
    if entry.to_bytes() != raw:
        raise MalformedInput("entry", "is not in its canonical form")
    return entry


def _verdict(fields: Fields) -> str:
    value = fields.text("verdict")
    if not _VERDICT.fullmatch(value):
        raise MalformedInput("entry.verdict", f"{value[:80]!r} is no name of a verdict")
    return value


def _canonical(document: Mapping[str, object]) -> bytes:
    return canonical_json({**document, "v": VERSION})
