"""Each hour says the worst that stands in it, and a gap is a gap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.support.consoles import FIRST, NOW, read_run, removed, run, shown
from tests.support.findings import finding

from custody.core.console.picture import EVERY_LAYER, Cell, Shade, picture, stretches
from custody.core.console.standing import standing_findings
from custody.core.paging.findings import SEVERITIES


def cells(*hours: int, layer: str = EVERY_LAYER, **more: object) -> list[Cell]:
    (today, _) = shown(read_run(8), read_run(12, removed(), finding("ALTERED")), **more).days
    (row,) = [row for row in today.rows if row.layer == layer]
    return [row.cells[hour] for hour in hours]


def test_an_hour_that_nobody_judged_is_a_gap() -> None:
    overview = shown(read_run(8), read_run(12, hours=2))
    (row,) = overview.days[0].rows
    shades = [cell.shade for cell in row.cells]
    assert shades == (
        [Shade.UNJUDGED] * 4 + [Shade.OPEN] * 4 + [Shade.UNJUDGED] * 2 + [Shade.OPEN] * 2
        + [Shade.AHEAD] * 12
    )  # fmt: skip
    assert {cell.shade for cell in overview.days[1].rows[0].cells} == {Shade.UNJUDGED}


def test_an_hour_is_closed_once_no_event_is_awaited() -> None:
    closed = datetime(2026, 11, 1, 5, tzinfo=UTC)
    assert [cell.shade for cell in cells(4, 5, closed=closed)] == [Shade.CLOSED, Shade.OPEN]


def test_the_worst_that_stands_gives_the_colour() -> None:
    (cell,) = cells(6)
    assert (cell.shade, cell.findings, cell.verdict) == (Shade.CRITICAL, 2, "ALTERED")
    assert cell.place == "2026-11-01T06"


def test_every_severity_has_its_shade() -> None:
    assert set(SEVERITIES.values()) <= {shade.value for shade in Shade}


def test_a_layer_has_a_row_where_something_stands_in_it() -> None:
    trail = finding("TRAIL_BROKEN", pipeline_layer="trail", object_key="l")
    lost = removed(pipeline_layer=None)
    found = standing_findings([read_run(12, trail, removed("b"), lost)]).values()
    (today, before) = picture({}, found, first=FIRST, now=NOW, closed=None)
    assert [row.layer for row in today.rows] == [EVERY_LAYER, "bronze", "trail", "other"]
    assert [row.layer for row in before.rows] == [EVERY_LAYER]


def test_what_is_resolved_colours_nothing() -> None:
    unrecorded = finding("UNRECORDED")
    overview = shown(
        read_run(8, unrecorded),
        read_run(9, finding("VERIFIED"), watched=(unrecorded.fingerprint,)),
    )
    assert overview.days[0].rows[0].cells[6].shade is Shade.OPEN


def test_the_audit_judges_no_hour_and_its_findings_are_shown() -> None:
    overview = shown(read_run(8, finding("ALTERED"), job="audit"))
    cells_of_today = overview.days[0].rows[0].cells
    assert [cells_of_today[hour].shade for hour in (5, 6)] == [Shade.UNJUDGED, Shade.CRITICAL]


def test_a_day_has_its_hours_whatever_run_judged_them() -> None:
    assert len(cells(*range(24))) == 24
    assert run(8).start.hour == 4


def test_days_of_which_nothing_is_known_are_one_stretch() -> None:
    first = FIRST - timedelta(days=3)
    days = picture({}, (), first=first, now=NOW, closed=None)
    judged = picture(shown(read_run(8)).judges, (), first=first, now=NOW, closed=None)
    (today, before) = stretches(judged)
    assert [day.date for day in today] == [NOW.date()]
    assert [day.date for day in before] == [day.date for day in judged[1:]]
    assert len(before) == 4
    # Of today nothing is known either, but some of it is not over.
    assert [len(stretch) for stretch in stretches(days)] == [1, 4]
