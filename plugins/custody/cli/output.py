"""What a command prints: results on stdout, for people or as JSON lines; progress on stderr.

Keys and metadata are whatever somebody typed. No character of them reaches a terminal that could
move its cursor, and none of them is read as markup.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import IO, TypeVar

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from custody.core.case.gaps import FoundGap, Gap, not_waived
from custody.core.formats.plain_text import is_plain

T = TypeVar("T")

ROWS_AT_ONCE = 200
"""Rows of one printed table; a longer result is several tables, so that it needs no memory."""

LONGEST_LINE = 100_000
"""Longer than any line: keys, hashes and ARNs are never folded. A terminal folds by itself where it
must, and what is copied out of it is whole."""


def plain(text: object) -> str:
    """The text without any character that cannot be seen, escaped instead."""
    return "".join(
        c if is_plain(c) else c.encode("unicode_escape").decode("ascii") for c in str(text)
    )


class Output:
    """Prints results as they come. `as_json`: one JSON object on a line each."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = _console(sys.stdout, LONGEST_LINE)
        self._err = _console(sys.stderr)
        self._columns = _console(sys.stdout).width if sys.stdout.isatty() else LONGEST_LINE

    def document(self, document: Mapping[str, object]) -> None:
        """One JSON line; nothing for people."""
        if self.as_json:
            print(json.dumps(document, ensure_ascii=True, sort_keys=True))

    def line(self, text: str, style: str = "") -> None:
        """One line for people."""
        if not self.as_json:
            self._out.print(Text(plain(text), style=style), soft_wrap=True)

    def remark(self, text: str) -> None:
        """Something about the check itself, on stderr."""
        self._err.print(Text(f"custody: {plain(text)}"), soft_wrap=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """A table for people, one line a row, printed piece by piece.

        From the first piece on that is too wide for the terminal, each row is a list of its cells.
        """
        if self.as_json:
            return
        fits = True
        for piece in _pieces(rows):
            table = _table(columns, piece)
            fits = fits and self._out.measure(table).maximum <= self._columns
            if fits:
                self._out.print(table)
            else:
                for row in piece:
                    self._out.print(_list(columns, row))

    def tree(self, tree: Tree) -> None:
        """A tree for people, one line a node."""
        if not self.as_json:
            self._out.print(tree)

    def progress(self, items: Iterable[T], what: Callable[[T], str]) -> Iterator[T]:
        """The items, with their number and the latest shown on stderr while that is a terminal."""
        if not self._err.is_terminal:
            yield from items
            return
        columns = (SpinnerColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
                   TextColumn("{task.description}", markup=False))  # fmt: skip
        with Progress(*columns, console=self._err, transient=True) as progress:
            task = progress.add_task("", total=None)
            for item in items:
                progress.update(task, advance=1, description=plain(what(item)))
                yield item


def print_gaps(found: Collection[FoundGap], waived: Collection[Gap], output: Output) -> bool:
    """Tell what is left out, waived or not; whether all of it is waived."""
    open_gaps = not_waived(found, waived)
    for gap in found:
        is_open = gap in open_gaps
        output.document(
            {"kind": "gap", "gap": gap.gap.value, "waived": not is_open, "reason": gap.what}
        )
        output.line(
            f"{'MISSING' if is_open else 'waived'}: {gap}", "bold red" if is_open else "red"
        )
    return not open_gaps


def branch(text: str, style: str = "") -> Text:
    """A node of a tree."""
    return Text(plain(text), style=style)


def _console(stream: IO[str], width: int | None = None) -> Console:
    """A console of this width, else of the terminal's."""
    height = None if width is None else 1  # without one, rich takes a dumb terminal's 80 columns
    return Console(
        file=stream, highlight=False, markup=False, emoji=False, width=width, height=height
    )


def _pieces(rows: Iterable[Sequence[object]]) -> Iterator[list[Sequence[object]]]:
    remaining = iter(rows)
    while piece := list(itertools.islice(remaining, ROWS_AT_ONCE)):
        yield piece


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(plain(cell)) for cell in row))
    return table


def _list(columns: Sequence[str], row: Sequence[object]) -> Text:
    """The cells of a row, one a line, each behind the name of its column."""
    indent = max(map(len, columns)) + 2
    cells = zip(columns, row, strict=True)
    return Text("".join(f"{column:{indent}}{plain(cell)}\n" for column, cell in cells))
