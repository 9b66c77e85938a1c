"""Reading JSON lines: one line is one row, and nothing is lost, invented or guessed."""

from __future__ import annotations

import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.core.datasets.arrays import Array
from custody.core.datasets.columns import Column
from custody.core.datasets.landed.json_lines import read_rows
from custody.core.datasets.landed.nested import Item
from custody.core.datasets.landed.parts import Cut, Part
from custody.core.datasets.landed.text import MAX_LINE_BYTES, LandedRow

COLUMNS = (
    Column("id", "string"),
    Column("n", "decimal(10,2)"),
    Column("on", "date"),
    Column("gift", "boolean", true_values=("yes", "y"), false_values=("no",)),
)


def rows(*lines: str) -> list[LandedRow]:
    return list(read_rows(io.BytesIO("".join(f"{line}\n" for line in lines).encode()), COLUMNS))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"id": "a", "on": "2026-11-01", "gift": true}', ("a", None, "2026-11-01", "yes")),
        ('{"n": 1.50}', (None, "1.50", None, None)),
        ('{"n": "1.50", "id": " a ", "gift": false}', ("a", "1.50", None, "no")),
        ('{"id": "", "n": null, "gift": "y"}', (None, None, None, "y")),
        ("{}", (None, None, None, None)),
        ('{"id": "Zo\\u00eb \\ud83d\\ude00 \\"hi\\", x"}', ('Zoë 😀 "hi", x', None, None, None)),
        ('{"id": "a\\nb"}', ("a\nb", None, None, None)),
        ('{"n": 1e2}', (None, "1e2", None, None)),
        ('{"n": %s}' % ("9" * 5000), (None, "9" * 5000, None, None)),
        (' {"id":"a"} \r', ("a", None, None, None)),
    ],
)  # fmt: skip
def test_a_line_is_a_row(line: str, expected: tuple[str | None, ...]) -> None:
    (row,) = rows(line)

    assert (row.line, row.text, row.values, row.mistyped) == (1, line.rstrip("\r"), expected, ())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "   ",
        "null",
        "1",
        '"a"',
        '[{"id": "a"}]',
        '{"id": "a"} {"id": "b"}',
        '{"id": "a",}',
        "{'id': 'a'}",
        '{"id": "a"',
        '{"id": "a", "id": "a"}',
        '{"id": "a", "unknown": 1}',
        '{"ID": "a"}',
        '{"id": {"a": 1, "a": 2}}',
        '{"n": NaN}',
        '{"n": -Infinity}',
        '{"n": 01}',
        '{"id": "a\tb"}',
        '{"id": "\\u0000"}',
        '{"id": "\\ud800"}',
        '{"\\ud800": 1}',
        '\ufeff{"id": "a"}',
        "[" * 60_000,
        '{"id":' * 8_000,
        '{"id": "' + "x" * MAX_LINE_BYTES + '"}',
    ],
)
def test_or_malformed(line: str) -> None:
    first, last = rows(line, '{"id": "last"}')

    assert (first.values, first.mistyped) == (None, ())
    assert first.text == line[:MAX_LINE_BYTES].strip("\n")
    assert (last.line, last.values) == (2, ("last", None, None, None))


@pytest.mark.parametrize(
    ("line", "mistyped"),
    [
        ('{"id": 1}', (0,)),
        ('{"id": true, "n": false}', (0, 1)),
        ('{"id": ["a"], "n": {}, "on": [], "gift": [true]}', (0, 1, 2, 3)),
        ('{"on": 20261101}', (2,)),
        ('{"gift": 1}', ()),
    ],
)
def test_a_value_of_another_kind_is_not_the_columns(line: str, mistyped: tuple[int, ...]) -> None:
    (row,) = rows(line)

    assert row.mistyped == mistyped
    assert row.values is not None
    assert all(row.values[index] is None for index in mistyped)


@given(st.lists(st.dictionaries(st.sampled_from(["id", "n", "x"]), st.text() | st.integers())))
def test_every_line_is_one_row(found: list[dict[str, object]]) -> None:
    lines = [json.dumps(each, ensure_ascii=False) for each in found]
    lines = [line.encode(errors="replace").decode() for line in lines]

    read = rows(*lines)

    assert [row.line for row in read] == list(range(1, len(lines) + 1))
    for each, row in zip(found, read, strict=True):
        if row.values is not None and isinstance(each.get("n"), int):
            assert row.values[1] == str(each["n"])


@pytest.mark.parametrize("count", [1, 2, 5])
def test_a_part_has_no_header(count: int) -> None:
    body = b"".join(b'{"id": "%d"}\n' % number for number in range(10))
    found = []
    for number in range(count):
        cut = Cut(Part(number, count, len(body)), header=False)
        kept = cut.feed(body)
        found += list(read_rows(io.BytesIO(kept), COLUMNS, before=cut.before))

    assert [(row.line, row.values and row.values[0]) for row in found] == [
        (number + 1, str(number)) for number in range(10)
    ]


ITEMS = Array("items", (Column("sku", "string", pattern="^S[0-9]$"), Column("n", "int")), "Items")


def items_of(text: str) -> tuple[LandedRow, tuple[Item, ...] | None]:
    line = f'{{"id": "a", "items": {text}}}\n'.encode()
    (row,) = read_rows(io.BytesIO(line), COLUMNS, [ITEMS])
    return row, row.items[0] if row.items else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("null", None),
        ("[]", ()),
        ('[{"sku": " S1 ", "n": 1}, {}]', (Item(("S1", "1")), Item((None, None)))),
        ('[{"sku": "S12", "n": "1.5"}]', (Item(("S12", "1.5")),)),
        ('[{"sku": 1, "n": {"sku": "S1"}}]', (Item((None, None), (0, 1)),)),
        ('[{"n": [[[]]]}, {"n": true}]', (Item((None, None), (1,)),) * 2),
        ('[1, "S1", null, [], [{"other": 1}]]', (Item(None),) * 5),
        ('[{"sku": "Zo\\u00eb \\"x\\"\\u2028"}]', (Item(('Zoë "x"', None)),)),
    ],
)
def test_the_items_of_an_array_stand_beside_the_columns(
    text: str, expected: tuple[Item, ...] | None
) -> None:
    row, found = items_of(text)
    assert row.values is not None
    assert (row.values[0], row.mistyped) == ("a", ())
    assert found == expected


@pytest.mark.parametrize("text", ["{}", '"S1"', "1", "true", '{"sku": "S1"}'])
def test_what_is_no_array_is_of_another_kind(text: str) -> None:
    row, found = items_of(text)
    assert (row.mistyped, found) == ((len(COLUMNS),), None)


@pytest.mark.parametrize(
    "text",
    [
        '[{"sku": "S1", "price": 1}]',
        '[{"sku": "S1"}, {"items": []}]',
        '[{"sku": "S1", "sku": "S2"}]',
        '[{"n": NaN}]',
        '[{"sku": "\\u0000"}]',
        '[{"sku": "\\ud800"}]',
        "[" * 5000,
        "[" * 5000 + "]" * 5000,
    ],
)
def test_an_item_that_nobody_can_read_makes_its_row_malformed(text: str) -> None:
    row, _ = items_of(text)
    assert row.values is None


def test_without_its_array_a_contract_knows_no_such_member() -> None:
    (row,) = rows('{"id": "a", "items": []}')
    assert row.values is None
