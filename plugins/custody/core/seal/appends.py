"""Which leaves of the log are of which day: what the log's key signed before each append.

Each append is decided by a signed intent, which says where it begins, how many entries it has and
of which day all of them are (`custody.core.seal.intent`). Together the intents cover the log from
its first leaf to its last, so nobody can leave one out: whoever has the notes of all of them, and
the entries of a day, has every record of that day that is sealed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from custody.core.formats.untrusted import MalformedInput
from custody.core.seal.entries import RecordEntry, parse_entry
from custody.core.seal.intent import IntentHead
from custody.core.seal.layout import append_path
from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.signed_note import NoteKey


@dataclass(frozen=True)
class SealedRecord:
    """A record or lineage statement in the log, and the leaf that it is."""

    index: int
    entry: RecordEntry


@dataclass(frozen=True)
class Appends:
    """All appends of a log of `size` leaves, in order.

    Raises `MalformedInput` if there is a hole between them, or before the end of the log.
    """

    heads: tuple[IntentHead, ...]
    size: int

    def __post_init__(self) -> None:
        end = 0
        for head in self.heads:
            if head.before.size != end or not head.count:
                break
            end = head.end
        if end != self.size:
            raise MalformedInput(
                append_path(end), f"is missing or not the one: the log has {self.size} leaves"
            )

    @classmethod
    def open(
        cls, notes: Iterable[bytes], *, checkpoint: Checkpoint, keys: Sequence[NoteKey]
    ) -> Appends:
        """The appends that led to a checkpoint, by their signed notes, in any order.

        What was decided to follow the checkpoint is left out. Raises `BadNote` and
        `MalformedInput`.
        """
        opened = [IntentHead.open(note, origin=checkpoint.origin, keys=keys) for note in notes]
        led = [head for head in opened if head.before.size < checkpoint.size]
        return cls(tuple(sorted(led, key=lambda head: head.before.size)), checkpoint.size)

    def of_day(self, day: date) -> list[IntentHead]:
        """The appends whose entries are of that day."""
        return [head for head in self.heads if head.day == day]

    def reached(self, index: int | None = None) -> date | None:
        """The latest day of which anything is sealed, None if nothing is: up to the append that a
        leaf is in or, without one, by now."""
        so_far = (h.day for h in self.heads if index is None or h.before.size <= index)
        return max(so_far, default=None)


def join_notes(notes: Iterable[bytes]) -> bytes:
    """Signed notes in one file, an empty line between them."""
    return b"\n".join(notes)


def split_notes(raw: bytes) -> list[bytes]:
    """The notes in such a file; raises `MalformedInput`."""
    parts = raw.removesuffix(b"\n").split(b"\n\n")
    if len(parts) % 2:
        raise MalformedInput("appends", "must be signed notes with an empty line between them")
    return [b"%b\n\n%b\n" % pair for pair in zip(parts[::2], parts[1::2], strict=True)]


def records_among(first: int, entries: Iterable[bytes]) -> Iterator[SealedRecord]:
    """The records and statements among the entries of the leaves from `first` on."""
    for index, raw in enumerate(entries, start=first):
        try:
            entry = parse_entry(raw)
        except MalformedInput:
            continue  # of a kind that later code has
        if isinstance(entry, RecordEntry):
            yield SealedRecord(index, entry)
