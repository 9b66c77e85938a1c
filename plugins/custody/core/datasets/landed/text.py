"""The text of landed files: one line is one row, whatever its format."""

from __future__ import annotations

import codecs
from dataclasses import dataclass
from typing import BinaryIO, Final

from custody.core.datasets.landed.nested import Item

MAX_LINE_BYTES: Final = 65_536
"""A longer line is malformed; no more than this much of it is ever held or kept."""


_Decoder: Final = codecs.getincrementaldecoder("utf-8")


class BrokenFileError(Exception):
    """The file cannot be read at all.

    `code` is for counting (`file.header`), `detail` for the person who has to mend the file.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail

    def __reduce__(self) -> tuple[type[BrokenFileError], tuple[str, str]]:
        return type(self), (self.code, self.detail)


@dataclass(frozen=True, slots=True)
class LandedRow:
    """One line of rows.

    `line` counts from 1 at the file's first. `values` are the trimmed fields, empty ones None; it
    is None when the line is malformed. `text` is the line as it came, cut at MAX_LINE_BYTES.
    `items` are those of each array of the contract, None where there is none. `mistyped` are the
    columns, from 0, whose value is of a kind that their type does not allow (and None); behind the
    columns come the arrays.
    """

    line: int
    text: str
    values: tuple[str | None, ...] | None
    items: tuple[tuple[Item, ...] | None, ...] = ()
    mistyped: tuple[int, ...] = ()


class TextCheck:
    """Tells, chunk by chunk, whether bytes are text at all. Feed every byte, then `finish`.

    `code` is the reason of a file that is none.
    """

    def __init__(self, code: str) -> None:
        self._code = code
        self._decoder = _Decoder()
        self._size = 0
        self._fault: str | None = None

    def feed(self, chunk: bytes) -> None:
        """Look at the next bytes. A fault is kept for `finish`, so that hashing can go on."""
        if self._fault is None:
            if (nul := chunk.find(b"\0")) >= 0:
                self._fault = f"a NUL byte at offset {self._size + nul}"
            else:
                self._decode(chunk, final=False)
        self._size += len(chunk)

    def finish(self) -> None:
        """Raise BrokenFileError if what was fed is empty or no UTF-8 text."""
        if self._size == 0:
            raise BrokenFileError("file.empty", "the file has no bytes")
        if self._fault is None:
            self._decode(b"", final=True)
        if self._fault is not None:
            raise BrokenFileError(self._code, self._fault)

    def _decode(self, chunk: bytes, *, final: bool) -> None:
        try:
            self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            # error.start counts from what the decoder still held of the chunk before.
            held = len(error.object) - len(chunk)
            self._fault = f"not UTF-8 at offset {self._size - held + error.start}"


def read_line(file: BinaryIO) -> tuple[str, bool]:
    """The next line with its line end, empty at the end of the file; and whether it was cut."""
    line = file.readline(MAX_LINE_BYTES)
    cut = len(line) == MAX_LINE_BYTES and not line.endswith(b"\n")
    if cut:
        rest = file.readline(MAX_LINE_BYTES)
        cut = rest.strip(b"\r\n") != b""
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(MAX_LINE_BYTES)
    # The cut may have split a character; the file as a whole is known to be UTF-8.
    return line.decode("utf-8", errors="replace" if cut else "strict"), cut
