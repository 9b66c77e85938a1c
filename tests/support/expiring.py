"""A day that was built again and again: what was published of it, and that a run of it expires."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from custody.core.lineage.model import Run
from custody.core.publications.expiry import (
    DayAtRest,
    Expiry,
    RunAtRest,
    publications_at_rest,
)
from custody.core.publications.model import Asked, Publication, Shown, Why

DT = "2026-11-01"
PLACES = {
    "silver_customers": f"s3://processed/silver/customers/dt={DT}/",
    "silver_customers_files": f"s3://processed/files/customers/dt={DT}/",
}
BUILT = datetime(2026, 11, 2, 4, tzinfo=UTC)
DAY = timedelta(days=1)
RETENTION = 90 * DAY
EXPIRED = BUILT + 100 * DAY
"""When what was built and replaced on the first day is expired."""


def publication(number: int, run: str) -> Publication:
    shown = tuple(Shown(table, run, f"{place}run={run}/") for table, place in PLACES.items())
    asked = Asked("a", 0, None, None)
    return Publication("customers", DT, number, "t", Why.BUILD, asked, shown)


def published(*runs: str, at: tuple[datetime, ...] = ()) -> DayAtRest:
    """The day's publications, an hour after each other, or as of these times."""
    times = at or tuple(BUILT + timedelta(hours=n) for n in range(len(runs)))
    return DayAtRest(
        publications_at_rest(
            (publication(n, run), when, True)
            for n, (run, when) in enumerate(zip(runs, times, strict=True), start=1)
        )
    )


def lying(run: str, *, at: datetime = BUILT) -> RunAtRest:
    places = tuple(sorted(f"{place}run={run}/" for place in PLACES.values()))
    return RunAtRest(Run(DT, run), places, at, "ab" * 32)


def expiry(run: str = "jr_1", *, instead: int = 2, at: datetime = EXPIRED) -> Expiry:
    one = lying(run)
    key = publication(instead, "x").key
    return Expiry(one.run, "customers", one.locations, one.listing, key, at, RETENTION)
