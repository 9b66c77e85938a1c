"""What is read on one day, sensor by sensor, and what must become of each row."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from feed.draws import Draws

READINGS = 288
"""A sensor is read every five minutes."""

# In a thousand readings.
_DIRTY = 12
_SENT_TWICE = 8
_DOOR_OPEN = 30
_ON_MAINS = 250  # of sensors

_DIRT: tuple[tuple[str, Any, str], ...] = (
    ("sensor_id", None, "sensor_id.required"),
    ("sensor_id", "  ", "sensor_id.required"),
    ("sensor_id", "42", "sensor_id.pattern"),
    ("sensor_id", "S00\x0042", "row.malformed"),
    ("measured_at", None, "measured_at.required"),
    ("measured_at", dt.timedelta(days=1), "measured_at.not_after_day"),
    ("measured_at", dt.timedelta(microseconds=500_000), "measured_at.type"),
    ("temperature_c", None, "temperature_c.required"),
    ("temperature_c", Decimal("-60.01"), "temperature_c.minimum"),
    ("temperature_c", Decimal("127.50"), "temperature_c.maximum"),
    ("battery_percent", -1, "battery_percent.minimum"),
    ("battery_percent", 255, "battery_percent.maximum"),
    ("is_door_open", None, "is_door_open.required"),
)


class Reading(NamedTuple):
    """One row: its values in the order of the file, and what must become of it."""

    sensor: int
    values: tuple[Any, ...]
    reasons: tuple[str, ...]
    kept: bool


def readings_of_day(seed: int, day: dt.date, rows: int) -> Iterator[Reading]:
    """Exactly `rows` of them; a sensor's follow each other."""
    left, sensor = rows, 0
    while left:
        for reading in _of_sensor(seed, sensor, day):
            yield reading
            left -= 1
            if not left:
                return
        sensor += 1


def _of_sensor(seed: int, sensor: int, day: dt.date) -> Iterator[Reading]:
    draws = Draws(seed, "sensor", day, sensor)
    midnight = dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
    base, mains = draws.below(900) - 200, draws.chance(_ON_MAINS)
    battery = 20 + draws.below(80)
    for number in range(READINGS):
        is_open = draws.chance(_DOOR_OPEN)
        hundredths = base + draws.below(120) + (400 if is_open else 0)
        values: dict[str, Any] = {
            "sensor_id": f"S{sensor:06d}",
            "measured_at": midnight + dt.timedelta(minutes=5 * number),
            "temperature_c": Decimal(hundredths).scaleb(-2),
            "battery_percent": None if mains else battery - number // 144,
            "is_door_open": is_open,
        }
        if draws.chance(_DIRTY):
            name, wrong, reason = draws.one_of(_DIRT)
            values[name] = values[name] + wrong if isinstance(wrong, dt.timedelta) else wrong
            yield Reading(sensor, tuple(values.values()), (reason,), kept=False)
            continue
        yield Reading(sensor, tuple(values.values()), (), kept=True)
        if draws.chance(_SENT_TWICE):
            yield Reading(sensor, tuple(values.values()), (), kept=False)
