"""Proof that an entry is in the log, to be checked offline: https://c2sp.org/tlog-proof."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from custody.core.formats.untrusted import MalformedInput
from custody.core.tlog.checkpoint import Checkpoint, decimal, digest
from custody.core.tlog.merkle import inclusion_proof, leaf_hash, verify_inclusion
from custody.core.tlog.signed_note import MAX_NOTE_BYTES, NoteKey, decode_base64, encode_base64
from custody.core.tlog.tiled_tree import TiledTree

FILE_EXTENSION: Final = ".tlog-proof"

_FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"
_MAX_HASHES: Final = 63
"""Levels of the largest tree a checkpoint can name."""


@dataclass(frozen=True)
class Included:
    """The entry is leaf `index` of the tree that `checkpoint` names."""

    index: int
    checkpoint: Checkpoint


def make_proof(
    tree: TiledTree, index: int, checkpoint_note: bytes, *, extra: bytes | None = None
) -> bytes:
    """The proof that leaf `index` is in `tree`, whose signed checkpoint is given.

    `extra` travels along; `extra_of` reads it.

    Raises `ValueError` if there is no such leaf, and `BadTile`.
    """
    hashes = inclusion_proof(index, tree.size, tree.node)
    said = [] if extra is None else [f"extra {encode_base64(extra)}"]
    lines = [_FIRST_LINE, *said, f"index {index}", *map(encode_base64, hashes), "", ""]
    return "\n".join(lines).encode("ascii") + checkpoint_note


def check_proof(raw: bytes, entry: bytes, *, origin: str, keys: Iterable[NoteKey]) -> Included:
    """Where in the log `origin` the proof shows `entry` to be.

    Raises `BadProof` if it does not, `BadNote` if its checkpoint is signed by none of `keys`
    and `MalformedInput` if it is no proof. Extra data in it is ignored, as nothing vouches for
    it.
    """
    _, index, hashes, checkpoint_note = _take_apart(raw)
    checkpoint = Checkpoint.open(checkpoint_note, origin=origin, keys=keys)
    verify_inclusion(leaf_hash(entry), index, checkpoint.size, hashes, checkpoint.root)
    return Included(index, checkpoint)


def extra_of(raw: bytes) -> bytes | None:
    """The extra data of a proof, which nothing vouches for; None if it has none.

    Raises `MalformedInput` if it is no proof.
    """
    return _take_apart(raw)[0]


def checkpoint_of(raw: bytes) -> bytes:
    """The signed checkpoint of a proof, with all signatures under it; nothing of it is checked.

    Raises `MalformedInput` if it is no proof.
    """
    return _take_apart(raw)[3]


def _take_apart(raw: bytes) -> tuple[bytes | None, int, list[bytes], bytes]:
    if len(raw) > MAX_NOTE_BYTES:
        raise MalformedInput("proof", f"is longer than the {MAX_NOTE_BYTES} bytes accepted")
    head, separator, checkpoint_note = raw.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise MalformedInput("proof", "is not ASCII before its checkpoint") from error
    if not separator or lines[0] != _FIRST_LINE:
        raise MalformedInput("proof", f"must begin with {_FIRST_LINE} and hold a checkpoint")
    del lines[0]
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = decode_base64(lines.pop(0).removeprefix("extra "), "proof extra")
    if not lines or not lines[0].startswith("index "):
        raise MalformedInput("proof index", "is missing")
    index = decimal(lines.pop(0).removeprefix("index "), "proof index")
    if len(lines) > _MAX_HASHES:
        raise MalformedInput("proof", f"has more than {_MAX_HASHES} hashes")
    hashes = [digest(line, f"proof hash {i}") for i, line in enumerate(lines)]
    return extra, index, hashes, checkpoint_note
