"""How a landed CSV file is read, line by line, without losing or inventing a row.

A file is UTF-8, separated by commas (RFC 4180) or by another sign, with an exact header. One line
is one row: a line break inside quotes is not read, so that one stray quote cannot swallow the rows
after it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import BinaryIO

from custody.core.datasets.landed.text import BrokenFileError, LandedRow, read_line


def read_rows(
    file: BinaryIO, header: Sequence[str], *, before: int = 1, delimiter: str = ","
) -> Iterator[LandedRow]:
    """The rows of a file that passed `TextCheck`, in order, in constant memory.

    `before` is how many lines of it stand before the first row, if `file` is a part of it
    (`custody.core.datasets.landed.parts`). `delimiter` stands between fields.

    Raises BrokenFileError before the first row when the file's header is not exactly `header`.
    """
    check_header(file, header, delimiter)
    while True:
        text, too_long = read_line(file)
        if not text:
            return
        before += 1
        yield row_of(text, before, len(header), delimiter, too_long=too_long)


def check_header(file: BinaryIO, header: Sequence[str], delimiter: str = ",") -> None:
    """Read the header line of a file; raise BrokenFileError when it is not exactly `header`."""
    first, too_long = read_line(file)
    found = None if too_long else _fields(first, delimiter)
    if found != list(header):
        expected = f"expected {delimiter.join(header)!r}"
        raise BrokenFileError("file.header", f"{expected}, {_difference(found, header)}")


def row_of(text: str, number: int, width: int, delimiter: str, *, too_long: bool) -> LandedRow:
    """The row on the `number`-th line of a file, which `read_line` gave, if it has `width` fields;
    else a malformed one.
    """
    fields = None if too_long else _fields(text, delimiter)
    values = None
    if fields is not None and len(fields) == width:
        values = tuple([field.strip() or None for field in fields])
    return LandedRow(number, text.rstrip("\r\n"), values)


def _fields(text: str, delimiter: str) -> list[str] | None:
    """The fields of one line, None when the line is blank or not CSV."""
    text = text.removesuffix("\n").removesuffix("\r")
    if (delimiter not in text and not text.strip()) or "\r" in text:
        return None
    if '"' not in text:
        return text.split(delimiter)
    if not _rfc4180(delimiter).fullmatch(text):
        return None
    return next(csv.reader([text], delimiter=delimiter, strict=True))


@cache
def _rfc4180(delimiter: str) -> re.Pattern[str]:
    # csv reads `a"b` as it stands, RFC 4180 does not: quotes enclose a whole field or do not occur.
    sign = re.escape(delimiter)
    field = rf'(?:"(?:[^"]|"")*+"|[^"{sign}]*+)'
    return re.compile(f"{field}(?:{sign}{field})*+")


def _difference(found: list[str] | None, header: Sequence[str]) -> str:
    """How a first line differs from the header, in names of the header alone: of a file without
    one, it is a row, and what people read in logs and tables must not be in it."""
    if found is None:
        return "the first line is blank, too long or no CSV"
    lacking = [name for name in header if name not in found]
    said = f"lacks {', '.join(lacking)}" if lacking else "has these in another order or number"
    return f"the first line has {len(found)} fields and {said}"
