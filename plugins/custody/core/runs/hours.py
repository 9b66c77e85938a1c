"""Which run's word counts for an hour: that of the last one that judged it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from custody.core.runs.model import JudgingRun
from custody.core.runs.whole_hours import HOUR

Hour = tuple[str, str]
"""An hour, as the values of a partition: `dt` and `hour`."""


def last_judges(runs: Iterable[JudgingRun], first: date, last: date) -> Mapping[Hour, JudgingRun]:
    """For each hour of these days that any of `runs` judged, the run that did so last."""
    begin, end = (datetime.combine(day, datetime.min.time(), UTC) for day in (first, last))
    end += timedelta(days=1)
    found: dict[Hour, JudgingRun] = {}
    for run in sorted(runs, key=lambda run: (run.as_of, run.id)):
        hour = max(run.start, begin)
        while hour < min(run.end, end):
            found[f"{hour:%Y-%m-%d}", f"{hour:%H}"] = run
            hour += HOUR
    return found
