"""A file has the same rows whether it is read in columns or line by line, whatever it holds."""

from __future__ import annotations

import io
import random
from collections.abc import Iterable
from itertools import chain
from typing import Any

import pytest
from tests.support.thoroughness import THOROUGH

from custody.core.datasets.landed import csv_lines, text
from custody.core.datasets.landed.text import LandedRow
from custody.spark.silver import csv_columns
from custody.spark.silver.csv_columns import read_csv
from custody.spark.silver.rows import BATCH_ROWS, Rows

HEADER = ["a", "b", "c"]
FILES = 20_000 if THOROUGH else 400
LONG = 40
PIECES = [
    *(",", ",", ",", ",,", "\n", "\n", "\n", "\r\n", "\r", "\r\r\n", '"', '""', '","', ";", "\t"),
    *("1", "x", "NA", "null", " ", "  ", "\u00a0", "\u3000", "\u2028", "\x1c", "\x85", "\v", "\f"),
    *("\ufeff", "é", "さ", "😀", "\u0301", "\x7f", "'", "\\", "\\n", "#", "=1+1", "x" * (LONG - 4)),
    *(
        "x" * LONG,
        "y" * 2 * LONG,
        "\r" * LONG,
        "\r" * 2 * LONG,
        "a,b,c\n",
        "d,e,f\r\n",
        " g , ,h\n",
    ),
]


def rows_of(batch: Rows) -> list[LandedRow]:
    rows = []
    fields = zip(*(column.to_pylist() for column in batch.columns), strict=True)
    texts = [text.rstrip("\r\n") for text in batch.texts.to_pylist()]
    malformed = batch.malformed.to_pylist()
    for line, kept, values, bad in zip(
        batch.lines.to_pylist(), texts, fields, malformed, strict=True
    ):
        assert not bad or set(values) == {None}
        rows.append(LandedRow(line, kept, None if bad else values))
    return rows


def in_order(found: Iterable[Rows]) -> list[LandedRow]:
    rows = chain.from_iterable(map(rows_of, found))
    return sorted(rows, key=lambda row: row.line)


def test_both_ways_of_reading_find_the_same_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (text, csv_columns):
        monkeypatch.setattr(module, "MAX_LINE_BYTES", LONG)
    chance = random.Random(88)  # noqa: S311

    for _ in range(FILES):
        sign = chance.choice([",", ";", "|", "\t"])
        pieces = chance.choices(PIECES, k=chance.randint(0, 60))
        body = "".join(pieces).replace(",", sign)
        file = f"{sign.join(HEADER)}\n{body}".encode()
        before, size = chance.randint(1, 9), chance.randint(LONG * 2, 400)
        expected = csv_lines.read_rows(io.BytesIO(file), HEADER, before=before, delimiter=sign)

        found = read_csv(io.BytesIO(file), HEADER, before=before, delimiter=sign, block_bytes=size)

        assert in_order(found) == list(expected), file


def test_small_files_have_the_same_rows_when_they_are_read_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (text, csv_columns):
        monkeypatch.setattr(module, "MAX_LINE_BYTES", LONG)
    chance = random.Random(104)  # noqa: S311

    for _ in range(FILES // 4):
        monkeypatch.setattr(csv_columns, "_SOME_BYTES", chance.randint(1, 200))
        sign = chance.choice([",", ";", "|", "\t"])
        expected, held = [], []
        for _ in range(chance.randint(1, 6)):
            pieces = chance.choices(PIECES, k=chance.randint(0, 30))
            body = "".join(pieces).replace(",", sign)
            file, before = f"{sign.join(HEADER)}\n{body}".encode(), chance.randint(1, 9)
            given = {"before": before, "delimiter": sign}
            expected += csv_lines.read_rows(io.BytesIO(file), HEADER, **given)
            held += csv_columns.small_csv(io.BytesIO(file), HEADER, **given)
        if not held:
            continue

        found = csv_columns.read_together(held, HEADER, sign)

        assert rows_of(found) == expected


def test_a_block_of_blank_lines_is_handed_over_in_batches() -> None:
    file = io.BytesIO(b"a,b,c\n" + b"\n" * (2 * BATCH_ROWS + 1))

    assert [len(rows) for rows in read_csv(file, HEADER)] == [BATCH_ROWS, BATCH_ROWS, 1]


def test_a_line_without_end_is_malformed_and_takes_no_memory() -> None:
    class Endless(io.RawIOBase):
        """A header, a line of 1 GiB, and a row behind it."""

        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += 1
            return b"x" * size if self.given <= 256 else b"x\n1,2,3\n" * (self.given == 257)

        def readline(self, _: int | None = -1) -> bytes:
            return b"a,b,c\n"

    rows = in_order(read_csv(Endless(), HEADER))  # type: ignore[arg-type]

    assert [(row.line, row.values) for row in rows] == [(2, None), (3, ("1", "2", "3"))]
    assert len(rows[0].text) == text.MAX_LINE_BYTES


def test_what_is_plain_is_not_read_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    file = b'a,b,c\n1,2,3\n 4 ,,\xc3\xa9\r\n"5",6,7\n'
    read = []

    def row_of(text: str, number: int, *given: Any, **options: Any) -> LandedRow:
        read.append(number)
        return csv_lines.row_of(text, number, *given, **options)

    monkeypatch.setattr(csv_columns, "row_of", row_of)

    assert len(in_order(read_csv(io.BytesIO(file), HEADER))) == 3
    assert read == [4]
