"""From an object version to what was made of it, by what the runs stated."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.support.lineages import LINEAGE

from custody.core.console.objects.onward import day_of, made_from
from custody.core.lineage.model import HashedObject, Lineage, Run
from custody.objects import ObjectVersion

LANDED = LINEAGE.inputs[0].version
WRITTEN = datetime(2026, 11, 3, 23, 59, tzinfo=UTC)


def run(name: str, reads: tuple[HashedObject, ...], hours: int = 0) -> Lineage:
    made = ObjectVersion("gold", f"gold/t/dt=2026-11-01/run={name}/a", "v")
    return replace(
        LINEAGE,
        run=Run("2026-11-01", name),
        inputs=reads,
        outputs=(HashedObject(made, "d1" * 32),),
        started_on=LINEAGE.started_on + timedelta(hours=hours),
    )


def test_a_run_leads_to_those_that_read_what_it_made() -> None:
    gold = run("g", LINEAGE.outputs[1:], hours=1)
    (silver,) = made_from([LANDED], [gold, LINEAGE, run("other", ())])
    assert (silver.lineage, silver.read) == (LINEAGE, LINEAGE.inputs)
    assert [each.lineage.run.id for each in silver.walk()] == [LINEAGE.run.id, "g"]


def test_runs_are_told_in_order_of_time() -> None:
    later, sooner = run("a", LINEAGE.inputs, hours=2), run("b", LINEAGE.inputs)
    assert [each.lineage for each in made_from([LANDED], [later, sooner])] == [sooner, later]


def test_another_version_of_the_object_was_not_read() -> None:
    assert made_from([replace(LANDED, version_id="other")], [LINEAGE]) == ()


def test_runs_that_state_to_have_read_their_own_work_end() -> None:
    first, second = run("a", LINEAGE.inputs), run("b", ())
    circle = [replace(first, inputs=(*LINEAGE.inputs, *second.outputs)),
              replace(second, inputs=first.outputs)]  # fmt: skip
    (found,) = made_from([LANDED], circle)
    assert [each.lineage.run.id for each in found.walk()] == ["a", "b"]


@pytest.mark.parametrize(
    ("key", "day"),
    [
        ("incoming/customers/dt=2026-11-01/a.csv", date(2026, 11, 1)),
        ("gold/t/dt=2026-11-02/run=r/a", date(2026, 11, 2)),
        ("incoming/a.csv", WRITTEN.date()),
        ("incoming/x/dt=2026-13-01/a.csv", WRITTEN.date()),
        ("incoming/xdt=2026-11-01/a.csv", WRITTEN.date()),
    ],
)
def test_the_day_is_that_in_the_key_else_that_of_the_write(key: str, day: date) -> None:
    assert day_of(key, WRITTEN) == day
