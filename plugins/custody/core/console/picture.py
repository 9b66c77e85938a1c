"""Hours and layers as a picture: the worst that stands in each, and where nobody has judged."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from custody.core.console.standing import Standing
from custody.core.paging.findings import SEVERITIES
from custody.core.runs.hours import Hour
from custody.core.runs.model import JudgingRun
from custody.core.runs.whole_hours import HOUR

EVERY_LAYER: Final = "all"
"""Names the row of a day that shows the worst of all layers."""

NO_LAYER: Final = "other"
"""Names the row of findings that are of no layer."""

_ORDER: Final = ("bronze", "silver", "gold", "provenance", "trail")


class Shade(StrEnum):
    """What a cell says."""

    AHEAD = "not over yet"
    UNJUDGED = "judged by nobody"
    OPEN = "nothing found, and judged again while events may be late"
    CLOSED = "nothing found"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Cell:
    """An hour of a layer: its shade, and how many findings stand in it."""

    hour: datetime
    shade: Shade
    findings: int = 0
    verdict: str | None = None

    @property
    def place(self) -> str:
        """The hour as a filter of findings takes it."""
        return f"{self.hour:%Y-%m-%dT%H}"


@dataclass(frozen=True, slots=True)
class Row:
    """The hours of a day, of one layer."""

    layer: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Day:
    """A day: the row of every layer together, and one for each layer with a finding."""

    date: date
    rows: tuple[Row, ...]

    @property
    def is_unjudged(self) -> bool:
        """Whether nothing is known of any of its hours."""
        return all(cell.shade is Shade.UNJUDGED for row in self.rows for cell in row.cells)


def stretches(days: Iterable[Day]) -> list[tuple[Day, ...]]:
    """The days in their order, each by itself, but those together of which nothing is known."""
    found: list[tuple[Day, ...]] = []
    for is_unjudged, group in itertools.groupby(days, lambda day: day.is_unjudged):
        together = tuple(group)
        found += [together] if is_unjudged else [(day,) for day in together]
    return found


def layer_of(standing: Standing) -> str:
    """The layer that a finding is shown in."""
    return standing.finding.pipeline_layer or NO_LAYER


def picture(
    judged: Mapping[Hour, JudgingRun],
    found: Iterable[Standing],
    *,
    first: date,
    now: datetime,
    closed: datetime | None,
) -> list[Day]:
    """The days from `first` until `now`, the latest first.

    `judged` are the hours that a run has judged; before `closed` no event is awaited any more
    (None: nobody knows how far that is).
    """
    standing: defaultdict[tuple[str, datetime], list[str]] = defaultdict(list)
    layers: defaultdict[date, set[str]] = defaultdict(set)
    for each in found:
        if each.is_open:
            at = each.finding.event_time.astimezone(UTC)
            hour = at.replace(minute=0, second=0, microsecond=0)
            layers[hour.date()].add(layer_of(each))
            for layer in (EVERY_LAYER, layer_of(each)):
                standing[layer, hour].append(each.finding.verdict)

    def cell(layer: str, hour: datetime) -> Cell:
        verdicts = standing.get((layer, hour), [])
        if verdicts:
            worst = min(verdicts, key=list(SEVERITIES).index)
            return Cell(hour, Shade(SEVERITIES[worst]), len(verdicts), worst)
        if hour + HOUR > now:
            return Cell(hour, Shade.AHEAD)
        if (f"{hour:%Y-%m-%d}", f"{hour:%H}") not in judged:
            return Cell(hour, Shade.UNJUDGED)
        return Cell(hour, Shade.CLOSED if closed and hour + HOUR <= closed else Shade.OPEN)

    days = []
    for number in range((now.astimezone(UTC).date() - first).days, -1, -1):
        day = first + timedelta(days=number)
        midnight = datetime.combine(day, datetime.min.time(), UTC)
        hours = [midnight + n * HOUR for n in range(24)]
        rows = [EVERY_LAYER, *sorted(layers[day], key=_place)]
        days.append(
            Day(day, tuple(Row(layer, tuple(cell(layer, h) for h in hours)) for layer in rows))
        )
    return days


def _place(layer: str) -> tuple[int, str]:
    return (_ORDER.index(layer) if layer in _ORDER else len(_ORDER), layer)
