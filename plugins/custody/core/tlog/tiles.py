"""A transparency log as files: the tiles of its Merkle tree and the bundles of its entries.

The layout is that of https://c2sp.org/tlog-tiles. A tile of level L holds up to 256 hashes, each
over ``256**L`` leaves; a bundle holds up to 256 entries, each after its length. A full one never
changes, and the name of a partial one says its width, so no file is ever written twice.

Nothing here reads or writes: callers pass a function that reads a file by its path.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from custody.core.tlog.merkle import HASH_BYTES, leaf_hash, perfect_root, tree_root

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
"""Hashes in a full tile, entries in a full bundle."""

MAX_ENTRY_BYTES: Final = 0xFFFF
"""What the two bytes before an entry can count."""

MAX_FILE_BYTES: Final = TILE_WIDTH * (2 + MAX_ENTRY_BYTES)
"""No tile and no bundle is longer."""

_CACHED_TILES: Final = 256
"""Tiles kept in memory by a tree: 2 MiB at most, and a walk needs one of each level at a time."""

FileReader = Callable[[str], bytes | None]
"""Content of the file at a path within the log, such as ``tile/0/000``; ``None`` if there is none.

It should not read more than ``MAX_FILE_BYTES + 1`` bytes of one."""

Sample = tuple[int, int]
"""``(first, every)``: of the tiles of each level, and of the bundles, one in ``every``, from number
``first`` on; ``every`` samples with different ``first`` below it cover all."""


class BadTile(Exception):
    """A file of the log that is missing or is not what the tree's root says it must be."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


def tile_path(level: int, index: int, width: int = TILE_WIDTH) -> str:
    """Where a tile stands, such as ``tile/0/x001/x234/067.p/8``."""
    return f"tile/{level}/{_number(index)}{_suffix(width)}"


def bundle_path(index: int, width: int = TILE_WIDTH) -> str:
    """Where a bundle of entries stands, such as ``tile/entries/000.p/8``."""
    return f"tile/entries/{_number(index)}{_suffix(width)}"


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries one after another, each after its length (two bytes, big-endian).

    Raises ``ValueError`` if one is longer than ``MAX_ENTRY_BYTES``.
    """
    for entry in entries:
        if len(entry) > MAX_ENTRY_BYTES:
            raise ValueError(f"an entry of {len(entry)} bytes: {MAX_ENTRY_BYTES} is the most")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(raw: bytes) -> list[bytes]:
    """The entries of a bundle; raises ``ValueError`` if it ends within one."""
    entries, at = list[bytes](), 0
    while at < len(raw):
        start = at + 2
        at = start + int.from_bytes(raw[at:start], "big")
        if start > len(raw) or at > len(raw):
            raise ValueError("ends within an entry")
        entries.append(raw[start:at])
    return entries


class TiledTree:
    """The tree of ``size`` leaves whose ``root`` is trusted, read from files that are not.

    Every tile is checked against its parent before it is used, up to the tiles of the right edge,
    which are checked against the root; so nothing here returns a hash or an entry that the root
    does not vouch for. ``edge`` has the hashes of the partial tiles by level.

    All methods raise ``BadTile`` naming the file that is missing or wrong, and so does making a
    tree whose right edge does not have the root: of several tiles there it names the one that
    differs from what is below it, or all of them if that cannot be told.
    """

    def __init__(self, size: int, root: bytes, read: FileReader) -> None:
        self.size = size
        self.root = root
        self._read = read
        self.edge: Mapping[int, Sequence[bytes]] = {
            level: _hashes(read, tile_path(level, index, width), width)
            for level, index, width in _right_edge(size)
        }
        self._full_tile = lru_cache(maxsize=_CACHED_TILES)(self._checked_tile)
        if _edge_root(size, self.edge) != root:
            raise self._bad_edge()

    def node(self, height: int, index: int) -> bytes:
        """Hash of a perfect subtree; a ``NodeReader`` for the proofs of
        ``custody.core.tlog.merkle``."""
        level, height_in_tile = divmod(height, TILE_HEIGHT)
        tile = self._tile(level, (index << height_in_tile) // TILE_WIDTH)
        return _within(tile, height_in_tile, index)

    def leaf_hashes(self, start: int, end: int) -> Iterator[bytes]:
        """Hashes of the leaves ``[start, end)``. Raises ``ValueError`` if there are not so many."""
        for tile, first, last in self._tiles(start, end):
            yield from self._tile(0, tile)[first:last]

    def index_of(self, leaf: bytes, start: int, end: int) -> int | None:
        """The first of the leaves ``[start, end)`` with this hash."""
        hashes = self.leaf_hashes(start, end)
        return next((i for i, each in enumerate(hashes, start) if each == leaf), None)

    def entries(self, start: int, end: int) -> Iterator[bytes]:
        """The entries ``[start, end)``. Raises ``ValueError`` if there are not so many."""
        for tile, first, last in self._tiles(start, end):
            yield from self._bundle(tile)[first:last]

    def problems(self, start: int = 0, sample: Sample | None = None) -> Iterator[BadTile]:
        """Every file that is missing or wrong among those that hold leaves from ``start`` on, and
        among a ``sample`` of those before.

        A file is named once. What stands below a wrong tile cannot be told right from wrong and is
        not named; look again when the tile is repaired.
        """
        named = set[str]()
        for check, place in self._checks(start, sample):
            try:
                check(*place)
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
        """Which tile of the right edge is wrong, as far as what is below each can tell."""
        places = list(_right_edge(self.size))
        for level, index, width in places:
            try:
                mended = {**self.edge, level: self._from_below(level, index, width)}
            except BadTile:
                continue
            if _edge_root(self.size, mended) == self.root:
                path = tile_path(level, index, width)
                return BadTile(path, "does not have the hashes of what is below it")
        edge = ", ".join(tile_path(*place) for place in places)
        return BadTile(edge or "(no tile)", f"do not make the root of {self.size} leaves")

    def _from_below(self, level: int, index: int, width: int) -> Sequence[bytes]:
        """The hashes a tile ought to have by the files below it, none of which is trusted."""
        if level == 0:
            return [leaf_hash(entry) for entry in _entries(self._read, index, width)]
        first = index * TILE_WIDTH
        return [
            perfect_root(_hashes(self._read, tile_path(level - 1, child), TILE_WIDTH))
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
        hashes = _hashes(self._read, path, TILE_WIDTH)
        if perfect_root(hashes) != self.node(TILE_HEIGHT * (level + 1), index):
            raise BadTile(path, "does not have the hash its parent gives it")
        return hashes

    def _bundle(self, index: int) -> Sequence[bytes]:
        width = self._width(0, index)
        entries = _entries(self._read, index, width)
        if [leaf_hash(entry) for entry in entries] != list(self._tile(0, index)):
            raise BadTile(
                bundle_path(index, width), "its entries do not have the hashes of the tree's leaves"
            )
        return entries


@dataclass(frozen=True)
class Extension:
    """A larger tree, and the files that are new in it (content by path)."""

    size: int
    root: bytes
    files: Mapping[str, bytes]


def extend(tree: TiledTree, entries: Sequence[bytes]) -> Extension:
    """The tree with ``entries`` appended.

    The files are those that hold something new, and the rest of the partial ones they replace: at
    most one tile a level beyond what the entries fill. Raises ``ValueError`` for an entry that is
    too long, and ``BadTile`` if the last bundle of ``tree`` is wrong.
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
    return Extension(size, _edge_root(size, edge), files)


def _edge_root(size: int, edge: Mapping[int, Sequence[bytes]]) -> bytes:
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


def _content(read: FileReader, path: str) -> bytes:
    raw = read(path)
    if raw is None:
        raise BadTile(path, "is missing")
    return raw


def _entries(read: FileReader, index: int, width: int) -> list[bytes]:
    """The entries of a bundle, as many as should be there."""
    path = bundle_path(index, width)
    try:
        entries = decode_bundle(_content(read, path))
    except ValueError as error:
        raise BadTile(path, str(error)) from error
    if len(entries) != width:
        raise BadTile(path, f"has {len(entries)} entries, not {width}")
    return entries


def _numbers(first: int, end: int, sample: Sample | None) -> Iterator[int]:
    """The numbers of the sample before ``first``, and all from there to ``end``."""
    if sample is not None:
        yield from range(sample[0], min(first, end), sample[1])
    yield from range(first, end)


def _hashes(read: FileReader, path: str, width: int) -> Sequence[bytes]:
    raw = _content(read, path)
    if len(raw) != width * HASH_BYTES:
        raise BadTile(path, f"has {len(raw)} bytes, not {width * HASH_BYTES}")
    return _split(raw)


def _split(tile: bytes) -> Sequence[bytes]:
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def _chunks(row: Sequence[bytes]) -> list[Sequence[bytes]]:
    return [row[at : at + TILE_WIDTH] for at in range(0, len(row), TILE_WIDTH)]


def _number(index: int) -> str:
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    return "/".join(reversed(groups))


def _suffix(width: int) -> str:
    return "" if width == TILE_WIDTH else f".p/{width}"
