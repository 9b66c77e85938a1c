"""Reading CSV in columns: what is plain by Arrow, and every other line as the core reads it.

A line is plain if both are known to read it alike: as many fields as the header has, without
quotes, and of no unusual length or line end. Whatever is not, is read by
`custody.core.datasets.landed.csv_lines`, whose word it is what a line means.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from custody.core.datasets.landed.csv_lines import check_header, row_of
from custody.core.datasets.landed.text import MAX_LINE_BYTES, LandedRow, read_line
from custody.spark.silver.rows import BATCH_BYTES, BATCH_ROWS, Lines, Rows, no, of_landed, together

_SOME_BYTES: Final = 64 * 1024
"""So much of a small file is at once in lines, each of which takes more memory than its bytes."""
_LF, _CR = 10, 13
_ODD: Final = (b'"', codecs.BOM_UTF8)
"""Arrow takes a byte order mark away wherever it begins to read."""
_BLANK: Final = 2
"""So long is a blank line at most, and one of two empty fields at least."""


def read_csv(
    file: BinaryIO,
    header: Sequence[str],
    *,
    before: int = 1,
    delimiter: str = ",",
    block_bytes: int = BATCH_BYTES,
) -> Iterator[Rows]:
    """The rows of a file that passed `TextCheck`, not in order, about a block of them at a time.

    `before` and `delimiter` are those of `csv_lines.read_rows`, whose rows these are, and so is
    what it raises. There are two columns or more: a blank line is no empty field.
    """
    check_header(file, header, delimiter)
    block = _Block(header, delimiter)
    for lines in whole_lines(file, block_bytes):
        count = yield from block.rows(lines, before)
        before += count


def small_csv(
    file: BinaryIO, header: Sequence[str], *, before: int = 1, delimiter: str = ","
) -> Iterator[Lines]:
    """The lines of such a file for `read_together`, once its header is known to be right."""
    check_header(file, header, delimiter)
    while lines := file.readlines(_SOME_BYTES):
        yield Lines(lines, before)
        before += len(lines)


def read_together(files: Sequence[Lines], header: Sequence[str], delimiter: str = ",") -> Rows:
    """The rows of the lines of some files, in their order."""
    block = b"".join(
        line if line.endswith(b"\n") else line + b"\n" for of in files for line in of.lines
    )
    found = list(_Block(header, delimiter).rows(block, 0))
    rows = together(found)
    if len(found) > 1:
        rows = rows.taken(np.argsort(rows.lines))
    counts = [len(of) for of in files]
    in_file = np.arange(len(rows)) - np.repeat(np.cumsum([0, *counts[:-1]]), counts)
    numbers = in_file + np.repeat([of.before + 1 for of in files], counts)
    return replace(rows, lines=pa.array(numbers, pa.int32()))


def whole_lines(file: BinaryIO, size: int) -> Iterator[bytes]:
    """The rest of a file in blocks of about `size` that end where a line does.

    Of a line that is longer than any may be, it gives no more than tells that.
    """
    held = b""
    while chunk := file.read(size):
        end = chunk.rfind(b"\n") + 1
        if end:
            yield held + chunk[:end]
            held = chunk[end:]
        else:
            held = (held + chunk)[: 2 * MAX_LINE_BYTES]
    if held:
        yield held


class _Block:
    """Reads the lines of a block."""

    def __init__(self, header: Sequence[str], delimiter: str) -> None:
        self._width, self._delimiter = len(header), delimiter
        names = [str(index) for index in range(self._width)]
        self._names = names
        self._convert = pyarrow.csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=True,
            null_values=[""],
        )

    def rows(self, block: bytes, before: int) -> Generator[Rows, None, int]:
        """The rows of a block before which stand so many lines; returns how many they are."""
        ends, odd = self._survey(block)
        starts = np.concatenate((ends[:1] * 0, ends[:-1]))
        plain = block if not odd.any() else b"".join(_runs(block, starts, ends, ~odd))
        numbers = np.flatnonzero(~odd)
        if plain:
            columns, wrong = self._parse(plain)
            odd[numbers[wrong]] = True
            keep = np.ones(len(numbers), np.bool_)
            keep[wrong] = False
            texts = _texts(plain, (ends - starts)[numbers])
            if wrong:
                texts, numbers = texts.take(pa.array(np.flatnonzero(keep))), numbers[keep]
            if len(numbers):
                lines = pa.array(numbers + (before + 1), pa.int32())
                yield Rows(lines, texts, columns, no(len(numbers)), {})
        # A block of blank lines has millions, each of which takes a hundred times its bytes.
        others = np.flatnonzero(odd)
        for begin in range(0, len(others), BATCH_ROWS):
            some = [
                self._read(block[starts[index] : ends[index]], before + 1 + int(index))
                for index in others[begin : begin + BATCH_ROWS]
            ]
            yield of_landed(some, [self._width])
        return len(ends)

    def _survey(self, block: bytes) -> tuple[Any, Any]:
        """Where each line ends, and which lines are not plain at first sight."""
        data = np.frombuffer(block, np.uint8)
        ends = np.flatnonzero(data == _LF) + 1
        if not block.endswith(b"\n"):
            ends = np.append(ends, len(block))
        length = np.diff(ends, prepend=0)
        odd = (length > MAX_LINE_BYTES) | (length <= _BLANK)
        for sign in _ODD:
            at = block.find(sign)
            while at >= 0:
                line = np.searchsorted(ends, at, side="right")
                odd[line] = True
                at = block.find(sign, ends[line])
        if b"\r" in block:
            returns = np.flatnonzero(data == _CR)
            behind = np.append(data, 0)[returns + 1]
            odd[np.searchsorted(ends, returns[behind != _LF], side="right")] = True
        return ends, odd

    def _parse(self, plain: bytes) -> tuple[tuple[Any, ...], list[int]]:
        """The columns of plain lines, and the lines that have more or fewer fields."""
        wrong: list[int] = []

        def has_other_fields(row: Any) -> str:
            wrong.append(row.number - 1)
            return "skip"

        table = pyarrow.csv.read_csv(
            pa.BufferReader(plain),
            pyarrow.csv.ReadOptions(
                use_threads=False, column_names=self._names, block_size=len(plain) + 1
            ),
            pyarrow.csv.ParseOptions(
                delimiter=self._delimiter,
                quote_char=False,
                ignore_empty_lines=False,
                invalid_row_handler=has_other_fields,
            ),
            self._convert,
        )
        return tuple(_trimmed(column.combine_chunks()) for column in table.columns), wrong

    def _read(self, line: bytes, number: int) -> LandedRow:
        text, too_long = read_line(io.BytesIO(line))
        return row_of(text, number, self._width, self._delimiter, too_long=too_long)


def _runs(block: bytes, starts: Any, ends: Any, wanted: Any) -> Iterator[bytes]:
    """The wanted lines, each run of them at once."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], wanted, [False])).astype(np.int8)))
    for first, behind in edges.reshape(-1, 2):
        yield block[starts[first] : ends[behind - 1]]


def _texts(plain: bytes, lengths: Any) -> Any:
    """The lines of a text, with their ends; nothing is copied."""
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    return pa.StringArray.from_buffers(len(lengths), pa.py_buffer(offsets), pa.py_buffer(plain))


def _trimmed(column: Any) -> Any:
    trimmed = pc.utf8_trim_whitespace(column)
    if trimmed.equals(column):
        return column
    return pc.if_else(pc.equal(trimmed, ""), None, trimmed)
