"""A second, plain reading of the sensors contract, to check the generator and the jobs against.

It shares no code with either: rules are written out by hand from the contract's text, one row at a
time. Slow and simple on purpose. Needs pyarrow, as the generator does.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from tests.data.fates import Day, Read, fates


def read_day(directory: Path) -> Day:
    """What must become of the files in `directory`, which is named `dt=YYYY-MM-DD`."""
    day = date.fromisoformat(directory.name.removeprefix("dt="))
    files = {path.name: read_file(path, day) for path in sorted(directory.glob("*.parquet"))}
    return fates(files, lambda row: (row.values["sensor_id"], row.values["measured_at"]), said_once)


def said_once(_: Read) -> int:
    """No reading is said later than another: the first stays."""
    return 0


def silver_of(row: Read) -> dict[str, Any]:
    """The values of a good row."""
    return dict(row.values)


def read_file(path: Path, day: date) -> Iterator[Read]:
    """Every row of the file."""
    for number, values in enumerate(pq.ParquetFile(path).read().to_pylist(), start=1):
        sensor = values["sensor_id"]
        if sensor is not None and "\0" in sensor:
            yield Read(path.name, number, {}, frozenset({"row.malformed"}))
            continue
        values["sensor_id"] = (sensor or "").strip() or None
        yield Read(path.name, number, values, frozenset(wrong(values, day)))


def wrong(values: dict[str, Any], day: date) -> Iterator[str]:
    """Every rule the row breaks."""
    for column in ("sensor_id", "measured_at", "temperature_c", "is_door_open"):
        if values[column] is None:
            yield f"{column}.required"
    if values["sensor_id"] and not re.fullmatch("S[0-9]{6}", values["sensor_id"]):
        yield "sensor_id.pattern"
    if (at := values["measured_at"]) is not None:
        if at.microsecond:
            yield "measured_at.type"
        elif at >= datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1):
            yield "measured_at.not_after_day"
    for column, least, most in (("temperature_c", -60, 90), ("battery_percent", 0, 100)):
        if values[column] is not None and not least <= values[column] <= most:
            yield f"{column}.minimum" if values[column] < least else f"{column}.maximum"


def gold_of(kept: Iterable[Read]) -> dict[str, set[tuple[Any, ...]]]:
    """The rows of the table of gold."""
    sensors: dict[str, list[tuple[Decimal, bool]]] = defaultdict(list)
    for row in kept:
        sensors[row.values["sensor_id"]].append(
            (row.values["temperature_c"], row.values["is_door_open"])
        )
    return {
        "temperatures_by_sensor": {
            (
                sensor,
                len(readings),
                min(degrees for degrees, _ in readings),
                max(degrees for degrees, _ in readings),
                sum(is_open for _, is_open in readings),
            )
            for sensor, readings in sensors.items()
        }
    }
