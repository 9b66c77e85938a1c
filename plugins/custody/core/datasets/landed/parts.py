"""A large file in parts, so that several readers share its lines.

Each reader is fed the whole file, as only the whole has a hash that somebody signed, and keeps its
own part: the lines that begin there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from custody.core.datasets.landed.text import MAX_LINE_BYTES

MIN_PART_BYTES: Final = 16 * 1024 * 1024
"""A smaller part is not worth reading the file once more."""

_HEADER_BYTES: Final = 2 * MAX_LINE_BYTES
"""As much of a header as `read_rows` looks at."""


@dataclass(frozen=True, slots=True)
class Part:
    """The `number`-th (from 0) of `count` parts of a file of `size` bytes."""

    number: int
    count: int
    size: int

    @property
    def begin(self) -> int:
        """The first byte at which a line of this part may begin."""
        return self.size * self.number // self.count

    @property
    def end(self) -> float:
        """The first byte at which lines of the next part may begin."""
        last = self.number == self.count - 1
        return math.inf if last else self.size * (self.number + 1) // self.count


WHOLE: Final = Part(0, 1, 0)


def parts_of(sizes: Sequence[int], readers: int) -> list[list[Part]]:
    """The parts of each file, where `readers` read at once.

    Only a file that is larger than a reader's share of all bytes is parted, so that a file is read
    at most once by every reader.
    """
    share = max(MIN_PART_BYTES, -(-sum(sizes) // readers))
    counts = [max(1, -(-size // share)) for size in sizes]
    return [
        [Part(number, count, size) for number in range(count)]
        for size, count in zip(sizes, counts, strict=True)
    ]


class Cut:
    """Cuts a part out of a file. Feed every byte of the file, in order.

    What it gives is the file's header line, if it has one, and the lines of the part. `before` is
    how many lines of the file stand before the part's own, the header among them.
    """

    def __init__(self, part: Part, *, header: bool = True) -> None:
        self._part = part
        self._at = 0
        self._begun = part.number == 0
        self._ended = False
        self._header = _HEADER_BYTES if header and not self._begun else 0
        self.before = 1 if header and self._begun else 0

    def feed(self, chunk: bytes) -> bytes:
        """What of the next bytes belongs to the part; the header first."""
        header = self._header_of(chunk) if self._header else b""
        own = self._own(chunk)
        self._at += len(chunk)
        return header + own

    def _header_of(self, chunk: bytes) -> bytes:
        line, end, _ = chunk.partition(b"\n")
        if end or len(line) >= self._header:
            line, self._header = line[: self._header] + b"\n", 0
        else:
            self._header -= len(line)
        return line

    def _own(self, chunk: bytes) -> bytes:
        if self._ended:
            return b""
        begin = 0
        if not self._begun:
            # A line begins behind a line end: one that ends right before the part is the last.
            found = chunk.find(b"\n", max(0, self._part.begin - 1 - self._at))
            begin = found + 1 if found >= 0 else len(chunk)
            self.before += chunk.count(b"\n", 0, begin)
            self._begun = found >= 0
            self._ended = self._begun and self._at + begin >= self._part.end
            if not self._begun or self._ended:
                return b""
        if self._at + len(chunk) < self._part.end:
            return chunk[begin:]
        last = chunk.find(b"\n", max(begin, int(self._part.end) - 1 - self._at))
        self._ended = last >= 0
        return chunk[begin : last + 1] if self._ended else chunk[begin:]
