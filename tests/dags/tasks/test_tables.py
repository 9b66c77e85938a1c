"""Tables that show what was found, and are as they were deployed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from tests.support.contracts import deployed_contracts
from tests.support.judging_dags import HOUR, SealKms
from tests.support.judging_runs import RUN
from tests.support.moto_aws import REGION, locations

from custody.core.datasets.tables import tables
from custody.core.formats.hive_ddl import read_definition
from custody.core.runs.statement import BadRun


@pytest.fixture
def glue(aws):
    """The catalog, with the tables of verdicts."""
    glue = boto3.client("glue", region_name=REGION)
    glue.create_database(DatabaseInput={"Name": "db"})
    for name in ("audit", "reconciliation"):
        table(glue, name, "dt", "hour")
    return glue


@pytest.fixture
def publish(glue, runs, function):
    """`publish(task, run_id, as_of)`: show what a run found, by what it states."""
    dags = {"publish_audit": "custody_audit", "publish_hours": "provenance_reconcile"}

    def published(task, run_id, as_of):
        given = {"glue": glue, "s3": runs.s3, "kms": SealKms()}
        shows = function(dags[task], task, **given)
        shows("db", "analytics", runs.judge, run_id, as_of)

    return published


def test_the_audit_publishes_its_own_hour(runs, publish, glue, caplog):
    at = datetime(2026, 11, 2, 3, 20, 5, tzinfo=UTC)
    for minutes in (0, 1):
        as_of = at + timedelta(minutes=minutes)
        runs.state(replace(RUN, id=f"jr_{minutes}", as_of=as_of, end=as_of))
    place = "s3://analytics/audit/run=jr_1/dt=2026-11-02/hour=03/"
    for run in ("jr_1", "jr_0"):  # clearing the older one shows nobody what it found
        publish("publish_audit", run, "2026-11-02T03:21:05.000Z")
        assert locations(glue, "audit") == {("2026-11-02", "03"): place}
    assert f"audit: dt=2026-11-02, hour 03 is in {place}" in caplog.messages


def table(glue, name, *keys):
    glue.create_table(
        DatabaseName="db",
        TableInput={
            "Name": name,
            "PartitionKeys": [{"Name": key, "Type": "string"} for key in keys],
            "StorageDescriptor": {"Columns": [], "Location": "s3://x/"},
        },
    )


def test_empty_hours_are_published_too(runs, publish, glue, caplog):
    for run, minutes in (("jr_1", 1), ("jr_2", 2)):
        as_of = RUN.as_of + timedelta(minutes=minutes)
        runs.state(replace(RUN, id=run, as_of=as_of, start=RUN.end - 2 * HOUR))
        publish("publish_hours", run, "2026-11-01 08:36:00.000")
    place = "s3://analytics/reconciliation/run=jr_2/"
    expected = {
        ("2026-11-01", "06"): f"{place}dt=2026-11-01/hour=06/",
        ("2026-11-01", "07"): f"{place}dt=2026-11-01/hour=07/",
    }
    assert locations(glue, "reconciliation") == expected
    assert f"2 hours are in {place}, 0 were judged later" in caplog.text
    # Clearing the older run shows nobody what it found.
    publish("publish_hours", "jr_1", "2026-11-01 08:36:00.000")
    assert locations(glue, "reconciliation") == expected
    assert "0 hours are in s3://analytics/reconciliation/run=jr_1/, 2 were" in caplog.text


@pytest.mark.parametrize("task", ["publish_hours", "publish_audit"])
@pytest.mark.parametrize(
    ("run_id", "as_of"),
    [
        ("jr_nothing", "2026-11-01 08:35:00.000"),
        ("../dt=2026-11-01/jr_1", "2026-11-01 08:35:00.000"),
        ("None", "2026-11-01 08:35:00.000"),
        ("jr_1", "2026-11-02 08:35:00.000"),
        ("jr_other", "2026-11-01 08:35:00.000"),
    ],
)
def test_what_no_run_of_the_job_states_is_not_published(runs, publish, glue, task, run_id, as_of):
    """Who works in Airflow edits XComs: they lead to no place where nothing was found."""
    runs.state(RUN)
    runs.state(replace(RUN, id="jr_other", job="another"))
    with pytest.raises(BadRun):
        publish(task, run_id, as_of)
    assert locations(glue, task.replace("hours", "reconciliation").removeprefix("publish_")) == {}


def test_a_table_that_was_bent_is_made_right(aws, function, caplog):
    glue = boto3.client("glue", region_name=REGION)
    glue.create_database(DatabaseInput={"Name": "db"})
    statements = [
        f"-- Notes\nCREATE EXTERNAL TABLE IF NOT EXISTS {name} (a STRING)\nSTORED AS PARQUET\n"
        f"LOCATION 's3://analytics/{name}'"
        for name in ("audit", "reconciliation", "gold")
    ]
    audit, bent, _ = (read_definition(statement).to_table_input() for statement in statements)
    glue.create_table(DatabaseName="db", TableInput=audit)
    bent["StorageDescriptor"]["Location"] = "s3://analytics/nothing"
    glue.create_table(DatabaseName="db", TableInput=bent)
    files = bent | {"Name": "silver_customers_files"}
    glue.create_table(DatabaseName="db", TableInput=files)
    buckets = {"processed_bucket": "processed", "analytics_bucket": "analytics"}
    function("provenance_ledger", "make_tables", glue=glue)("db", statements, buckets)
    found = glue.get_tables(DatabaseName="db")["TableList"]
    others = [
        table
        for each in deployed_contracts()
        if each.dataset != "customers"
        for table in tables(each)
    ]
    assert {table["Name"]: table["StorageDescriptor"]["Location"] for table in found} == {
        **{table.name: f"s3://{buckets[table.bucket]}/{table.folder}" for table in others},
        "audit": "s3://analytics/audit",
        "reconciliation": "s3://analytics/reconciliation",
        "gold": "s3://analytics/gold",
        "silver_customers": "s3://processed/silver/customers",
        "silver_customers_files": "s3://processed/files/customers",
        "silver_customers_quarantine": "s3://processed/quarantine/customers",
        "gold_customers_by_country_month": "s3://analytics/gold/customers_by_country_month",
    }
    assert caplog.messages[-7 - len(others) :] == [
        "reconciliation was made right: location differed",
        "gold is defined now",
        "silver_customers_files was made right: columns, partition_keys, location differed",
        "silver_customers_quarantine is defined now",
        "silver_customers is defined now",
        "gold_customers_by_country_month is defined now",
        *(f"{table.name} is defined now" for table in others),
        f"{7 + len(others)} tables are as deployed",
    ]
