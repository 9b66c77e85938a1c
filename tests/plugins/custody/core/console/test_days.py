"""A day of a dataset: what was built, what is shown, and that the one is the other."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from tests.support.lineages import LINEAGE
from tests.support.publications import gold_lineage, silver_lineage

from custody.core.console.days import DatasetDay, day_of_dataset
from custody.core.publications.model import Asked, Publication, Shown, Why

ASKED = Asked("scheduled__1", 0, None, None)
FIRST, SECOND = silver_lineage("jr_1"), silver_lineage("jr_2")
SECOND = replace(SECOND, finished_on=FIRST.finished_on + timedelta(hours=1))
GOLD = gold_lineage("jr_g", "jr_2")
OTHER = replace(LINEAGE, parameters={"dataset": "orders"})


def publication(*runs: str, number: int = 1, why: Why = Why.BUILD) -> Publication:
    shown = tuple(Shown(f"t_{run}", run, f"s3://b/{run}/") for run in runs)
    at = "2026-11-02T06:00:00.000Z"
    return Publication("customers", "2026-11-01", number, at, why, ASKED, shown)


def day(*publications: Publication) -> DatasetDay:
    stated = [FIRST, OTHER, GOLD, SECOND]
    return day_of_dataset("customers", "2026-11-01", stated, publications, "")


def test_its_runs_are_the_datasets_own_and_the_latest_is_first() -> None:
    assert [run.run.id for run in day().runs] == ["jr_2", "jr_g", "jr_1"]
    assert day().silver == [SECOND, FIRST]
    assert day().state == "built"


def test_the_last_publication_counts() -> None:
    first, back = publication("jr_2", "jr_g"), publication("jr_1", number=2, why=Why.ROLLBACK)
    assert day(first).state == "published"
    assert (day(back, first).shown, day(back, first).state) == (back, "rolled back")


def test_what_no_run_states_is_not_called_published() -> None:
    forged = day(publication("jr_2", "jr_forged"))
    assert (forged.state, forged.unstated) == ("shown, and not stated", ["jr_forged"])


def test_a_day_is_rolled_back_by_the_parameters_of_its_dag() -> None:
    given = json.loads(day().rollback_to(FIRST))
    assert given == {"dt": "2026-11-01", "rollback_to": "jr_1", "reason": "…"}


def test_nothing_is_said_to_be_nothing() -> None:
    assert day_of_dataset("customers", "2026-11-01", [OTHER], (), "").state == "nothing"
