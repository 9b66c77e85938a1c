"""What a run of a DAG did is what the job runs that it started have signed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.consoles import read_run, removed, run, shown
from tests.support.lineages import LINEAGE

from custody.core.console.run_in_airflow import RunInAirflow, deeds_of
from custody.core.publications.model import Asked, Publication, Shown, Why

JOB = "jr_silver"
STATED = replace(LINEAGE, run=replace(LINEAGE.run, id=JOB))
OF_DAG = RunInAirflow(
    "medallion_customers",
    "scheduled__1",
    {},
    LINEAGE.run.dt,
    None,
    {
        "bronze_to_silver": json.dumps(JOB),
        "gold.silver_to_gold": json.dumps(json.dumps("jr_gold")),
        "read": '"0e1f-not-a-job"',
        "many": '["jr_gold"]',
        "n": "7",
    },
)


def published(airflow_run: str) -> Publication:
    shown_table = Shown("silver_customers", JOB, "s3://x/")
    asked = Asked(airflow_run, 0, None, None)
    return Publication("customers", LINEAGE.run.dt, 1, "", Why.BUILD, asked, (shown_table,))


def test_it_has_the_lineage_of_each_job_run_that_a_task_started() -> None:
    ours, other = published("scheduled__1"), published("scheduled__2")
    did = deeds_of(OF_DAG, "", lineages=[STATED, LINEAGE], publications=[ours, other], findings=())
    assert {deed.task_id: deed.lineage for deed in did.deeds} == {
        "bronze_to_silver": STATED,
        "gold.silver_to_gold": None,
    }
    assert did.publications == (ours,)
    one = deeds_of(OF_DAG, "bronze_to_silver", lineages=[STATED], publications=(), findings=())
    assert [deed.job for deed in one.deeds] == [JOB]


def test_it_has_what_was_found_about_what_it_read_and_wrote_and_what_it_found() -> None:
    read = STATED.inputs[0].version
    about = removed(read.key, bucket=read.bucket)
    elsewhere = removed("elsewhere")
    overview = shown(read_run(8, about, elsewhere))
    lineages: dict[str, Any] = {"lineages": [STATED], "publications": ()}

    def found(of_dag: RunInAirflow) -> list[str]:
        did = deeds_of(of_dag, "", findings=overview.findings.values(), **lineages)
        return [each.finding.object_key for each in did.found]

    assert found(OF_DAG) == [read.key]
    assert found(replace(OF_DAG, returned={})) == []
    job = replace(run(8), id="jr_judge")
    judged = replace(read_run(8, elsewhere), run=job)
    overview = shown(judged)
    assert found(replace(OF_DAG, dag_id="r", returned={"judge": "jr_judge"})) == ["elsewhere"]


@pytest.mark.parametrize(
    ("more", "dt"),
    [
        ({}, LINEAGE.run.dt),
        ({"partition_key": None}, ""),
        ({"partition_key": None, "conf": {"dt": "2026-11-03"}}, "2026-11-03"),
        ({"partition_key": None, "conf": {"dt": "x"}}, ""),
        ({"partition_key": None, "interval_end": datetime(2026, 11, 3, tzinfo=UTC)}, "2026-11-02"),
    ],
)
def test_its_day_is_the_one_that_it_builds(more: dict[str, Any], dt: str) -> None:
    assert replace(OF_DAG, **more).dt == dt


def test_only_a_medallion_is_of_a_dataset() -> None:
    assert OF_DAG.dataset == "customers"
    assert replace(OF_DAG, dag_id="provenance_reconcile").dataset == ""
