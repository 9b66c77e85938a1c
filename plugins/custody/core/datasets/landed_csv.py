"""How a landed CSV file is read, line by line, without losing or inventing a row.

A file is UTF-8, comma-separated (RFC 4180), with an exact header. One line is one row: a line break
inside quotes is not read, so that one stray quote cannot swallow the rows after it.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

MAX_LINE_BYTES = 65_536
"""A longer line is malformed; no more than this much of it is ever held or kept."""

# csv reads `a"b` as it stands, RFC 4180 does not: quotes enclose a whole field or do not occur.
_FIELD = r'(?:"(?:[^"]|"")*+"|[^",]*+)'
_RFC4180 = re.compile(f"{_FIELD}(?:,{_FIELD})*+")


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
    """One line after the header.

    `line` counts from 1 at the header. `values` are the trimmed fields, empty ones None; it is
    None when the line is malformed. `text` is the line as it came, cut at MAX_LINE_BYTES.
    It `is_plain` if what stands between its commas is the values, as it stands there.
    """

    line: int
    text: str
    values: tuple[str | None, ...] | None
    is_plain: bool = False


class TextCheck:
    """Tells, chunk by chunk, whether bytes are text at all. Feed every byte, then `finish`."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")()
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
            raise BrokenFileError("file.not_csv", self._fault)

    def _decode(self, chunk: bytes, *, final: bool) -> None:
        try:
            self._decoder.decode(chunk, final)
        except UnicodeDecodeError as error:
            # error.start counts from what the decoder still held of the chunk before.
            held = len(error.object) - len(chunk)
            self._fault = f"not UTF-8 at offset {self._size - held + error.start}"


def read_rows(file: BinaryIO, header: Sequence[str], *, before: int = 1) -> Iterator[LandedRow]:
    """The rows of a file that passed `TextCheck`, in order, in constant memory.

    `before` is how many lines of it stand before the first row, if `file` is a part of it
    (`custody.core.datasets.parts`).

    Raises BrokenFileError before the first row when the file's header is not exactly `header`.
    """
    first, too_long = _read_line(file)
    found = None if too_long else _fields(first)
    if found != list(header):
        raise BrokenFileError(
            "file.header",
            f"expected {','.join(header)!r}, found {_shown(first)!r}",
        )
    number = before
    while True:
        text, too_long = _read_line(file)
        if not text:
            return
        number += 1
        fields = None if too_long else _fields(text)
        values, is_plain = None, False
        if fields is not None and len(fields) == len(header):
            trimmed = [field.strip() for field in fields]
            values = tuple([field or None for field in trimmed])
            is_plain = trimmed == fields and '"' not in text
        yield LandedRow(number, text.rstrip("\r\n"), values, is_plain)


def _read_line(file: BinaryIO) -> tuple[str, bool]:
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


def _fields(text: str) -> list[str] | None:
    """The fields of one line, None when the line is blank or not CSV."""
    text = text.removesuffix("\n").removesuffix("\r")
    if not text.strip() or "\r" in text:
        return None
    if '"' not in text:
        return text.split(",")
    if not _RFC4180.fullmatch(text):
        return None
    return next(csv.reader([text], strict=True))


def _shown(text: str, limit: int = 200) -> str:
    text = text.rstrip("\r\n")
    return text if len(text) <= limit else f"{text[:limit]}…"
