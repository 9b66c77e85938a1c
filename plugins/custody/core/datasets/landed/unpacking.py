"""Unpacking landed gzip, as much of it as a file may honestly hold.

Deflate packs a thousand bytes into one: 10 MB can be 10 GB. Whoever is fed such a file reads in
constant memory, and stops at a bound.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from typing import BinaryIO, Final

from custody.core.datasets.landed.text import BrokenFileError
from custody.core.formats.strict_gzip import Gunzip
from custody.core.formats.untrusted import MalformedInput

MAX_UNPACKED_BYTES: Final = 16 * 1024**3
MAX_RATIO: Final = 200
"""Text of real rows packs ten to fifty times."""
ALWAYS_BYTES: Final = 16 * 1024**2
"""So much a file may unpack to, whatever its ratio."""

_CHUNK_BYTES: Final = 256 * 1024


def most_unpacked(packed_bytes: int) -> int:
    """The most bytes that as many packed ones may unpack to."""
    return min(MAX_UNPACKED_BYTES, max(ALWAYS_BYTES, MAX_RATIO * packed_bytes))


def unpacked(file: BinaryIO, packed_bytes: int) -> Iterator[bytes]:
    """The bytes in a gzip file of `packed_bytes`, in pieces of 1 MiB at most.

    Raises BrokenFileError `file.not_gzip` for what is not one whole gzip member and nothing
    else, and `file.too_large` for what unpacks to more than MAX_UNPACKED_BYTES or, beyond
    ALWAYS_BYTES, to more than MAX_RATIO times its size.
    """
    bound = most_unpacked(packed_bytes)
    gunzip, size = Gunzip("file", max_bytes=sys.maxsize), 0
    try:
        while chunk := file.read(_CHUNK_BYTES):
            for piece in gunzip.feed(chunk):
                size += len(piece)
                if size > bound:
                    raise BrokenFileError(
                        "file.too_large", f"{packed_bytes} bytes unpack to more than {bound}"
                    )
                yield piece
        gunzip.finish()
    except MalformedInput as error:
        raise BrokenFileError("file.not_gzip", error.problem) from error


def unpacked_file(file: BinaryIO, packed_bytes: int) -> BinaryIO:
    """The same as a file to read, once, from its beginning."""
    return io.BufferedReader(_Pieces(unpacked(file, packed_bytes)), _CHUNK_BYTES)


class _Pieces(io.RawIOBase):
    """A stream of the bytes that come in pieces."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        while not self._held:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._held = memoryview(piece)
        count = min(len(buffer), len(self._held))
        buffer[:count] = self._held[:count]
        self._held = self._held[count:]
        return count
