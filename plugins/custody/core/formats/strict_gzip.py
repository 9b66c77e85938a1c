"""Unpacking gzip that somebody may have tampered with.

One member, all of it, and nothing behind it: readers differ in what they make of trailing bytes or
of a second member (Spark and Athena read on, a hash of the first member does not see it).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from custody.core.formats.untrusted import MalformedInput

_GZIP_ONLY: Final = 16 + zlib.MAX_WBITS
_PIECE_BYTES: Final = 1024 * 1024


class Gunzip:
    """Unpacks one gzip file piece by piece, in constant memory.

    Raises `MalformedInput` with `what` as its field if it is no gzip, is cut off, has anything
    behind its first member, or unpacks to more than `max_bytes`.
    """

    def __init__(self, what: str, *, max_bytes: int) -> None:
        self._what = what
        self._left = self._max_bytes = max_bytes
        self._member = zlib.decompressobj(_GZIP_ONLY)

    def feed(self, packed: bytes) -> Iterator[bytes]:
        """Unpack the next bytes of the file; the pieces are 1 MiB at most."""
        while packed:
            if self._member.eof:
                raise MalformedInput(self._what, "has data behind the end of its gzip stream")
            try:
                piece = self._member.decompress(packed, _PIECE_BYTES)
            except zlib.error as error:
                raise MalformedInput(self._what, f"not gzip ({error})") from error
            self._left -= len(piece)
            if self._left < 0:
                raise MalformedInput(
                    self._what, f"unpacks to more than the {self._max_bytes} bytes accepted"
                )
            yield piece
            packed = self._member.unused_data or self._member.unconsumed_tail

    def finish(self) -> None:
        """Say that the file has ended."""
        if not self._member.eof:
            raise MalformedInput(self._what, "its gzip stream is cut off")


def gunzip(packed: bytes, *, what: str, max_bytes: int) -> bytes:
    """Unpack a whole gzip file as `Gunzip` does."""
    reader = Gunzip(what, max_bytes=max_bytes)
    unpacked = b"".join(reader.feed(packed))
    reader.finish()
    return unpacked
