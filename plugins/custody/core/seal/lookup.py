"""Finding an entry in the log by the day it belongs to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from custody.core.seal.entries import SealEntry
from custody.core.seal.layout import CHECKPOINT_PATH, FileLister, LeafRange, day_folder
from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.merkle import leaf_hash
from custody.core.tlog.proof import make_proof
from custody.core.tlog.signed_note import NoteKey
from custody.core.tlog.tiled_tree import TiledTree
from custody.core.tlog.tiles import FileReader


def leaf_ranges(list_files: FileLister, day: date, size: int) -> list[LeafRange]:
    """The leaves of `day` in the log of `size` leaves, in order.

    A range beyond the end of the log is left out: it is being appended, or forged.
    """
    named = (LeafRange.from_path(path) for path in list_files(day_folder(day)))
    return sorted((r for r in named if r and r.end <= size), key=lambda r: r.start)


def prove_entry(
    read: FileReader,
    list_files: FileLister,
    entry: SealEntry,
    *,
    origin: str,
    keys: Iterable[NoteKey],
) -> bytes | None:
    """The proof (https://c2sp.org/tlog-proof) that `entry` is in the log `origin`.

    The entry itself is its extra data, so that the proof says what it is about.
    `None` if it is not sealed: no such entry is among those of its day. Raises `BadNote` or
    `MalformedInput` for a checkpoint that cannot be trusted, and `BadTile`.
    """
    note = read(CHECKPOINT_PATH)
    if note is None:
        return None
    checkpoint = Checkpoint.open(note, origin=origin, keys=keys)
    tree = TiledTree(checkpoint.size, checkpoint.root, read)
    raw = entry.to_bytes()
    leaf = leaf_hash(raw)
    for leaves in leaf_ranges(list_files, entry.day, tree.size):
        index = tree.index_of(leaf, leaves.start, leaves.end)
        if index is not None:
            return make_proof(tree, index, note, extra=raw)
    return None
