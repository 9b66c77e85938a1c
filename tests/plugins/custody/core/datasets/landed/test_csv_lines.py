"""Reading landed files: one line is one row, and nothing is lost, invented or guessed."""

from __future__ import annotations

import csv
import io
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.core.datasets.landed.csv_lines import read_rows
from custody.core.datasets.landed.text import (
    MAX_LINE_BYTES,
    BrokenFileError,
    LandedRow,
    TextCheck,
)

HEADER = ("a", "b")


def rows(body: str | bytes) -> list[LandedRow]:
    data = body.encode() if isinstance(body, str) else body
    return list(read_rows(io.BytesIO(b"a,b\n" + data), HEADER))


def values(body: str) -> list[tuple[str | None, ...] | None]:
    return [row.values for row in rows(body)]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1,2", ("1", "2")),
        ("1,", ("1", None)),
        (",", (None, None)),
        ("  1 ,\u00a02\t", ("1", "2")),
        ('"1,5",2', ("1,5", "2")),
        ('"say ""hi""",2', ('say "hi"', "2")),
        ('"",2', (None, "2")),
        ("Zoë,北京", ("Zoë", "北京")),
        ("'1',2", ("'1'", "2")),
        ("1", None),
        ("1,2,3", None),
        ("", None),
        ("   ", None),
        ('"1,2', None),
        ('1",2', None),
        ('"1"x,2', None),
        (' "1",2', None),
        ('""",2', None),
        ("1\r2,3", None),
    ],
)
def test_a_line_is_a_row_or_malformed(line: str, expected: tuple[str | None, ...] | None) -> None:
    found = rows(f"{line}\nlast,row\n")

    assert [row.values for row in found] == [expected, ("last", "row")]
    assert [row.line for row in found] == [2, 3]
    assert found[0].text == line


def test_line_ends_of_any_kind_and_none_at_the_end() -> None:
    assert values("1,2\r\n3,4\n5,6") == [("1", "2"), ("3", "4"), ("5", "6")]


def test_a_blank_line_is_a_row_to_be_accounted_for() -> None:
    assert values("1,2\n\n\n") == [("1", "2"), None, None]


@pytest.mark.parametrize("excess", [-1, 0, 1, MAX_LINE_BYTES, 3 * MAX_LINE_BYTES])
@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_a_line_is_held_up_to_its_limit_only(excess: int, end: str) -> None:
    line = "é" * ((MAX_LINE_BYTES + excess - 2) // 2)
    line = f"{line},{'x' * (MAX_LINE_BYTES + excess - len(line.encode()) - 1)}"
    assert len(line.encode()) == MAX_LINE_BYTES + excess

    found = rows(f"{line}{end}" + ("3,4" if end else ""))

    assert (found[0].values is None) == (excess > 0)
    assert len(found[0].text.encode()) <= MAX_LINE_BYTES + 2  # a cut character becomes U+FFFD
    assert [row.values for row in found[1:]] == ([("3", "4")] if end else [])


@pytest.mark.parametrize(
    "header", ["", "a", "a,b,c", "b,a", "A,B", "a, b", "\ufeffa,b", "a;b", "\n", '"a,b']
)
def test_another_header_breaks_the_file(header: str) -> None:
    with pytest.raises(BrokenFileError) as broken:
        list(read_rows(io.BytesIO(f"{header}\n1,2\n".encode()), HEADER))
    assert broken.value.code == "file.header"
    assert "expected 'a,b'" in broken.value.detail


def test_a_header_may_be_quoted_and_alone() -> None:
    assert list(read_rows(io.BytesIO(b'"a","b"'), HEADER)) == []


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\0")),
            min_size=2,
            max_size=2,
        )
    )
)
def test_reads_what_a_csv_writer_wrote(table: list[list[str]]) -> None:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(table)

    assert values(written.getvalue()) == [
        tuple(field.strip() or None for field in row) for row in table
    ]


@given(st.lists(st.text(st.sampled_from('a,"\r \t'), max_size=12), max_size=8))
def test_whatever_a_line_holds_every_line_is_one_row(lines: list[str]) -> None:
    found = rows("".join(f"{line}\n" for line in lines))

    assert [row.line for row in found] == list(range(2, len(lines) + 2))


def check(data: bytes, size: int) -> None:
    text = TextCheck("file.not_csv")
    for start in range(0, len(data), size):
        text.feed(data[start : start + size])
    text.finish()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"Zo\xc3\xab,\xe5\x8c\x97\xe4\xba\xac\n", None),
        (b"a,b\n1,\x002\n", "a NUL byte at offset 6"),
        (b"a,b\nZo\xeb,2\n", "not UTF-8 at offset 6"),
        (b"a,b\n1,2\xc3", "not UTF-8 at offset 7"),
        (b"\xff\xfea\x00", "not UTF-8 at offset 0"),
    ],
)
def test_tells_text_from_other_bytes_however_they_arrive(
    size: int, data: bytes, detail: str | None
) -> None:
    if detail is None:
        check(data, size)
        return
    with pytest.raises(BrokenFileError) as broken:
        check(data, size)
    assert broken.value.code == "file.not_csv"
    if b"\0" not in data or size < 3 or detail.startswith("a NUL"):
        assert broken.value.detail == detail


def test_a_file_without_bytes_is_empty() -> None:
    with pytest.raises(BrokenFileError) as broken:
        check(b"", 1)
    assert broken.value.code == "file.empty"


@given(st.binary())
def test_the_verdict_is_that_of_the_whole(data: bytes) -> None:
    try:
        data.decode()
        expected = bool(data) and b"\0" not in data
    except UnicodeDecodeError:
        expected = False

    for size in (1, 4, 1000):
        try:
            check(data, size)
        except BrokenFileError:
            assert not expected
        else:
            assert expected


def test_a_broken_file_travels_between_processes() -> None:
    error = pickle.loads(pickle.dumps(BrokenFileError("file.header", "found 'x'")))  # noqa: S301

    assert (error.code, error.detail, str(error)) == (
        "file.header",
        "found 'x'",
        "file.header: found 'x'",
    )


@pytest.mark.parametrize("delimiter", [";", "|", "\t"])
def test_another_sign_may_stand_between_fields(delimiter: str) -> None:
    body = '1,5;"a;""b"\n;\n1\n;;\n"a"b;c\n\n'.replace(";", delimiter)

    found = list(
        read_rows(io.BytesIO(f"a{delimiter}b\n{body}".encode()), HEADER, delimiter=delimiter)
    )

    assert [row.values for row in found] == [
        ("1,5", f'a{delimiter}"b'),
        (None, None),
        *[None] * 4,
    ]
