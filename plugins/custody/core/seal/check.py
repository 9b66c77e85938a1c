"""Whether the log is complete, and still begins with what it was; only its key is trusted.

A reader that remembers the last head it verified detects an older log put back (`ROLLBACK`) and a
rewritten one (`FORK`), even if every signature is good. The remembered head is the signed note
itself: together with a later one it proves to others what the log's key signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Final

from custody.core.formats.untrusted import MalformedInput
from custody.core.seal.layout import CHECKPOINT_PATH, FileLister
from custody.core.tlog.checkpoint import Checkpoint
from custody.core.tlog.merkle import BadProof, consistency_proof, verify_consistency
from custody.core.tlog.signed_note import BadNote, NoteKey
from custody.core.tlog.tiled_tree import Sample, TiledTree
from custody.core.tlog.tiles import BadTile, FileReader

REMEMBERED: Final = "remembered head"
"""The path of a defect of the remembered head, which is no file of the log."""

COSIGNED: Final = "last cosigned checkpoint"
"""The path of a defect of the last checkpoint that a quorum cosigned, which is remembered, too."""


class SealDefectKind(Enum):
    """What can be wrong with the log."""

    BAD_CHECKPOINT = "the checkpoint is missing, malformed or signed by no trusted key"
    BAD_TILE = "a tile or a bundle is missing or changed"
    ROLLBACK = "the log is shorter than it was"
    FORK = "the log does not begin with what it was"
    BAD_MEMORY = "the remembered head cannot be read, so nothing could be compared with it"
    OTHER_HISTORY = "somebody outside has cosigned another history of the log"
    UNCOSIGNED = "no quorum outside has cosigned the log lately"


@dataclass(frozen=True)
class SealDefect:
    """One thing that is wrong; `path` is the file of the log it is about."""

    kind: SealDefectKind
    path: str
    reason: str


@dataclass(frozen=True)
class SealCheck:
    """The result of a check.

    `tree` is `None` if there is no checkpoint to trust or its tree cannot be read; `head` is
    the signed checkpoint to remember from now on, with the cosignatures under it, `None` if
    anything is wrong.
    """

    defects: tuple[SealDefect, ...]
    checkpoint: Checkpoint | None = None
    tree: TiledTree | None = None
    head: bytes | None = None

    @property
    def nothing_sealed(self) -> bool:
        """Whether the log has not begun: it has no file, and no head of it is remembered."""
        return not self.defects and self.checkpoint is None


def check_seal(
    read: FileReader,
    list_files: FileLister,
    *,
    origin: str,
    keys: Iterable[NoteKey],
    remembered: bytes | None = None,
    everything: bool = False,
    sample: Sample | None = None,
) -> SealCheck:
    """Check the log `origin`, whose files `read` returns by their path.

    `list_files` should also list files that were deleted, so that a hidden log is not taken for
    one that has not begun. `keys` are all that ever signed for it. The files with leaves added
    since the `remembered` head are read, or those of the whole log if `everything` or nothing
    is remembered; and a `sample` of the others.
    """
    keys = tuple(keys)
    defects: list[SealDefect] = []
    before = _remembered(remembered, origin, keys, defects)
    try:
        note = read(CHECKPOINT_PATH)
    except BadTile as bad:
        return SealCheck((*defects, _bad_tile(bad)))
    if note is None:
        if before is not None:
            reason = f"there is none; the log had {before.size} entries"
            defects.append(SealDefect(SealDefectKind.ROLLBACK, CHECKPOINT_PATH, reason))
        elif remembered is not None or any(True for _ in list_files("")):
            defects.append(
                SealDefect(SealDefectKind.BAD_CHECKPOINT, CHECKPOINT_PATH, "there is none")
            )
        return SealCheck(tuple(defects))
    try:
        now = Checkpoint.open(note, origin=origin, keys=keys)
    except (BadNote, MalformedInput) as error:
        defects.append(SealDefect(SealDefectKind.BAD_CHECKPOINT, CHECKPOINT_PATH, str(error)))
        return SealCheck(tuple(defects))
    tree: TiledTree | None = None
    try:
        tree = TiledTree(now.size, now.root, read)
        start = 0 if before is None or everything else min(before.size, now.size)
        defects.extend(_bad_tile(bad) for bad in tree.problems(start, sample))
        if before is not None:
            defects.extend(_changes(before, now, tree))
    except BadTile as bad:
        defects.append(_bad_tile(bad))
    unique = tuple(dict.fromkeys(defects))
    return SealCheck(unique, now, tree, None if unique else note)


def _remembered(
    note: bytes | None, origin: str, keys: Iterable[NoteKey], defects: list[SealDefect]
) -> Checkpoint | None:
    if note is None:
        return None
    try:
        return Checkpoint.open(note, origin=origin, keys=keys)
    except (BadNote, MalformedInput) as error:
        defects.append(SealDefect(SealDefectKind.BAD_MEMORY, REMEMBERED, str(error)))
        return None


def _changes(before: Checkpoint, now: Checkpoint, tree: TiledTree) -> Iterator[SealDefect]:
    if now.size < before.size:
        reason = f"the log has {now.size} entries; it had {before.size}"
        yield SealDefect(SealDefectKind.ROLLBACK, CHECKPOINT_PATH, reason)
        return
    try:
        proof = consistency_proof(before.size, now.size, tree.node)
        verify_consistency(before.size, now.size, before.root, now.root, proof)
    except BadProof as error:
        reason = f"its first {before.size} entries are not those it had: {error}"
        yield SealDefect(SealDefectKind.FORK, CHECKPOINT_PATH, reason)


def _bad_tile(bad: BadTile) -> SealDefect:
    return SealDefect(SealDefectKind.BAD_TILE, bad.path, bad.problem)
