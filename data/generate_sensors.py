#!/usr/bin/env python3
"""Make Parquet files of sensors' readings as partners would send them, and say what must become of
their rows.

The same arguments give the same rows on every machine. Memory does not grow with the number of
rows. Beside the files goes `manifest.json`: for every file, how many rows land, stay in silver, are
duplicates and are rejected for which reasons. Needs pyarrow, as the jobs have it:
.venvs/glue/bin/python. No sample of them is kept.
"""

import datetime as dt
import sys
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from feed.accounts import CountedFile, totals
from feed.command import make, parser, positive
from feed.days import days_from, write_days
from sensor_feed.plan import Reading, readings_of_day

_SCHEMA = pa.schema(
    [
        ("sensor_id", pa.string()),
        ("measured_at", pa.timestamp("us", "UTC")),
        ("temperature_c", pa.decimal128(5, 2)),
        ("battery_percent", pa.int32()),
        ("is_door_open", pa.bool_()),
    ]
)
_GROUP_ROWS = 50_000


@dataclass(frozen=True)
class Order:
    """What to make: days from `first_day` on, and the rows and files of each."""

    seed: int = 20261101
    first_day: dt.date = dt.date(2026, 11, 1)
    days: int = 1
    rows: int = 2_000_000
    files: int = 4

    @property
    def names(self) -> list[str]:
        return [f"partner-feed-{number}.parquet" for number in range(1, self.files + 1)]


class _File:
    """One file being written, a row group at a time."""

    def __init__(self, out: BinaryIO) -> None:
        self._file = CountedFile(out)
        self._rows: list[Reading] = []
        self._writer = pq.ParquetWriter(pa.PythonFile(_Sink(self._file), "w"), _SCHEMA)

    def add(self, reading: Reading) -> None:
        self._file.count(kept=reading.kept, reasons=reading.reasons)
        self._rows.append(reading)
        if len(self._rows) == _GROUP_ROWS:
            self._write()

    def finish(self) -> dict[str, Any]:
        """Write what is left; the manifest's entry for this file."""
        self._write()
        self._writer.close()
        return self._file.account()

    def _write(self) -> None:
        if not self._rows:
            return
        values = zip(*(reading.values for reading in self._rows), strict=True)
        columns = [pa.array(of, kind) for of, kind in zip(values, _SCHEMA.types, strict=True)]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=_SCHEMA))
        self._rows = []


class _Sink:
    """What Arrow writes to, counted on its way."""

    closed = False

    def __init__(self, file: CountedFile) -> None:
        self._file = file
        self._at = 0

    def write(self, data: Any) -> int:
        self._file.write(bytes(data))
        self._at += len(data)
        return len(data)

    def tell(self) -> int:
        return self._at

    def flush(self) -> None:
        """Nothing is held back."""


def generate(out: Path, order: Order) -> dict[str, Any]:
    """Write the ordered files under `out` and their manifest, which is returned.

    Raises ValueError if `out` holds files that this run would not replace.
    """
    head = {"dataset": "sensors", "made_by": asdict(order) | {"first_day": str(order.first_day)}}
    days = days_from(order.first_day, order.days)
    return write_days(
        out, head, days, order.names, lambda folder, day: _write_day(folder, day, order)
    )


def _write_day(directory: Path, day: dt.date, order: Order) -> dict[str, Any]:
    """Write one day's files into `directory`; the manifest's entry for that day."""
    sensors = set()
    with ExitStack() as stack:
        written = [
            _File(stack.enter_context((directory / name).open("wb"))) for name in order.names
        ]
        for reading in readings_of_day(order.seed, day, order.rows):
            written[reading.sensor % order.files].add(reading)
            if reading.kept:
                sensors.add(reading.sensor)
        accounts = {name: file.finish() for name, file in zip(order.names, written, strict=True)}
    return {
        **totals(accounts.values()),
        "gold_rows": {"temperatures_by_sensor": len(sensors)},
        "files": accounts,
    }


def main(argv: list[str]) -> int:
    asked = parser(__doc__, "No sample is kept: make one where you need it.", Order())
    asked.add_argument(
        "--files", type=positive, default=Order().files, help="files a day (default: %(default)s)"
    )
    return make(asked, argv, generate, Order)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
