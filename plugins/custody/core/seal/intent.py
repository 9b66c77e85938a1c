"""The decision to append entries at one leaf of the log, stored before anything else is written.

Any run that finds one at the end of the log completes it first; so after a run that died there is
only one way to continue, and two runs at once cannot fork the log. It is signed, since completing
it puts the log's signature under its entries.

The file is a signed note (`custody.core.tlog.signed_note`), an empty line, and the entries, each
on a line of its own. The note's text has seven lines: `FORMAT`, the log's origin, the first leaf,
the root before it (base64), the day of the entries, their number, and the SHA-256 of the lines that
hold them (base64). `FORMAT` comes where a checkpoint has its origin, so neither passes as the
other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from custody.core.formats.untrusted import MalformedInput
from custody.core.tlog.checkpoint import Checkpoint, decimal, digest
from custody.core.tlog.signed_note import (
    MAX_NOTE_BYTES,
    NoteKey,
    NoteSigner,
    encode_base64,
    open_note,
    sign_note,
)
from custody.core.tlog.tiles import MAX_ENTRY_BYTES

FORMAT: Final = "https://custody.example/custody/seal-append/v1"

MAX_ENTRIES: Final = 65_536
MAX_ENTRIES_BYTES: Final = 16 * 1024 * 1024
"""The most one append adds, so that it fits into memory several times over; more is several
appends. Both bounds are those of the lines that hold the entries."""

MAX_INTENT_BYTES: Final = MAX_NOTE_BYTES + MAX_ENTRIES_BYTES


@dataclass(frozen=True)
class IntentHead:
    """The signed part of an intent: what is to follow the log whose head is `before`.

    `count` entries of `day`, whose lines have the SHA-256 `lines_sha256` (32 bytes).
    """

    before: Checkpoint
    day: date
    count: int
    lines_sha256: bytes

    @property
    def end(self) -> int:
        """The leaf behind the last of its entries."""
        return self.before.size + self.count

    @classmethod
    def open(cls, note: bytes, *, origin: str, keys: Iterable[NoteKey]) -> IntentHead:
        """Read the note of an intent of the log `origin`.

        Raises `BadNote` if none of `keys` signed it, and `MalformedInput` if it is no intent, or
        one of another log.
        """
        head = open_note(note, keys).removesuffix("\n").split("\n")
        if len(head) != 7 or head[:2] != [FORMAT, origin]:
            raise MalformedInput("intent", f"is not one to append to {origin}")
        return cls(
            Checkpoint(origin, decimal(head[2], "intent start"), digest(head[3], "intent root")),
            _day(head[4]),
            decimal(head[5], "intent count"),
            digest(head[6], "intent digest"),
        )

    def entries(self, lines: bytes) -> tuple[bytes, ...]:
        """The entries in these lines; raises `MalformedInput` for lines that were not signed."""
        if hashlib.sha256(lines).digest() != self.lines_sha256:
            raise MalformedInput("intent", "its entries do not have the SHA-256 that was signed")
        entries = tuple(lines.removesuffix(b"\n").split(b"\n"))
        if len(entries) != self.count:
            raise MalformedInput("intent", f"has {len(entries)} entries, not {self.count}")
        return entries


def take_apart(raw: bytes) -> tuple[bytes, bytes]:
    """The note of an intent and the lines of its entries, neither checked.

    Of a file that was cut off behind its note, the lines are those that are left. Raises
    `MalformedInput`.
    """
    if len(raw) > MAX_INTENT_BYTES:
        raise MalformedInput("intent", f"is longer than the {MAX_INTENT_BYTES} bytes accepted")
    text, _, rest = raw.partition(b"\n\n")
    signatures, separator, lines = rest.partition(b"\n\n")
    if not separator:
        raise MalformedInput("intent", "must be a signed note, an empty line and entries")
    return b"%b\n\n%b\n" % (text, signatures), lines


@dataclass(frozen=True)
class Intent:
    """`entries` of `day` are to follow the log whose head is `before`."""

    before: Checkpoint
    day: date
    entries: tuple[bytes, ...]

    def sign(self, signer: NoteSigner) -> bytes:
        """The file of the intent. Raises `ValueError` for entries that it cannot hold."""
        lines = b"".join(entry + b"\n" for entry in self.entries)
        if not 0 < len(self.entries) <= MAX_ENTRIES or len(lines) > MAX_ENTRIES_BYTES:
            raise ValueError(f"{len(self.entries)} entries with {len(lines)} bytes in one append")
        if lines.count(b"\n") != len(self.entries):
            raise ValueError("an entry must be one line")
        text = "\n".join(
            [
                FORMAT,
                self.before.origin,
                str(self.before.size),
                encode_base64(self.before.root),
                self.day.isoformat(),
                str(len(self.entries)),
                encode_base64(hashlib.sha256(lines).digest()),
                "",
            ]
        )
        return sign_note(text, signer) + b"\n" + lines

    @classmethod
    def open(cls, raw: bytes, *, before: Checkpoint, keys: Iterable[NoteKey]) -> Intent:
        """Read an intent to append to the log whose head is `before`.

        Raises `BadNote` if none of `keys` signed it, and `MalformedInput` if it is no intent,
        or one for another log or another head of this one.
        """
        note, lines = take_apart(raw)
        head = IntentHead.open(note, origin=before.origin, keys=keys)
        if head.before != before:
            raise MalformedInput("intent", f"is not one to append to {before.origin} at this head")
        return cls(before, head.day, head.entries(lines))


def portions(entries: Iterable[bytes]) -> Iterable[tuple[bytes, ...]]:
    """Divide entries, in order, into as few appends as hold them all.

    Raises `ValueError` for an entry too long for the log.
    """
    portion, size = list[bytes](), 0
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise ValueError(f"an entry of {len(entry)} bytes: {MAX_ENTRY_BYTES} is the most")
        if portion and (len(portion) == MAX_ENTRIES or size + len(entry) + 1 > MAX_ENTRIES_BYTES):
            yield tuple(portion)
            portion, size = [], 0
        portion.append(entry)
        size += len(entry) + 1
    if portion:
        yield tuple(portion)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise MalformedInput("intent day", f"{text[:40]!r} is no day") from error
