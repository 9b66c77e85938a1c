"""Unpacking landed gzip in bounded memory, and no more than is honest."""

from __future__ import annotations

import gzip
import io
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.core.datasets.landed import unpacking
from custody.core.datasets.landed.text import BrokenFileError
from custody.core.datasets.landed.unpacking import unpacked, unpacked_file


def unpack(packed: bytes) -> bytes:
    return b"".join(unpacked(io.BytesIO(packed), len(packed)))


@given(st.binary(max_size=5000), st.integers(1, 700))
def test_what_was_packed_comes_out(body: bytes, size: int) -> None:
    packed = gzip.compress(body)

    assert unpack(packed) == body
    file = unpacked_file(io.BytesIO(packed), len(packed))
    assert b"".join(iter(lambda: file.read(size), b"")) == body


def test_lines_are_read_as_of_a_file() -> None:
    packed = gzip.compress(b"ab\ncd")

    assert list(unpacked_file(io.BytesIO(packed), len(packed))) == [b"ab\n", b"cd"]


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"a,b\n1,2\n",
        gzip.compress(b"a,b\n")[:-1],
        gzip.compress(b"a,b\n") + b"\0",
        gzip.compress(b"a,b\n") + gzip.compress(b"1,2\n"),
        gzip.compress(b"a,b\n")[:-8] + bytes(8),
        zlib.compress(b"a,b\n"),
        b"\x1f\x8b",
    ],
    ids=["nothing", "text", "cut off", "more", "a second member", "a wrong sum", "zlib", "magic"],
)
def test_what_is_not_one_gzip_member_is_refused(packed: bytes) -> None:
    with pytest.raises(BrokenFileError) as refusal:
        unpack(packed)

    assert refusal.value.code == "file.not_gzip"


def test_a_bomb_is_refused_in_bounded_memory() -> None:
    body = bytes(64 * 1024**2)
    packed = gzip.compress(body)
    assert len(body) > unpacking.MAX_RATIO * len(packed)
    del body

    tracemalloc.start()
    with pytest.raises(BrokenFileError, match=r"file\.too_large: \d+ bytes unpack to more than"):
        for _ in unpacked(io.BytesIO(packed), len(packed)):
            pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 8 * 1024**2


def test_no_file_unpacks_to_more_than_there_is_time_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MAX_UNPACKED_BYTES", 100)
    assert unpack(gzip.compress(bytes(range(100)))) == bytes(range(100))

    with pytest.raises(BrokenFileError, match=r"file\.too_large"):
        unpack(gzip.compress(bytes(range(101))))
