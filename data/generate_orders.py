#!/usr/bin/env python3
"""Make files of orders as a web shop and its partners would send them, and say what must become of
their lines.

The same arguments give the same bytes on every machine and Python. Memory does not grow with the
number of rows. Beside the files goes `manifest.json`: for every file, how many rows land, stay in
silver, are duplicates and are rejected for which reasons, and how many lines of orders stay. The
customers are those of
generate_customers.py with the same seed and first day.
"""

import datetime as dt
import sys
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from feed.accounts import CountedFile, totals
from feed.command import make, parser, positive
from feed.days import days_from, write_days
from order_feed.plan import lines_of_day, names_of


@dataclass(frozen=True)
class Order:
    """What to make: days from `first_day` on, the rows of each, and how many hours are a file."""

    seed: int = 20261101
    first_day: dt.date = dt.date(2026, 11, 1)
    days: int = 1
    rows: int = 900
    hours: int = 6


def generate(out: Path, order: Order) -> dict[str, Any]:
    """Write the ordered files under `out` and their manifest, which is returned.

    Raises ValueError if `out` holds files that this run would not replace.
    """
    head = {"dataset": "orders", "made_by": asdict(order) | {"first_day": str(order.first_day)}}
    days, names = days_from(order.first_day, order.days), names_of(order.hours)
    return write_days(out, head, days, names, lambda folder, day: _write_day(folder, day, order))


def _write_day(directory: Path, day: dt.date, order: Order) -> dict[str, Any]:
    """Write one day's files into `directory`; the manifest's entry for that day."""
    states: set[str] = set()
    products: set[str] = set()
    items: Counter[str] = Counter()
    with ExitStack() as stack:
        written = {
            name: CountedFile(stack.enter_context((directory / name).open("wb")))
            for name in names_of(order.hours)
        }
        for line in lines_of_day(
            seed=order.seed,
            day=day,
            first_day=order.first_day,
            rows=order.rows,
            hours=order.hours,
        ):
            file = written[line.file]
            file.count(kept=line.kept, reasons=line.reasons)
            file.write(line.text.encode() + b"\n")
            if line.kept:
                items[line.file] += len(line.products)
                states.add(line.status)
                products.update(line.products if line.status != "cancelled" else ())
        accounts = {
            name: file.account() | {"lines_rows": items[name]}
            for name, file in sorted(written.items())
        }
    return {
        **totals(accounts.values()),
        "gold_rows": {"orders_by_status": len(states), "orders_by_product": len(products)},
        "files": accounts,
    }


def main(argv: list[str]) -> int:
    sample = "The committed sample is: generate_orders.py --out data/orders"
    asked = parser(__doc__, sample, Order())
    asked.add_argument(
        "--hours",
        type=positive,
        default=Order().hours,
        help="hours between two files of the web shop (default: %(default)s)",
    )
    return make(asked, argv, generate, Order)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
