"""For an hour the word of the run counts that judged it last, in whatever order they are read."""

from dataclasses import replace
from datetime import date, timedelta

from tests.support.judging_runs import END, RUN

from custody.core.runs.hours import last_judges

HOUR = timedelta(hours=1)
DAY = date(2026, 11, 1)
FIRST = replace(RUN, id="first")  # 04 to 08
NEXT = replace(RUN, id="next", as_of=RUN.as_of + HOUR, start=RUN.start + HOUR, end=END + HOUR)


def judges(*runs):
    return {hour: run.id for hour, run in last_judges(runs, DAY, DAY).items()}


def test_the_last_run_that_judged_an_hour_counts():
    expected = {("2026-11-01", "04"): "first"} | {
        ("2026-11-01", hour): "next" for hour in ("05", "06", "07", "08")
    }
    assert judges(FIRST, NEXT) == judges(NEXT, FIRST) == expected


def test_only_hours_of_the_days_asked_for_count():
    long = replace(RUN, id="long", start=END - 12 * HOUR, end=END + 24 * HOUR)
    found = judges(long)
    assert len(found) == 24
    assert {dt for dt, _ in found} == {"2026-11-01"}
    assert judges() == {}
