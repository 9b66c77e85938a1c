#!/usr/bin/env python3
"""Make customers files as three source systems would send them, and say what must become of them.

The same arguments give the same bytes on every machine and Python. Memory does not grow with the
number of rows. Beside the files goes `manifest.json`: for every file, how many rows land, stay in
silver, are duplicates and are rejected for which reasons.
"""

import argparse
import datetime as dt
import hashlib
import json
import sys
from collections import Counter, deque
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from customer_feed.dirt import COLUMNS
from customer_feed.plan import Row, rows_of_day

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
    """One CSV file being written, and the account of its rows."""

    def __init__(self, name: str, out: BinaryIO) -> None:
        self._out = out
        self._end = "\r\n" if name.startswith(_CRLF_FROM) else "\n"
        self._sha256 = hashlib.sha256()
        self._size = 0
        self._landed = 0
        self._kept = 0
        self._duplicates = 0
        self._rejected = 0
        self._reasons: Counter[str] = Counter()
        self._waiting: deque[tuple[int, Row]] = deque()
        self._write(",".join(COLUMNS))

    def add(self, row: Row) -> None:
        if row.repeat:
            self._waiting.append((self._landed + _REPEAT_AFTER, row))
            return
        self._put(row)
        while self._waiting and self._waiting[0][0] <= self._landed:
            self._put(self._waiting.popleft()[1])

    def finish(self) -> dict[str, Any]:
        """Write what still waits; the manifest's entry for this file."""
        while self._waiting:
            self._put(self._waiting.popleft()[1])
        return {
            "sha256": self._sha256.hexdigest(),
            "size_bytes": self._size,
            "landed_rows": self._landed,
            "silver_rows": self._kept,
            "duplicate_rows": self._duplicates,
            "quarantined_rows": self._rejected,
            "quarantined_by_reason": dict(sorted(self._reasons.items())),
        }

    def _put(self, row: Row) -> None:
        self._landed += 1
        if row.kept:
            self._kept += 1
        elif row.reasons:
            self._rejected += 1
            self._reasons.update(row.reasons)
        else:
            self._duplicates += 1
        self._write(row.line)

    def _write(self, line: str) -> None:
        data = (line + self._end).encode()
        self._sha256.update(data)
        self._size += len(data)
        self._out.write(data)


@dataclass(frozen=True)
class Order:
    """What to make: days from `first_day` on, and the rows and files of each day."""

    seed: int = SEED
    first_day: dt.date = FIRST_DAY
    days: int = DAYS
    rows: int = ROWS
    files: int = len(UPLOADERS)

    @property
    def all_days(self) -> list[dt.date]:
        return [self.first_day + dt.timedelta(days=n) for n in range(self.days)]

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

    Raises ValueError if `out` holds CSV files that this run would not replace: the manifest
    would not tell of them.
    """
    ours = {out / f"dt={day}" / name for day in order.all_days for name in order.names}
    if strangers := sorted(set(out.glob("dt=*/*.csv")) - ours):
        raise ValueError(f"{out} holds other files, such as {strangers[0]}: remove them first")
    manifest = {
        "dataset": "customers",
        "made_by": asdict(order) | {"first_day": str(order.first_day)},
        "days": {str(day): _write_day(out / f"dt={day}", day, order) for day in order.all_days},
    }
    (out / "manifest.json").write_bytes(json.dumps(manifest, indent=2).encode() + b"\n")
    return manifest


def _write_day(directory: Path, day: dt.date, order: Order) -> dict[str, Any]:
    """Write one day's files into `directory`; the manifest's entry for that day."""
    directory.mkdir(parents=True, exist_ok=True)
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
    totals = ("landed_rows", "silver_rows", "duplicate_rows", "quarantined_rows")
    return {
        **{total: sum(account[total] for account in accounts.values()) for total in totals},
        "gold_rows": len(groups),
        "files": accounts,
    }


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="The committed sample is: generate_customers.py --out data/customers",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for dt=…/<file>.csv")
    parser.add_argument("--seed", type=int, default=SEED, help="which world (default: %(default)s)")
    parser.add_argument(
        "--first-day",
        type=dt.date.fromisoformat,
        default=FIRST_DAY,
        metavar="YYYY-MM-DD",
        help="day of the first files (default: %(default)s)",
    )
    parser.add_argument(
        "--days", type=_positive, default=DAYS, help="days of files (default: %(default)s)"
    )
    parser.add_argument(
        "--rows", type=_positive, default=ROWS, help="rows a day (default: %(default)s)"
    )
    parser.add_argument(
        "--files",
        type=_positive,
        default=len(UPLOADERS),
        help="files a day, named by uploader in turn (default: %(default)s)",
    )
    arguments = vars(parser.parse_args(argv))
    try:
        manifest = generate(arguments.pop("out"), Order(**arguments))
    except (OSError, ValueError, OverflowError) as error:
        parser.error(str(error))
    for day, account in manifest["days"].items():
        print(
            f"{day}: {account['landed_rows']} rows in {len(account['files'])} files: "
            f"{account['silver_rows']} to keep, {account['duplicate_rows']} duplicates, "
            f"{account['quarantined_rows']} to reject"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
