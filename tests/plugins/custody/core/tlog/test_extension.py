"""What an append writes."""

import pytest
from tests.support.transparency import MemoryLog, entry

from custody.core.tlog.extension import extend
from custody.core.tlog.tiles import BadTile, encode_bundle


def test_an_append_writes_what_is_new_and_the_partial_files_it_is_in():
    log = MemoryLog(66_000)
    assert set(log.append([b"one"])) == {"tile/entries/257.p/209", "tile/0/257.p/209"}
    assert set(log.append([b"x"] * 47)) == {
        "tile/entries/257",
        "tile/0/257",
        "tile/1/001.p/2",
    }
    assert set(log.append([b"y"] * 257)) == {
        "tile/entries/258",
        "tile/entries/259.p/1",
        "tile/0/258",
        "tile/0/259.p/1",
        "tile/1/001.p/3",
    }
    assert log.append([]) == {}


def test_an_entry_that_is_too_long_is_refused():
    with pytest.raises(ValueError, match="an entry of 65536 bytes"):
        MemoryLog().append([b"x" * 65536])


def test_an_append_to_a_log_with_a_changed_bundle_is_refused():
    log = MemoryLog(3)
    log.files["tile/entries/000.p/3"] = encode_bundle([entry(0), entry(1), b"forged"])
    with pytest.raises(BadTile, match="do not have the hashes of the tree's leaves"):
        extend(log.tree, [b"next"])
