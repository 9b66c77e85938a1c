"""Files that come late have their day built again, once, and overrule nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from custody.core.publications.late import LateDay, is_looked_at, late_day
from custody.core.publications.model import Asked, Publication, Shown, Why
from custody.objects import ObjectVersion

NOW = datetime(2026, 11, 4, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
READ, LATE, LATER = (
    ObjectVersion("raw", f"incoming/customers/dt=2026-11-01/{name}.csv", "v1")
    for name in ("read", "late", "later")
)
PUBLISHED = Publication(
    "customers",
    "2026-11-01",
    1,
    "2026-11-02T03:30:00.000Z",
    Why.BUILD,
    Asked("scheduled__1", 0, None, None),
    (Shown("silver_customers", "jr_1", "s3://x/run=jr_1/"),),
)
HOURS_AGO = NOW - timedelta(hours=3)


def late(publication: Publication = PUBLISHED, **landed: datetime) -> LateDay | None:
    named = {"read": READ, "late": LATE, "later": LATER}
    return late_day(publication, {named[n]: at for n, at in landed.items()}, [READ], NOW)


def test_a_day_is_built_again_for_what_its_run_has_not_read() -> None:
    assert late(read=HOURS_AGO) is None
    found = late(read=HOURS_AGO, late=HOURS_AGO, later=HOURS_AGO)
    assert found == LateDay("customers", "2026-11-01", frozenset({LATE, LATER}))


def test_while_files_land_it_is_not_begun() -> None:
    """A file that was read before and lands anew is one of them."""
    assert late(late=HOURS_AGO, later=NOW - 9 * MINUTE) is None
    assert late(late=HOURS_AGO, later=NOW - 10 * MINUTE) is not None
    assert late(late=HOURS_AGO, read=NOW) is not None


def test_what_somebody_rolled_back_stays_so() -> None:
    assert late(replace(PUBLISHED, why=Why.ROLLBACK), late=HOURS_AGO) is None


def test_the_same_files_are_one_run() -> None:
    one, again, more = late(late=HOURS_AGO), late(late=NOW - 20 * MINUTE), late(later=HOURS_AGO)
    assert one
    assert again
    assert more
    assert one.run_id == again.run_id != more.run_id
    assert one.run_id.startswith("late__2026-11-01__")


@pytest.mark.parametrize(
    ("dt", "looked_at"),
    [("2026-10-31", True), ("2026-10-01", True), ("2026-09-30", False), ("2026-13-01", False)],
)
def test_days_of_long_ago_are_for_people(dt: str, looked_at: bool) -> None:
    assert is_looked_at(dt, date(2026, 11, 1)) is looked_at
