"""The files of a log: their names, and how entries lie in a bundle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.core.tlog.tiles import bundle_path, decode_bundle, encode_bundle, tile_path


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (tile_path(0, 0), "tile/0/000"),
        (tile_path(0, 0, 1), "tile/0/000.p/1"),
        (tile_path(3, 999, 255), "tile/3/999.p/255"),
        (tile_path(63, 1000), "tile/63/x001/000"),
        (tile_path(0, 1234067), "tile/0/x001/x234/067"),
        (bundle_path(1234067, 8), "tile/entries/x001/x234/067.p/8"),
        (bundle_path(12), "tile/entries/012"),
    ],
)
def test_paths_are_those_of_the_specification(path, name):
    assert path == name


def test_a_bundle_gives_each_entry_after_its_length():
    assert encode_bundle([b"ab", b"", b"c" * 258]) == b"\0\2ab\0\0\1\2" + b"c" * 258
    with pytest.raises(ValueError, match="an entry of 65536 bytes: 65535 is the most"):
        encode_bundle([b"x" * 65536])
    assert decode_bundle(encode_bundle([b"x" * 65535])) == [b"x" * 65535]


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_a_bundle_is_read_as_it_was_written(entries):
    assert decode_bundle(encode_bundle(entries)) == entries


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=3), st.data())
def test_a_bundle_that_ends_early_is_noticed(entries, data):
    raw = encode_bundle(entries)
    cut = raw[: data.draw(st.integers(0, len(raw) - 1))]
    try:
        assert len(decode_bundle(cut)) < len(entries)
    except ValueError as error:
        assert "ends within an entry" in str(error)  # noqa: PT017 - either is right
