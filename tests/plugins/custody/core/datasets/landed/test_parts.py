"""However a file is parted, and in whatever chunks it comes, every line is in one part."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.core.datasets.landed.csv_lines import read_rows
from custody.core.datasets.landed.parts import MIN_PART_BYTES, Cut, Part, parts_of
from custody.core.datasets.landed.text import MAX_LINE_BYTES, BrokenFileError

HEADER = ("a", "b")
LINES = st.lists(st.sampled_from(["1,2", "", "ä,ö", "x" * 40, '"1,2', "\r", "1,2,3"]), max_size=20)


def rows(body: bytes, count: int, chunk: int) -> list[list[tuple[object, ...]]]:
    """The rows that each part's reader finds."""
    found = []
    for number in range(count):
        cut = Cut(Part(number, count, len(body)))
        pieces = [body[at : at + chunk] for at in range(0, len(body), chunk)]
        file = io.BytesIO(b"".join([cut.feed(piece) for piece in pieces]))
        read = read_rows(file, HEADER, before=cut.before)
        found.append([(row.line, row.text, row.values) for row in read])
    return found


@given(LINES, st.integers(1, 6), st.integers(1, 50), st.sampled_from(["", "\n", "\r\n"]))
def test_every_line_is_read_by_one_reader(
    lines: list[str], count: int, chunk: int, end: str
) -> None:
    body = "\n".join(["a,b", *lines]).encode() + end.encode()
    (whole,) = rows(body, 1, len(body))

    parts = rows(body, count, chunk)

    assert [row for part in parts for row in part] == whole
    assert [row[0] for row in whole] == list(range(2, len(whole) + 2))


@pytest.mark.parametrize(
    "header", [b"a,b\r", b"a" * MAX_LINE_BYTES, b"b,a", b"a" * 3 * MAX_LINE_BYTES]
)
@pytest.mark.parametrize("more", [b"", b"\r", b"\r\r", b"x"])
def test_every_reader_thinks_the_same_of_the_header(header: bytes, more: bytes) -> None:
    """Else the rows of one part would be lost."""
    body = header + more + b"\n1,2\n3,4\n" + b"5,6\n" * 100_000

    def verdict(number: int, count: int) -> str:
        cut = Cut(Part(number, count, len(body)))
        file = io.BytesIO(b"".join([cut.feed(body[:1000]), cut.feed(body[1000:])]))
        try:
            next(read_rows(file, HEADER, before=cut.before))
        except BrokenFileError as error:
            return str(error)
        return "good"

    assert {verdict(number, 3) for number in range(3)} == {verdict(0, 1)}


def test_only_what_is_more_than_a_readers_share_is_parted() -> None:
    share = MIN_PART_BYTES

    assert [len(parts) for parts in parts_of([share] * 12, 2)] == [1] * 12
    assert [len(parts) for parts in parts_of([0, 10 * share], 4)] == [1, 4]
    assert [len(parts) for parts in parts_of([share // 2], 4)] == [1]
    assert [len(parts) for parts in parts_of([share * 8, 1, 1], 8)] == [8, 1, 1]
    assert parts_of([share * 2], 2) == [[Part(0, 2, share * 2), Part(1, 2, share * 2)]]


def test_the_parts_of_a_file_lie_side_by_side() -> None:
    parts = [Part(number, 3, 100) for number in range(3)]

    assert [(part.begin, part.end) for part in parts] == [(0, 33), (33, 66), (66, float("inf"))]
