"""What the tasks send, with every template filled in; a name nobody gives is an error."""

import itertools
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jinja2
import pytest
from airflow.sdk.exceptions import AirflowFailException
from tests.support.contracts import deployed_contracts
from tests.support.dag_folder import rendered

from custody.core.formats.hive_ddl import TableDefinition, read_definition
from custody.core.ledger.hours.windows import Window, audit_window

GOLD = "gold_customers_by_country_month"
WINDOW = Window(
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2026, 11, 1, 8, tzinfo=UTC),
    as_of=datetime(2026, 11, 1, 8, 35, tzinfo=UTC),
    grace=timedelta(minutes=30),
).parameters()
PAGE = {
    "subject": "CONFLICT s3://raw/{{ 1 / 0 }}.sql",
    "message": '{"key": "{{ undefined }}{% raw %}.sql"}',
    "message_attributes": {"verdict": "{{ 1 / 0 }}"},
    "topic": "arn:aws:sns:us-east-1:111122223333:deployed",
    "states": [{"open": True, "finding": {"key": "{{ 1 / 0 }}.sql"}}],
}


def statement(query):
    """A statement without the comments above it."""
    lines = itertools.dropwhile(lambda line: line.startswith("--"), query.strip().splitlines())
    return "\n".join(lines).strip()


def test_the_ledger_tables_and_view(render):
    database, statements, buckets = render("provenance_ledger", "make_tables").op_args
    created = [statement(text) for text in statements]
    assert [text.split("(")[0].strip() for text in created] == [
        f"CREATE EXTERNAL TABLE IF NOT EXISTS {table}"
        for table in (
            "cloudtrail_logs",
            "hash_records",
            "reconciliation",
            "record_checks",
            "lineage_checks",
            "audit",
            "publications",
            "quality_results",
        )
    ]
    trail = "s3://the-trail-bucket/AWSLogs/the-account-id/CloudTrail"
    assert f"LOCATION '{trail}'" in created[0]
    assert f"'storage.location.template' = '{trail}/${{region}}/${{timestamp}}'" in created[0]
    (regions,) = re.findall(r"'projection.region.values' = '([^']*)'", created[0])
    assert {"us-east-1", "eu-central-1"} < set(regions.split(","))

    assert database == "the-database"
    assert buckets == {
        "processed_bucket": "the-processed-bucket",
        "analytics_bucket": "the-analytics-bucket",
    }

    view = render("provenance_ledger", "create_view")
    assert statement(view.query).startswith("CREATE OR REPLACE VIEW provenance_ledger AS\nSELECT")
    assert (view.workgroup, view.database) == ("the-workgroup", "the-database")


def test_the_trail_of_an_organization_lies_in_its_folder(render, settings, monkeypatch):
    monkeypatch.setitem(settings, "organization_id", "o-1")
    created = render("provenance_ledger", "make_tables").op_args[1][0]
    trail = "s3://the-trail-bucket/AWSLogs/o-1/the-account-id/CloudTrail"
    assert f"LOCATION '{trail}'" in created
    assert f"'storage.location.template' = '{trail}/${{region}}/${{timestamp}}'" in created


TODAYS = Path(__file__).parent / "customers"
"""The statements by which the tables were defined before contracts made them."""


def test_the_contract_makes_the_tables_as_they_always_were(render):
    shown = render("medallion_customers", "publish", xcoms={"bronze_to_silver": "jr_1"}).op_args[-1]
    assert [TableDefinition(**table["definition"]) for table in shown] == [
        read_definition((TODAYS / f"{name}.sql").read_text(encoding="utf-8"))
        for name in (
            "silver_customers_files",
            "silver_customers_quarantine",
            "silver_customers",
            "gold_customers_by_country_month",
        )
    ]


def test_the_items_of_an_array_are_a_table_of_the_publication(render):
    shown = render("medallion_orders", "publish", xcoms={"bronze_to_silver": "jr_1"}).op_args[-1]
    days = [(table["day"]["location"], table["day"]["gold"]) for table in shown]
    processed = "s3://the-processed-bucket"
    # Before the rows: gold is built from the last of silver's.
    assert [place for place, gold in days if gold is None][-2:] == [
        f"{processed}/silver/orders_lines/dt=2026-11-01/",
        f"{processed}/silver/orders/dt=2026-11-01/",
    ]


@pytest.mark.parametrize(("dt", "day"), [(None, "2026-11-01"), ("2026-11-03", "2026-11-03")])
def test_the_day_reaches_every_task(render, dt, day):
    def task(task_id):
        return render(
            "medallion_customers",
            task_id,
            params={"dt": dt},
            xcoms={"bronze_to_silver": "jr_1", f"{GOLD}.silver_to_gold": "jr_2"},
        )

    landing = task("wait_for_landing")
    assert landing.bucket_name == "the-raw-bucket"
    assert landing.bucket_key == f"incoming/customers/dt={day}/?*"
    assert task("custody_gate").op_args[2] == f"incoming/customers/dt={day}/"
    assert task("bronze_to_silver").script_args == {"--dataset": "customers", "--dt": day}

    place, dataset, version, published, run, by, shown = task("publish").op_args
    assert place == {"bucket": "the-analytics-bucket", "database": "the-database"}
    (contract,) = (each for each in deployed_contracts() if each.dataset == dataset)
    assert version == contract.version
    assert (dataset, published, run) == ("customers", day, "jr_1")
    job = "arn:aws:glue:the-region:the-account-id:job/the-"
    assert by == {
        "key_arn": "the-lineage-key-arn",
        "former_keys": "the-former-lineage-keys",
        "provenance_bucket": "the-provenance-bucket",
        "silver_job": f"{job}bronze-to-silver-job",
        "gold_job": f"{job}silver-to-gold-job",
    }
    processed = "s3://the-processed-bucket"
    gold = "customers_by_country_month"
    assert {table["day"]["table"]: table["day"] for table in shown} == {
        name: {"table": name, "location": f"{place}/dt={day}/", "gold": of}
        for name, place, of in (
            ("silver_customers_files", f"{processed}/files/customers", None),
            ("silver_customers_quarantine", f"{processed}/quarantine/customers", None),
            ("silver_customers", f"{processed}/silver/customers", None),
            (GOLD, f"s3://the-analytics-bucket/gold/{gold}", gold),
        )
    }
    assert task(f"{GOLD}.silver_to_gold").script_args == {
        "--dataset": "customers",
        "--dt": day,
        "--silver_run": f"s3://the-processed-bucket/silver/customers/dt={day}/run=jr_1/",
        "--gold_table": "customers_by_country_month",
    }


def test_a_run_that_rolls_back_publishes_the_run_it_was_given(render):
    """Whatever a task that built left behind."""
    task = render(
        "medallion_customers",
        "publish",
        params={"dt": "2026-11-03", "rollback_to": "jr_7"},
        xcoms={"bronze_to_silver": "jr_1"},
    )
    assert (task.op_args[1], *task.op_args[3:5]) == ("customers", "2026-11-03", "jr_7")


def test_a_run_without_an_interval_must_be_given_its_day(render):
    with pytest.raises(AirflowFailException, match="give dt"):
        render("medallion_customers", "wait_for_landing", interval=None)
    task = render(
        "medallion_customers", "wait_for_landing", interval=None, params={"dt": "2026-11-03"}
    )
    assert "dt=2026-11-03/" in task.bucket_key


def test_the_reconciliation_is_told_its_window_and_publishes_its_own_place(render):
    task = render("provenance_reconcile", "classify", xcoms={"window": WINDOW})
    assert task.job_name == "the-reconcile-job"
    assert task.script_args.keys() == {"--window"}, "what is believed comes with the job"
    assert json.loads(task.script_args["--window"]) == WINDOW
    published = render(
        "provenance_reconcile", "publish_hours", xcoms={"window": WINDOW, "classify": "jr_1"}
    )
    assert published.op_args[1] == "the-analytics-bucket"
    assert published.op_args[2]["job"] == "the-reconcile-job"
    assert published.op_args[3:] == ("jr_1", WINDOW["as_of"])


def test_the_audit_is_told_its_moment_and_publishes_its_own_place(render):
    window = audit_window(
        as_of=datetime(2026, 11, 2, 3, 20, 5, tzinfo=UTC), grace_minutes=180, sample_days=28, days=2
    )
    task = render("custody_audit", "audit", xcoms={"window": window})
    assert task.job_name == "the-audit-job"
    assert task.script_args.keys() == {"--audit"}
    told = json.loads(task.script_args["--audit"])
    assert told["as_of"] == "2026-11-02T03:20:05.000Z"
    published = render("custody_audit", "publish_audit", xcoms={"window": window, "audit": "jr_1"})
    assert published.op_args[1] == "the-analytics-bucket"
    assert published.op_args[2]["job"] == "the-audit-job"
    assert published.op_args[3:] == ("jr_1", "2026-11-02T03:20:05.000Z")


@pytest.mark.parametrize(
    ("dag_id", "job"), [("provenance_reconcile", "reconcile"), ("custody_audit", "audit")]
)
def test_what_pages_is_read_from_the_run_that_judged(render, dag_id, job):
    """From its own words, which a key signed; no table, view or query is asked."""
    judge = {
        "job": f"the-{job}-job",
        "bucket": "the-provenance-bucket",
        "key": "the-seal-key-arn",
        "former": "the-former-seal-keys",
    }
    # No XCom says which run that is.
    assert render(dag_id, "pages", xcoms={}).op_args[:2] == ("the-analytics-bucket", judge)
    counted = render(dag_id, "report_success", xcoms={"classify": "jr_1", "audit": "jr_1"})
    assert counted.op_args[2:] == ("the-analytics-bucket", judge, "jr_1")


def test_dead_letters_are_looked_for_in_the_recorders_queue(render):
    looked = render("provenance_reconcile", "dead_letters", params={"grace_minutes": 45})
    queue = "the-project-the-stage-recorder-dlq"
    places = {"airflow_url": "the-airflow-url", "region": "the-region"}
    places["partition"] = "aws"
    assert looked.op_args == ("the-analytics-bucket", queue, "45", "the-topic-arn", places)


def test_every_template_is_filled_in(bag, settings):
    for dag in bag.dags.values():
        sent = rendered(dag, {"custody": settings})
        assert (
            len(sent) >= len(dag.tasks) - 6
        )  # the pages hold what uploaders typed, braces and all
        for task, text in sent.items():
            assert "{{" not in text, task
            assert "{%" not in text, task


def test_a_missing_setting_is_an_error(bag):
    environment = bag.dags["provenance_ledger"].get_template_env()
    with pytest.raises(jinja2.UndefinedError, match="topic"):
        environment.from_string("{{ var.topic }}").render(var={})
