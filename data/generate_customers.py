#!/usr/bin/env python3
"""Make customers files as three source systems would send them, and say what must become of them.

The same arguments give the same bytes on every machine and Python. Memory does not grow with the
number of rows. Beside the files goes `manifest.json`: for every file, how many rows land, stay in
silver, are duplicates and are rejected for which reasons.
"""

import datetime as dt
import sys
from collections import deque
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from customer_feed.dirt import COLUMNS
from customer_feed.plan import Row, rows_of_day
from feed.accounts import CountedFile, totals
from feed.command import make, parser, positive
from feed.days import days_from, write_days

SEED = 20261101
FIRST_DAY = dt.date(2026, 11, 1)
DAYS = 3
ROWS = 2400
# Who lands a file is the start of its name.
UPLOADERS = ("crm-export", "web-shop", "partner-feed")

# How many lines later a customer comes again in the same file.
_REPEAT_AFTER = 37
# Partners send the line ends RFC 4180 asks for, the others those of their machines.
_CRLF_FROM = "partner-feed"


class _File:
    """One CSV file being written; a customer who comes twice comes again some lines later."""

    def __init__(self, name: str, out: BinaryIO) -> None:
        self._file = CountedFile(out)
        self._end = "\r\n" if name.startswith(_CRLF_FROM) else "\n"
        self._waiting: deque[tuple[int, Row]] = deque()
        self._write(",".join(COLUMNS))

    def add(self, row: Row) -> None:
        if row.repeat:
            self._waiting.append((self._file.landed + _REPEAT_AFTER, row))
            return
        self._put(row)
        while self._waiting and self._waiting[0][0] <= self._file.landed:
            self._put(self._waiting.popleft()[1])

    def finish(self) -> dict[str, Any]:
        """Write what still waits; the manifest's entry for this file."""
        while self._waiting:
            self._put(self._waiting.popleft()[1])
        return self._file.account()

    def _put(self, row: Row) -> None:
        self._file.count(kept=row.kept, reasons=row.reasons)
        self._write(row.line)

    def _write(self, line: str) -> None:
        self._file.write((line + self._end).encode())


@dataclass(frozen=True)
class Order:
    """What to make: days from `first_day` on, and the rows and files of each day."""

    seed: int = SEED
    first_day: dt.date = FIRST_DAY
    days: int = DAYS
    rows: int = ROWS
    files: int = len(UPLOADERS)

    @property
    def names(self) -> tuple[str, ...]:
        """`crm-export.csv, web-shop.csv, partner-feed.csv, crm-export-2.csv, …`"""
        names = []
        for index in range(self.files):
            batch, uploader = divmod(index, len(UPLOADERS))
            names.append(UPLOADERS[uploader] + (f"-{batch + 1}" if batch else "") + ".csv")
        return tuple(names)


def generate(out: Path, order: Order) -> dict[str, Any]:
    """Write the ordered files under `out` and their manifest, which is returned.

    Raises ValueError if `out` holds files that this run would not replace.
    """
    head = {
        "dataset": "customers",
        "made_by": asdict(order) | {"first_day": str(order.first_day)},
    }
    days = days_from(order.first_day, order.days)
    return write_days(
        out, head, days, order.names, lambda folder, day: _write_day(folder, day, order)
    )


def _write_day(directory: Path, day: dt.date, order: Order) -> dict[str, Any]:
    """Write one day's files into `directory`; the manifest's entry for that day."""
    groups: set[tuple[str, str]] = set()
    with ExitStack() as stack:
        written = {
            name: _File(name, stack.enter_context((directory / name).open("wb")))
            for name in order.names
        }
        for row in rows_of_day(
            seed=order.seed,
            day=day,
            first_day=order.first_day,
            rows=order.rows,
            files=order.names,
        ):
            written[row.file].add(row)
            if row.kept:
                groups.add(row.group)
        accounts = {name: file.finish() for name, file in sorted(written.items())}
    return {
        **totals(accounts.values()),
        "gold_rows": len(groups),
        "files": accounts,
    }


def main(argv: list[str]) -> int:
    sample = "The committed sample is: generate_customers.py --out data/customers"
    asked = parser(__doc__, sample, Order())
    asked.add_argument(
        "--files",
        type=positive,
        default=len(UPLOADERS),
        help="files a day, named by uploader in turn (default: %(default)s)",
    )
    return make(asked, argv, generate, Order)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
