"""Rows in columns, as they are read and before they are judged: texts, whatever the format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, Final, TypeAlias

import pyarrow as pa

from custody.core.datasets.landed.nested import Item
from custody.core.datasets.landed.text import LandedRow

BATCH_BYTES: Final = 4 * 1024 * 1024
BATCH_ROWS: Final = 16_384
"""What is judged at once, about: many rows, as each rule costs a call, and little memory."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of a file, in columns of Arrow.

    `lines` count from 1 at the file's first, `texts` are the lines as they came (their ends may be
    with them). `columns` are the trimmed texts of the contract's columns, null where there is none,
    and of a malformed line. `mistyped` tells of a column, by its index, in which rows its value is
    of a kind that its type does not allow (and null); behind the columns come the arrays, whose
    `items` these are.
    """

    lines: Any
    texts: Any
    columns: tuple[Any, ...]
    malformed: Any
    mistyped: Mapping[int, Any]
    items: tuple[Items, ...] = ()

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def nbytes(self) -> int:
        """About what it takes of the memory."""
        return int(sum(array.nbytes for array in (self.texts, *self.columns)))

    def part(self, begin: int, end: int) -> Rows:
        """Those from `begin` to before `end`; copied, for `if_else` of Arrow 22 spoils the texts of
        slices."""
        rows = self.taken(range(begin, end))
        return replace(rows, items=tuple(of.part(begin, end) for of in self.items))

    def taken(self, indices: Iterable[int]) -> Rows:
        """Those at some indices, in this order, without their items."""
        places = pa.array(indices, pa.int64())
        return Rows(
            self.lines.take(places),
            self.texts.take(places),
            tuple(column.take(places) for column in self.columns),
            self.malformed.take(places),
            {index: of.take(places) for index, of in self.mistyped.items()},
        )


@dataclass(frozen=True, slots=True)
class Items:
    """The items of one array: how many each row has (null: it has no array), and they themselves.

    As rows they are on the `lines` of their positions, from 1; what is no object is malformed.
    """

    counts: Any
    rows: Rows

    def part(self, begin: int, end: int) -> Items:
        """Those of the rows from `begin` to before `end`."""
        before = sum(filter(None, self.counts[:begin].to_pylist()))
        here = sum(filter(None, self.counts[begin:end].to_pylist()))
        counts = self.counts.take(pa.array(range(begin, end), pa.int64()))
        return Items(counts, self.rows.part(before, before + here))


@dataclass(frozen=True, slots=True)
class Lines:
    """Some rows of a small file, as its lines: of many such files they are read at once. The first
    has `before` lines of the file before it."""

    lines: Sequence[bytes]
    before: int

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def nbytes(self) -> int:
        """How long they are."""
        return sum(map(len, self.lines))

    def part(self, begin: int, end: int) -> Lines:
        """Those from `begin` to before `end`."""
        return Lines(self.lines[begin:end], self.before + begin)


Read: TypeAlias = Rows | Lines | Sequence[LandedRow]
"""Some rows of a file: in columns, not read yet, or one by one."""


def of_landed(rows: Sequence[LandedRow], widths: Sequence[int]) -> Rows:
    """Rows that were read one by one; `widths` says how many columns they have, and the items of
    each of their arrays."""
    width, *of_arrays = widths
    nothing = (None,) * len(of_arrays)
    arrays = zip(*(row.items or nothing for row in rows), strict=True)
    return Rows(
        pa.array([row.line for row in rows], pa.int32()),
        pa.array([row.text for row in rows], pa.string()),
        *_columns([row.values for row in rows], [row.mistyped for row in rows], width),
        tuple(_items(of, width) for of, width in zip(arrays, of_arrays, strict=True)),
    )


def _columns(
    values: Sequence[Sequence[str | None] | None], mistyped: Sequence[Sequence[int]], width: int
) -> tuple[tuple[Any, ...], Any, Mapping[int, Any]]:
    """Columns, malformed and mistyped."""
    nothing = (None,) * width
    columns = zip(*(row or nothing for row in values), strict=True) if values else [()] * width
    return (
        tuple(pa.array(column, pa.string()) for column in columns),
        pa.array([row is None for row in values], pa.bool_()),
        {
            index: pa.array([index in of for of in mistyped], pa.bool_())
            for index in sorted(set(chain.from_iterable(mistyped)))
        },
    )


def _items(of_rows: Sequence[Sequence[Item] | None], width: int) -> Items:
    items = [item for of in of_rows for item in of or ()]
    positions = [position for of in of_rows for position in range(1, len(of or ()) + 1)]
    rows = Rows(
        pa.array(positions, pa.int32()),
        pa.nulls(len(items), pa.string()),
        *_columns([item.values for item in items], [item.mistyped for item in items], width),
    )
    return Items(pa.array([None if of is None else len(of) for of in of_rows], pa.int32()), rows)


def in_lists(rows: Iterable[LandedRow]) -> Iterator[Sequence[LandedRow]]:
    """The same rows, as many in a list as are judged at once; there may be any number of them."""
    held: list[LandedRow] = []
    count = size = 0
    for row in rows:
        held.append(row)
        count += 1
        if row.items:
            count += sum(len(items or ()) for items in row.items)
        size += len(row.text)
        if count >= BATCH_ROWS or size >= BATCH_BYTES:
            yield held
            held, count, size = [], 0, 0
    if held:
        yield held


def together(parts: Sequence[Rows]) -> Rows:
    """One of several."""
    if len(parts) == 1:
        return parts[0]
    found = sorted(set(chain.from_iterable(part.mistyped for part in parts)))
    return Rows(
        pa.concat_arrays([part.lines for part in parts]),
        pa.concat_arrays([part.texts for part in parts]),
        tuple(map(pa.concat_arrays, zip(*(part.columns for part in parts), strict=True))),
        pa.concat_arrays([part.malformed for part in parts]),
        {
            index: pa.concat_arrays([part.mistyped.get(index, no(len(part))) for part in parts])
            for index in found
        },
        tuple(
            Items(pa.concat_arrays([one.counts for one in of]), together([one.rows for one in of]))
            for of in zip(*(part.items for part in parts), strict=True)
        ),
    )


def no(rows: int) -> Any:
    """That something is so of none of as many rows."""
    return pa.repeat(pa.scalar(value=False), rows)
