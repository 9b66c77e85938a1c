"""The files of a transparency log: tiles with hashes of its Merkle tree, bundles of its entries.

The layout is that of https://c2sp.org/tlog-tiles. A tile of level L holds up to 256 hashes, each
over `256**L` leaves; a bundle holds up to 256 entries, each after its length. A full one never
changes, and the name of a partial one says its width, so no file is ever written twice.

Nothing here reads or writes: callers pass a function that reads a file by its path.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from custody.core.tlog.merkle import HASH_BYTES

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
"""Hashes in a full tile, entries in a full bundle."""

MAX_ENTRY_BYTES: Final = 0xFFFF
"""What the two bytes before an entry can count."""

MAX_FILE_BYTES: Final = TILE_WIDTH * (2 + MAX_ENTRY_BYTES)
"""No tile and no bundle is longer."""

FileReader = Callable[[str], bytes | None]
"""Content of the file at a path within the log, such as `tile/0/000`; `None` if there is none.

It should not read more than `MAX_FILE_BYTES + 1` bytes of one."""


class BadTile(Exception):
    """A file of the log that is missing or is not what the tree's root says it must be."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """The path of a tile, such as `tile/0/x001/x234/067.p/8`."""
    return f"tile/{level}/{_number(index)}{_suffix(width)}"


def bundle_path(index: int, width: int = TILE_WIDTH) -> str:
    """The path of a bundle of entries, such as `tile/entries/000.p/8`."""
    return f"tile/entries/{_number(index)}{_suffix(width)}"


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries one after another, each after its length (two bytes, big-endian).

    Raises `ValueError` if one is longer than `MAX_ENTRY_BYTES`.
    """
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise ValueError(f"an entry of {len(entry)} bytes: {MAX_ENTRY_BYTES} is the most")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(raw: bytes) -> list[bytes]:
    """The entries of a bundle; raises `ValueError` if it ends within one."""
    entries, at = list[bytes](), 0
    while at < len(raw):
        start = at + 2
        at = start + int.from_bytes(raw[at:start], "big")
        if start > len(raw) or at > len(raw):
            raise ValueError("ends within an entry")
        entries.append(raw[start:at])
    return entries


def read_entries(read: FileReader, index: int, width: int) -> list[bytes]:
    """The entries of a bundle; raises `BadTile` if there are not as many as there should be."""
    path = bundle_path(index, width)
    try:
        entries = decode_bundle(_content(read, path))
    except ValueError as error:
        raise BadTile(path, str(error)) from error
    if len(entries) != width:
        raise BadTile(path, f"has {len(entries)} entries, not {width}")
    return entries


def read_hashes(read: FileReader, path: str, width: int) -> Sequence[bytes]:
    """The hashes of a tile; raises `BadTile` if there are not as many as there should be."""
    raw = _content(read, path)
    if len(raw) != width * HASH_BYTES:
        raise BadTile(path, f"has {len(raw)} bytes, not {width * HASH_BYTES}")
    return _split(raw)


def _split(tile: bytes) -> Sequence[bytes]:
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def _content(read: FileReader, path: str) -> bytes:
    raw = read(path)
    if raw is None:
        raise BadTile(path, "is missing")
    return raw


def _number(index: int) -> str:
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    return "/".join(reversed(groups))


def _suffix(width: int) -> str:
    return "" if width == TILE_WIDTH else f".p/{width}"
