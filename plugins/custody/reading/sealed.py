"""What the seal holds of records and statements, as it stands now."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Final

from custody.core.case.sealing import KeptRecord, troubles_with_seal
from custody.core.formats.untrusted import MalformedInput
from custody.core.ledger.stored_records import undisplaced_key
from custody.core.seal.appends import Appends, SealedRecord, records_among
from custody.core.seal.entries import RecordEntry
from custody.core.seal.intent import IntentHead, take_apart
from custody.core.seal.layout import (
    APPENDS,
    CHECKPOINT_PATH,
    SEAL_PREFIX,
    append_path,
    log_origin,
)
from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.merkle import EMPTY_ROOT
from custody.core.tlog.proof import make_proof
from custody.core.tlog.signed_note import NoteKey
from custody.core.tlog.tiled_tree import TiledTree
from custody.reading.sources import Source, seal_files

_MAX_NOTE_BYTES: Final = 64 * 1024
"""Of an intent, whose entries are read from the tree instead."""

_DAYS_KEPT: Final = 16
_READERS: Final = 16


@dataclass(frozen=True)
class SealedState:
    """One state of the log: its signed checkpoint, and the notes of the appends that led to it."""

    checkpoint: Checkpoint
    note: bytes | None
    notes: tuple[bytes, ...]
    appends: Appends


class SealedRecords:
    """Looks records and statements up in the log, by the day that they are filed under.

    What it is asked first is read once; all answers are of that state. Its methods raise `BadNote`,
    `MalformedInput` or `BadTile` for a log that cannot be used.
    """

    def __init__(self, source: Source, bucket: str, keys: Iterable[NoteKey]) -> None:
        self._source = source
        self._bucket = bucket
        self._keys = tuple(keys)
        self._read = seal_files(source, bucket)
        self._of_day = lru_cache(_DAYS_KEPT)(self._read_day)

    @cached_property
    def state(self) -> SealedState:
        """The state of the log; empty if nothing was sealed yet."""
        note = self._read(CHECKPOINT_PATH)
        if note is None:
            if next(self._source.versions(self._bucket, SEAL_PREFIX), None) is not None:
                raise MalformedInput(CHECKPOINT_PATH, "is missing from a log that has begun")
            empty = Checkpoint(log_origin(self._bucket), 0, EMPTY_ROOT)
            return SealedState(empty, None, (), Appends((), 0))
        origin = log_origin(self._bucket)
        checkpoint = Checkpoint.open(note, origin=origin, keys=self._keys)
        notes, appends = self._appends(checkpoint)
        return SealedState(checkpoint, note, notes, appends)

    def at(self, places: Iterable[str]) -> list[SealedRecord]:
        """What is sealed at the places of a record or statement, or was kept beside it."""
        return [each for place in places for each in self._of_day(_day(place)).get(place, ())]

    def troubles(self, places: Iterable[str], kept: Collection[KeptRecord]) -> list[str]:
        """What does not agree between what is kept in the places of a record and what is sealed."""
        return list(troubles_with_seal(kept, self.at(places), self.state.appends))

    def proof(self, key: str, raw: bytes) -> bytes | None:
        """The proof (https://c2sp.org/tlog-proof) that the object of that key had these bytes; None
        if it is not sealed.

        The entry itself is its extra data, so that the proof says what it is about.
        """
        entry = RecordEntry(key, hashlib.sha256(raw).hexdigest())
        for each in self.at([undisplaced_key(key)]):
            if each.entry == entry and self.state.note is not None:
                return make_proof(self._tree, each.index, self.state.note, extra=entry.to_bytes())
        return None

    def lines(self, days: Collection[date]) -> Iterator[tuple[int, bytes]]:
        """The entries of each append of the days, a line each, behind the leaf it begins with."""
        for head in self.state.appends.heads:
            if head.day in days:
                entries = self._tree.entries(head.before.size, head.end)
                yield head.before.size, b"".join(entry + b"\n" for entry in entries)

    @cached_property
    def _tree(self) -> TiledTree:
        return TiledTree(self.state.checkpoint.size, self.state.checkpoint.root, self._read)

    def _read_day(self, day: date) -> dict[str, list[SealedRecord]]:
        found: dict[str, list[SealedRecord]] = {}
        for head in self.state.appends.of_day(day):
            entries = self._tree.entries(head.before.size, head.end)
            for each in records_among(head.before.size, entries):
                found.setdefault(undisplaced_key(each.entry.key), []).append(each)
        return found

    def _appends(self, checkpoint: Checkpoint) -> tuple[tuple[bytes, ...], Appends]:
        """The notes of the appends that led to a checkpoint, one behind the other.

        Those that are listed are read at once, which takes less time than one by one; that no one
        is missing is seen by where each ends.
        """
        listed = self._source.versions(self._bucket, SEAL_PREFIX + APPENDS)
        paths = {stored.version.key.removeprefix(SEAL_PREFIX) for stored in listed}
        with ThreadPoolExecutor(_READERS) as readers:
            read = dict(zip(paths, readers.map(self._read_note, paths), strict=True))
        notes, heads, start = list[bytes](), list[IntentHead](), 0
        while start < checkpoint.size:
            path = append_path(start)
            note = read.get(path) or self._read_note(path)
            if note is None:
                break  # which `Appends` names
            head = IntentHead.open(note, origin=checkpoint.origin, keys=self._keys)
            notes.append(note)
            heads.append(head)
            if head.before.size != start or not head.count:
                break
            start = head.end
        return tuple(notes), Appends(tuple(heads), checkpoint.size)

    def _read_note(self, path: str) -> bytes | None:
        raw = self._source.read(self._bucket, SEAL_PREFIX + path, max_bytes=_MAX_NOTE_BYTES)
        return None if raw is None else take_apart(raw)[0]


def _day(place: str) -> date:
    return RecordEntry(place, "0" * 64).day
