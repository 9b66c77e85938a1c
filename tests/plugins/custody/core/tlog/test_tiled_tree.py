"""A log is read from its files, and any change of one is noticed."""

from base64 import b64decode, b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plugins.custody.core.tlog.test_merkle import mth
from tests.support.transparency import VECTORS, MemoryLog, entry

from custody.core.tlog.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from custody.core.tlog.tiled_tree import TiledTree
from custody.core.tlog.tiles import BadTile, tile_path

BOUNDARIES = [int(size) for size in VECTORS["roots"]]


@pytest.fixture(scope="module")
def grown() -> MemoryLog:
    return MemoryLog(*BOUNDARIES)


def test_the_specifications_example_of_70_000_entries():
    files = MemoryLog(70_000).files
    tiles = [path for path in files if path.startswith("tile/") and "entries" not in path]
    assert {path.partition(".p/")[0] for path in tiles} == {
        *(tile_path(0, i) for i in range(274)),
        *(tile_path(1, i) for i in range(2)),
        tile_path(2, 0),
    }
    assert [path for path in tiles if ".p/" in path] == [
        "tile/0/273.p/112",
        "tile/1/001.p/17",
        "tile/2/000.p/1",
    ]
    assert {len(files[path]) for path in tiles if ".p/" not in path} == {8192}


def test_the_specifications_example_of_256_entries():
    assert set(MemoryLog(256).files) == {
        "checkpoint",
        "tile/entries/000",
        "tile/0/000",
        "tile/1/000.p/1",
    }


def test_roots_at_every_boundary_are_those_other_tools_accepted():
    log = MemoryLog()
    for size in BOUNDARIES:
        log.append(map(entry, range(log.tree.size, size)))
        assert b64encode(log.tree.root).decode() == VECTORS["roots"][str(size)]
        assert log.tree.size == size


@pytest.mark.parametrize("vector", VECTORS["consistency"], ids=lambda v: f"{v['old']}-{v['new']}")
def test_proofs_from_tiles_are_those_another_tool_makes(grown, vector):
    tree = TiledTree(
        vector["new"], b64decode(VECTORS["roots"][str(vector["new"])]), grown.files.get
    )
    proof = consistency_proof(vector["old"], vector["new"], tree.node)
    assert [b64encode(each).decode() for each in proof] == vector["proof"]


sizes = st.integers(0, 600)


@settings(max_examples=60)
@given(st.lists(sizes, min_size=1, max_size=4).map(sorted))
def test_a_log_is_the_same_however_it_grew(steps):
    log = MemoryLog(*steps)
    entries = [entry(i) for i in range(steps[-1])]
    assert log.tree.root == mth(entries)
    assert list(log.tree.entries(0, log.tree.size)) == entries
    assert list(log.tree.leaf_hashes(0, log.tree.size)) == [leaf_hash(each) for each in entries]
    assert list(log.tree.problems()) == []
    for size in steps:
        old = TiledTree(size, mth(entries[:size]), log.files.get)
        proof = consistency_proof(size, log.tree.size, log.tree.node)
        verify_consistency(size, log.tree.size, old.root, log.tree.root, proof)


@given(st.integers(0, 70_000 - 1))
def test_inclusion_is_proven_from_tiles(grown, index):
    tree = grown.tree
    proof = inclusion_proof(index, tree.size, tree.node)
    verify_inclusion(leaf_hash(entry(index)), index, tree.size, proof, tree.root)
    assert list(tree.entries(index, index + 1)) == [entry(index)]


@pytest.mark.parametrize(("start", "end"), [(-1, 2), (3, 2), (0, 301)])
def test_leaves_that_are_not_there(start, end):
    tree = MemoryLog(300).tree
    with pytest.raises(ValueError, match="has no leaves"):
        list(tree.entries(start, end))
    with pytest.raises(ValueError, match="has no leaves"):
        list(tree.leaf_hashes(start, end))


def test_a_leaf_is_found_by_its_hash():
    tree = MemoryLog(300).tree
    assert tree.index_of(leaf_hash(entry(270)), 0, 300) == 270
    assert tree.index_of(leaf_hash(entry(270)), 250, 271) == 270
    assert tree.index_of(leaf_hash(entry(270)), 0, 270) is None


def changes(content: bytes, data: st.DataObject) -> bytes | None:
    """The file missing, or with a byte changed, cut off or added; never as it was."""
    place = data.draw(st.integers(0, max(0, len(content) - 1)))
    how = data.draw(st.sampled_from(["missing", "changed", "cut", "longer"]))
    if how == "missing":
        return None
    if how == "cut":
        return content[:place]
    if how == "longer":
        return content + b"\0"
    return (
        content[:place]
        + bytes([content[place] ^ data.draw(st.integers(1, 255))])
        + (content[place + 1 :])
    )


LOG = MemoryLog(200, 65_800)
NEWEST = [
    *("tile/0/255", "tile/0/256", "tile/0/257.p/8"),
    *("tile/1/000", "tile/1/001.p/1", "tile/2/000.p/1"),
    *("tile/entries/255", "tile/entries/256", "tile/entries/257.p/8"),
]


@given(st.sampled_from(NEWEST), st.data())
def test_any_change_of_any_file_is_noticed_and_the_file_named(path, data):
    files = dict(LOG.files)
    changed = changes(files.pop(path), data)
    if changed is not None:
        files[path] = changed
    try:
        tree = TiledTree(LOG.tree.size, LOG.tree.root, files.get)
        named = [problem.path for problem in tree.problems(65_280)]
    except BadTile as problem:  # a tile of the right edge: the root itself cannot be made
        named = problem.path.split(", ")
    assert path in named


def test_every_byte_of_a_small_log_counts():
    log = MemoryLog(3)
    for path in ("tile/0/000.p/3", "tile/entries/000.p/3"):
        for place in range(len(log.files[path])):
            content = bytearray(log.files[path])
            content[place] ^= 1
            files = {**log.files, path: bytes(content)}
            with pytest.raises(BadTile, match=path):
                raise next(TiledTree(3, log.tree.root, files.get).problems())


def test_problems_are_looked_for_where_the_leaves_are_new():
    files = {**LOG.files}
    del files["tile/entries/000"], files["tile/0/001"], files["tile/entries/255"]
    tree = TiledTree(LOG.tree.size, LOG.tree.root, files.get)
    assert [str(problem) for problem in tree.problems()] == [
        "tile/0/001: is missing",
        "tile/entries/000: is missing",
        "tile/entries/255: is missing",
    ]
    assert [p.path for p in tree.problems(300)] == ["tile/0/001", "tile/entries/255"]
    assert [p.path for p in tree.problems(65_280)] == ["tile/entries/255"]
    assert list(tree.problems(65_536)) == []


def test_a_sample_of_what_is_older_is_looked_at_too():
    files = {**LOG.files}
    for path in ("tile/entries/000", "tile/0/001", "tile/entries/255"):
        del files[path]
    tree = TiledTree(LOG.tree.size, LOG.tree.root, files.get)
    samples = [[p.path for p in tree.problems(65_536, (n, 3))] for n in range(3)]
    assert samples == [["tile/entries/000", "tile/entries/255"], ["tile/0/001"], []]
    assert [p.path for p in tree.problems(300, (0, 1))] == [p.path for p in tree.problems()]


@pytest.mark.parametrize("path", ["tile/0/257.p/8", "tile/1/001.p/1", "tile/2/000.p/1"])
def test_the_tile_of_the_right_edge_that_is_wrong_is_named_alone(path):
    files = {**LOG.files, path: bytes(len(LOG.files[path]))}
    with pytest.raises(BadTile) as error:
        TiledTree(LOG.tree.size, LOG.tree.root, files.get)
    assert error.value.path == path


@pytest.mark.parametrize("below", [None, b"", b"\0\1a", b"\0"])
def test_where_what_is_below_a_tile_is_wrong_too_the_whole_edge_is_named(below):
    files = {**LOG.files, "tile/0/257.p/8": bytes(256), "tile/entries/257.p/8": below}
    with pytest.raises(BadTile) as error:
        TiledTree(LOG.tree.size, LOG.tree.root, files.get)
    assert error.value.path == "tile/0/257.p/8, tile/1/001.p/1, tile/2/000.p/1"


def test_nothing_below_a_wrong_tile_is_believed():
    forged = MemoryLog(200)
    forged.append(b"forged" for _ in range(65_600))
    files = {**LOG.files}
    for path in ("tile/0/000", "tile/entries/000", "tile/1/000"):
        files[path] = forged.files[path]
    tree = TiledTree(LOG.tree.size, LOG.tree.root, files.get)
    with pytest.raises(BadTile, match="tile/1/000: does not have the hash its parent gives it"):
        list(tree.entries(0, 1))
    with pytest.raises(BadTile, match="tile/1/000"):
        inclusion_proof(0, tree.size, tree.node)


def test_another_root_is_refused():
    log = MemoryLog(300)
    with pytest.raises(BadTile, match="do not make the root of 300 leaves"):
        TiledTree(300, bytes(32), log.files.get)
    with pytest.raises(BadTile, match=r"\(no tile\): do not make the root of 0 leaves"):
        TiledTree(0, bytes(32), log.files.get)
    assert TiledTree(0, EMPTY_ROOT, {}.get).size == 0
