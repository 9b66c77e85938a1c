"""One gzip member, whole, bounded, and nothing behind it; whatever else is refused."""

import contextlib
import gzip
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from custody.core.formats.strict_gzip import Gunzip, gunzip
from custody.core.formats.untrusted import MalformedInput

LIMIT = 8 * 1024 * 1024


def unpack(packed: bytes) -> bytes:
    return gunzip(packed, what="log file", max_bytes=LIMIT)


def in_pieces(packed: bytes, size: int) -> bytes:
    reader, unpacked = Gunzip("log file", max_bytes=LIMIT), bytearray()
    for start in range(0, len(packed), size):
        for piece in reader.feed(packed[start : start + size]):
            unpacked += piece
    reader.finish()
    return bytes(unpacked)


@given(st.binary(max_size=5000), st.integers(1, 700))
def test_unpacks_what_was_packed_however_it_comes(content, size):
    packed = gzip.compress(content)
    assert unpack(packed) == in_pieces(packed, size) == content


@pytest.mark.parametrize("size", [1024 * 1024, 2 * 1024 * 1024, 3 * 1024 * 1024 + 1])
def test_unpacks_more_than_one_piece_from_little(size):
    packed = gzip.compress(b"a" * size)
    assert unpack(packed) == in_pieces(packed, 100) == b"a" * size


@given(st.binary(min_size=1, max_size=100), st.integers(1, 50))
@example(gzip.compress(b"more"), 7)
@example(b"\0", 1)
def test_refuses_anything_behind_the_member(trailing, size):
    packed = gzip.compress(b'{"Records":[]}') + trailing
    for read in (unpack, lambda p: in_pieces(p, size)):
        with pytest.raises(MalformedInput, match="behind the end") as caught:
            read(packed)
        assert caught.value.field == "log file"


@given(st.integers(0, 60))
def test_refuses_what_is_cut_off(length):
    packed = gzip.compress(bytes(range(60)))
    with pytest.raises(MalformedInput, match="cut off"):
        unpack(packed[:length])


def test_refuses_more_than_the_limit_without_unpacking_it():
    bomb = gzip.compress(b"\0" * (LIMIT + 1))
    with pytest.raises(MalformedInput, match=f"more than the {LIMIT} bytes"):
        unpack(bomb)
    assert len(unpack(gzip.compress(b"\0" * LIMIT))) == LIMIT


@pytest.mark.parametrize("packed", [b"{}", zlib.compress(b"{}"), b"\x1f\x8b\x09" + b"\0" * 20])
def test_refuses_what_is_no_gzip(packed):
    with pytest.raises(MalformedInput, match="not gzip"):
        unpack(packed)


def test_refuses_a_wrong_checksum():
    packed = bytearray(gzip.compress(b"{}"))
    packed[-8] ^= 1
    with pytest.raises(MalformedInput, match="not gzip"):
        unpack(bytes(packed))


@given(st.binary(max_size=300))
def test_never_fails_in_another_way(packed):
    with contextlib.suppress(MalformedInput):
        unpack(packed)
