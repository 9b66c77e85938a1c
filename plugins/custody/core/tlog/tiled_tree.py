"""Reading a transparency log: its Merkle tree from tiles that are not trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from custody.core.tlog.merkle import leaf_hash, perfect_root, tree_root
from custody.core.tlog.tiles import (
    TILE_HEIGHT,
    TILE_WIDTH,
    BadTile,
    FileReader,
    bundle_path,
    read_entries,
    read_hashes,
    tile_path,
)

_CACHED_TILES: Final = 256
"""Tiles kept in memory by a tree: 2 MiB at most, and a walk needs one of each level at a time."""

Sample = tuple[int, int]
"""`(first, every)`: of the tiles of each level, and of the bundles, one in `every`, from number
`first` on; `every` samples with different `first` below it cover all."""


class TiledTree:
    """The tree of `size` leaves whose `root` is trusted, read from files that are not.

    Every tile is checked against its parent before it is used, up to the tiles of the right edge,
    which are checked against the root; so nothing here returns a hash or an entry that the root
    does not vouch for. `edge` has the hashes of the partial tiles by level.

    All methods raise `BadTile` naming the file that is missing or wrong, and so does making a
    tree whose right edge does not have the root: of several tiles there it names the one that
    differs from what is below it, or all of them if none can be singled out.
    """

    def __init__(self, size: int, root: bytes, read: FileReader) -> None:
        self.size = size
        self.root = root
        self._read = read
        self.edge: Mapping[int, Sequence[bytes]] = {
            level: read_hashes(read, tile_path(level, index, width), width)
            for level, index, width in _right_edge(size)
        }
        self._full_tile = lru_cache(maxsize=_CACHED_TILES)(self._checked_tile)
        if edge_root(size, self.edge) != root:
            raise self._bad_edge()

    def node(self, height: int, index: int) -> bytes:
        """Hash of a perfect subtree; a `NodeReader` for the proofs of
        `custody.core.tlog.merkle`."""
        level, height_in_tile = divmod(height, TILE_HEIGHT)
        tile = self._tile(level, (index << height_in_tile) // TILE_WIDTH)
        return _within(tile, height_in_tile, index)

    def leaf_hashes(self, start: int, end: int) -> Iterator[bytes]:
        """Hashes of the leaves `[start, end)`. Raises `ValueError` if there are not so many."""
        for tile, first, last in self._tiles(start, end):
            yield from self._tile(0, tile)[first:last]

    def index_of(self, leaf: bytes, start: int, end: int) -> int | None:
        """The first of the leaves `[start, end)` with this hash."""
        hashes = self.leaf_hashes(start, end)
        return next((i for i, each in enumerate(hashes, start) if each == leaf), None)

    def entries(self, start: int, end: int) -> Iterator[bytes]:
        """The entries `[start, end)`. Raises `ValueError` if there are not so many."""
        for tile, first, last in self._tiles(start, end):
            yield from self._bundle(tile)[first:last]

    def problems(self, start: int = 0, sample: Sample | None = None) -> Iterator[BadTile]:
        """Every file that is missing or wrong among those that hold leaves from `start` on, and
        among a `sample` of those before.

        A file is named once. Files below a wrong tile cannot be checked and are not named; call
        again when the tile is repaired.
        """
        named = set[str]()
        for check, position in self._checks(start, sample):
            try:
                check(*position)
            except BadTile as problem:
                if problem.path not in named:
                    named.add(problem.path)
                    yield problem

    def _checks(
        self, start: int, sample: Sample | None
    ) -> Iterator[tuple[Callable[..., object], tuple[int, ...]]]:
        level, leaves = 0, TILE_WIDTH
        while self.size >= leaves:
            for tile in _numbers(start // leaves, self.size // leaves, sample):
                yield self._full_tile, (level, tile)
            level, leaves = level + 1, leaves * TILE_WIDTH
        for tile in _numbers(start // TILE_WIDTH, -(-self.size // TILE_WIDTH), sample):
            yield self._bundle, (tile,)

    def _bad_edge(self) -> BadTile:
        """The tile of the right edge that differs from the files below it, if one can be named."""
        positions = list(_right_edge(self.size))
        for level, index, width in positions:
            try:
                mended = {**self.edge, level: self._from_below(level, index, width)}
            except BadTile:
                continue
            if edge_root(self.size, mended) == self.root:
                path = tile_path(level, index, width)
                return BadTile(path, "does not have the hashes of what is below it")
        edge = ", ".join(tile_path(*position) for position in positions)
        return BadTile(edge or "(no tile)", f"do not make the root of {self.size} leaves")

    def _from_below(self, level: int, index: int, width: int) -> Sequence[bytes]:
        """The hashes a tile ought to have by the files below it, none of which is trusted."""
        if level == 0:
            return [leaf_hash(entry) for entry in read_entries(self._read, index, width)]
        first = index * TILE_WIDTH
        return [
            perfect_root(read_hashes(self._read, tile_path(level - 1, child), TILE_WIDTH))
            for child in range(first, first + width)
        ]

    def _tiles(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        """The level 0 tiles (or bundles) that hold the leaves, and which part of each does."""
        if not 0 <= start <= end <= self.size:
            raise ValueError(f"a tree of {self.size} leaves has no leaves [{start}, {end})")
        while start < end:
            tile, first = divmod(start, TILE_WIDTH)
            last = min(TILE_WIDTH, first + end - start)
            yield tile, first, last
            start += last - first

    def _width(self, level: int, index: int) -> int:
        return min(TILE_WIDTH, (self.size >> TILE_HEIGHT * level) - index * TILE_WIDTH)

    def _tile(self, level: int, index: int) -> Sequence[bytes]:
        if self._width(level, index) < TILE_WIDTH:
            return self.edge[level]
        return self._full_tile(level, index)

    def _checked_tile(self, level: int, index: int) -> Sequence[bytes]:
        path = tile_path(level, index)
        hashes = read_hashes(self._read, path, TILE_WIDTH)
        if perfect_root(hashes) != self.node(TILE_HEIGHT * (level + 1), index):
            raise BadTile(path, "does not have the hash its parent gives it")
        return hashes

    def _bundle(self, index: int) -> Sequence[bytes]:
        width = self._width(0, index)
        entries = read_entries(self._read, index, width)
        if [leaf_hash(entry) for entry in entries] != list(self._tile(0, index)):
            raise BadTile(
                bundle_path(index, width), "its entries do not have the hashes of the tree's leaves"
            )
        return entries


def edge_root(size: int, edge: Mapping[int, Sequence[bytes]]) -> bytes:
    """Root of a tree from the hashes of its partial tiles by level, which cover all its leaves."""

    def node(height: int, index: int) -> bytes:
        level, height_in_tile = divmod(height, TILE_HEIGHT)
        return _within(edge[level], height_in_tile, index)

    return tree_root(size, node)


def _within(tile: Sequence[bytes], height: int, index: int) -> bytes:
    """Hash of a perfect subtree no higher than the tile that holds it."""
    first = (index << height) % TILE_WIDTH
    return perfect_root(tile[first : first + (1 << height)])


def _right_edge(size: int) -> Iterator[tuple[int, int, int]]:
    """Level, index and width of the partial tiles of a tree, lowest level first."""
    level = 0
    while rest := size >> TILE_HEIGHT * level:
        index, width = divmod(rest, TILE_WIDTH)
        if width:
            yield level, index, width
        level += 1


def _numbers(first: int, end: int, sample: Sample | None) -> Iterator[int]:
    """The numbers of the sample before `first`, and all from there to `end`."""
    if sample is not None:
        yield from range(sample[0], min(first, end), sample[1])
    yield from range(first, end)
