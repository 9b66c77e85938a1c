"""Extending a transparency log: the files that an append adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from custody.core.tlog.merkle import leaf_hash, perfect_root
from custody.core.tlog.tiled_tree import TiledTree, edge_root
from custody.core.tlog.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    bundle_path,
    encode_bundle,
    tile_path,
)


@dataclass(frozen=True)
class Extension:
    """A larger tree, and the files that are new in it (content by path)."""

    size: int
    root: bytes
    files: Mapping[str, bytes]


def extend(tree: TiledTree, entries: Sequence[bytes]) -> Extension:
    """The tree with `entries` appended.

    The files are those that hold something new, and the rest of the partial ones they replace: at
    most one tile a level beyond what the entries fill. Raises `ValueError` for an entry that is
    too long, and `BadTile` if the last bundle of `tree` is wrong.
    """
    files = dict[str, bytes]()
    first, held = divmod(tree.size, TILE_WIDTH)
    row = [*tree.entries(tree.size - held, tree.size), *entries] if entries else []
    for index, bundle in enumerate(_chunks(row), start=first):
        files[bundle_path(index, len(bundle))] = encode_bundle(bundle)
    edge = dict(tree.edge)
    level, added = 0, [leaf_hash(entry) for entry in entries]
    while added:
        first = tree.size >> TILE_HEIGHT * (level + 1)
        tiles = _chunks([*edge.pop(level, ()), *added])
        for index, tile in enumerate(tiles, start=first):
            files[tile_path(level, index, len(tile))] = b"".join(tile)
        if len(tiles[-1]) < TILE_WIDTH:
            edge[level] = tiles[-1]
        added = [perfect_root(tile) for tile in tiles if len(tile) == TILE_WIDTH]
        level += 1
    size = tree.size + len(entries)
    return Extension(size, edge_root(size, edge), files)


def _chunks(row: Sequence[bytes]) -> list[Sequence[bytes]]:
    return [row[at : at + TILE_WIDTH] for at in range(0, len(row), TILE_WIDTH)]
