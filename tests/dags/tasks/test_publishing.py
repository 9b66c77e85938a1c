"""A day of a dataset is published, rolled back, and finished by whoever comes next."""

from dataclasses import asdict
from types import SimpleNamespace

import boto3
import pytest
from airflow.sdk.exceptions import AirflowFailException
from tests.support import publications
from tests.support.judging_dags import TRY, dag_run
from tests.support.moto_aws import REGION, locations, make_bucket, signing_kms

from custody.aws.catalog import Pointer, point_partitions
from custody.aws.publications.keeping import latest
from custody.core.formats.hive_ddl import parquet_table
from custody.core.publications.model import Asked, Why
from custody.tasks.datasets import publishing


@pytest.fixture
def day(aws, function):
    """A day of customers that two runs have built, and `publish(run, **params)`."""
    s3, glue = boto3.client("s3", region_name=REGION), boto3.client("glue", region_name=REGION)
    glue.create_database(DatabaseInput={"Name": "db"})
    for name in (publications.PROCESSED, publications.ANALYTICS, publications.PROVENANCE):
        make_bucket(s3, name)
    for run in ("1", "2"):
        publications.build(s3, publications.silver_lineage(f"jr_{run}"))
        publications.build(s3, publications.gold_lineage(f"g_{run}", f"jr_{run}"))
    clients = {"s3": s3, "glue": glue, "kms": signing_kms()}
    shown = [
        {
            "definition": asdict(definition(each)),
            "day": asdict(each),
        }
        for each in publications.TABLES
    ]

    def publish(run, *, by="operator", **params):
        function("medallion_customers", "publish", **clients)(
            {"bucket": publications.ANALYTICS, "database": "db"},
            "customers",
            publications.CONTRACT_VERSION,
            publications.DAY,
            run,
            asdict(publications.BUILDERS),
            shown,
            params={"rollback_to": None, "reason": None} | params,
            dag_run=dag_run(run_id=f"run of {by}", triggering_user_name=by),
            ti=TRY,
        )

    return SimpleNamespace(s3=s3, glue=glue, publish=publish, clients=clients)


def definition(table):
    """The definition of a table whose day lies there."""
    return parquet_table(table.table, (), (("dt", "string"),), table.location.partition("/dt=")[0])


def visible(day):
    """The run that each table shows."""
    tables = [each.table for each in publications.TABLES]
    return {
        found.rpartition("run=")[2].strip("/")
        for name in tables
        for found in locations(day.glue, name).values()
    }


def test_a_day_is_published_at_once_and_rolled_back_by_whoever_asks(day, caplog):
    for run in ("1", "2"):
        day.publish(f"jr_{run}", by=f"schedule {run}")
        assert visible(day) == {f"jr_{run}", f"g_{run}"}
    assert "gold_by_country was made right: table" in caplog.messages
    day.publish("jr_1", rollback_to="jr_1", reason="half of the rows were lost")
    assert visible(day) == {"jr_1", "g_1"}
    published = latest(day.s3, publications.ANALYTICS, "customers", publications.DAY)
    assert (published.number, published.why) == (3, Why.ROLLBACK)
    assert published.asked == Asked("run of operator", 0, "operator", "half of the rows were lost")
    where = f"s3://{publications.ANALYTICS}/{published.key} counts"
    assert caplog.messages[-4:] == [
        where,
        *(
            f"{each.table}: dt=2026-11-01 is in {each.of('g_1' if each.gold else 'jr_1')}"
            for each in publications.TABLES
        ),
    ]


def test_what_was_not_built_is_not_published_and_not_tried_again(day):
    day.publish("jr_1")
    for run, why in (("jr_9", "has no statement"), ("g_1", "not trusted"), ("a/b", "no job run")):
        with pytest.raises(AirflowFailException, match=f"customers, 2026-11-01: .*{why}"):
            day.publish(run, rollback_to=run)
    assert visible(day) == {"jr_1", "g_1"}
    published = latest(day.s3, publications.ANALYTICS, "customers", publications.DAY)
    assert published.number == 1


def test_a_move_that_was_killed_is_finished_by_the_next_try_or_within_the_hour(
    day, function, monkeypatch, caplog
):
    day.publish("jr_1")
    # Killed between the publication and the last table.
    day.glue.meta.events.register("before-call.glue.BatchUpdatePartition", third := Nth(2))
    with pytest.raises(Nth.Killed):
        day.publish("jr_2", by="schedule")
    day.glue.meta.events.unregister("before-call.glue.BatchUpdatePartition", third)
    assert visible(day) == {"jr_1", "jr_2", "g_1"}
    day.publish("jr_2", by="schedule")
    assert visible(day) == {"jr_2", "g_2"}

    # Nobody tries again.
    point_partitions(
        day.glue,
        "db",
        "gold_by_country",
        [Pointer((publications.DAY,), publications.TABLES[2].of("g_1"))],
    )
    assert visible(day) == {"jr_2", "g_1"}
    tables = [
        SimpleNamespace(definition=lambda _, each=each: definition(each))
        for each in publications.TABLES
    ]
    monkeypatch.setattr(publishing, "tables", lambda _: tables)
    monkeypatch.setattr(publishing, "client", day.clients.__getitem__)
    buckets = {"analytics_bucket": publications.ANALYTICS}
    function("provenance_ledger", "follow_publications")("db", buckets)
    assert visible(day) == {"jr_2", "g_2"}
    place = publications.TABLES[2].of("g_2")
    said = f"gold_by_country: dt=2026-11-01 is in {place} again: it was elsewhere"
    assert caplog.messages[-1] == said


class Nth:
    """Kills the n-th call."""

    class Killed(BaseException):
        """As by SIGKILL: nothing is cleaned up."""

    def __init__(self, left):
        self.left = left

    def __call__(self, **_):
        self.left -= 1
        if self.left == 0:
            raise self.Killed
