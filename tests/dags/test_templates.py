"""What the tasks send, with every template filled in; a name nobody gives is an error."""

import itertools
import json
from datetime import UTC, datetime

import jinja2
import pytest
from airflow.sdk.definitions.mappedoperator import MappedOperator

from custody.core.windows import BadWindow, Window

WINDOW = Window(
    datetime(2026, 11, 1, 6, tzinfo=UTC), datetime(2026, 11, 1, 8, tzinfo=UTC)
).parameters(as_of=datetime(2026, 11, 1, 8, 35, tzinfo=UTC), grace_minutes=30, lateness_days=1)
PAGE = {
    "subject": "CONFLICT s3://raw/{{ 1 / 0 }}.sql",
    "message": '{"key": "{{ undefined }}{% raw %}.sql"}',
    "message_attributes": {"verdict": "{{ 1 / 0 }}"},
    "fingerprints": ["{{ 1 / 0 }}"],
}


def statement(query):
    """A statement without the comments above it."""
    lines = itertools.dropwhile(lambda line: line.startswith("--"), query.strip().splitlines())
    return "\n".join(lines).strip()


def test_the_ledger_tables_and_view(render):
    created = [
        statement(render("provenance_ledger", "create_tables", map_index=n).query) for n in range(3)
    ]
    assert [text.split("(")[0].strip() for text in created] == [
        f"CREATE EXTERNAL TABLE IF NOT EXISTS {table}"
        for table in ("cloudtrail_logs", "hash_records", "reconciliation")
    ]
    trail = "s3://the-trail-bucket/AWSLogs/the-account-id/CloudTrail/the-region"
    assert f"LOCATION '{trail}'" in created[0]
    assert f"'storage.location.template' = '{trail}/${{timestamp}}'" in created[0]

    view = render("provenance_ledger", "create_view", params={"grace_minutes": 45})
    assert statement(view.query).startswith("CREATE OR REPLACE VIEW provenance_ledger AS\nWITH ")
    assert "INTERVAL '45' MINUTE" in view.query
    assert (view.workgroup, view.database) == ("the-workgroup", "the-database")


def test_customers_tables(render):
    created = [
        statement(render("medallion_customers", "create_tables", map_index=n).query)
        for n in range(4)
    ]
    assert [text.split("(")[0].rsplit(maxsplit=1)[1] for text in created] == [
        "silver_customers",
        "silver_customers_quarantine",
        "silver_customers_files",
        "gold_customers_by_country_month",
    ]


@pytest.mark.parametrize(("dt", "day"), [(None, "2026-11-01"), ("2026-11-03", "2026-11-03")])
def test_the_day_reaches_every_task(render, dt, day):
    def task(task_id):
        return render(
            "medallion_customers",
            task_id,
            params={"dt": dt},
            xcoms={"bronze_to_silver": "jr_1", "silver_to_gold": "jr_2"},
        )

    landing = task("wait_for_landing")
    assert landing.bucket_name == "the-raw-bucket"
    assert landing.bucket_key == f"incoming/customers/dt={day}/?*"
    assert task("custody_gate").op_args[2] == day
    assert task("bronze_to_silver").script_args == {
        "--dataset": "customers",
        "--dt": day,
        "--raw_bucket": "the-raw-bucket",
        "--provenance_bucket": "the-provenance-bucket",
        "--processed_bucket": "the-processed-bucket",
        "--contract": "s3://the-artifacts/abc/contracts/customers.odcs.yaml",
        "--signing_key_arn": "the-signing-key-arn",
    }
    assert task("publish_silver").op_args == (
        "the-database",
        day,
        {
            "silver_customers_files": f"s3://the-processed-bucket/files/customers/dt={day}/run=jr_1/",
            "silver_customers_quarantine": (
                f"s3://the-processed-bucket/quarantine/customers/dt={day}/run=jr_1/"
            ),
            "silver_customers": f"s3://the-processed-bucket/silver/customers/dt={day}/run=jr_1/",
        },
    )
    assert task("silver_to_gold").script_args == {
        "--dataset": "customers",
        "--dt": day,
        "--silver_run": f"s3://the-processed-bucket/silver/customers/dt={day}/run=jr_1/",
        "--analytics_bucket": "the-analytics-bucket",
        "--gold_sql": "s3://the-artifacts/abc/sql/gold/customers_by_country_month.sql",
        "--gold_table": "customers_by_country_month",
    }
    gold = f"s3://the-analytics-bucket/gold/customers_by_country_month/dt={day}/run=jr_2/"
    assert task("publish_gold").op_args == (
        "the-database",
        day,
        {"gold_customers_by_country_month": gold},
    )


def test_a_run_without_an_interval_must_be_given_its_day(render):
    with pytest.raises(BadWindow, match="give dt"):
        render("medallion_customers", "wait_for_landing", interval=None)
    task = render(
        "medallion_customers", "wait_for_landing", interval=None, params={"dt": "2026-11-03"}
    )
    assert "dt=2026-11-03/" in task.bucket_key


def test_the_reconciliation_reads_its_window_and_writes_to_its_own_place(render):
    task = render("provenance_reconcile", "classify", xcoms={"window": WINDOW})
    place = "s3://the-analytics-bucket/reconciliation/run=0193-attempt/"
    assert task.location == place
    query = statement(task.query)
    assert query.startswith("UNLOAD (\n")
    assert f"TO '{place}'" in query
    assert "\"timestamp\" BETWEEN '2026/11/01' AND '2026/11/02'" in query
    assert "dt BETWEEN '2026-10-31' AND '2026-11-02'" in query
    assert "event_time >= TIMESTAMP '2026-11-01 06:00:00.000'" in query
    assert "event_time < TIMESTAMP '2026-11-01 08:00:00.000'" in query
    assert "bucket = 'the-provenance-bucket'" in query
    assert ":iam::the-account-id:role/(.*/)?the-project-the-stage-recorder$" in query


def test_the_view_and_the_reconciliation_share_one_definition(render):
    view = statement(render("provenance_ledger", "create_view").query)
    unload = statement(render("provenance_reconcile", "classify", xcoms={"window": WINDOW}).query)
    definition = view.partition(" AS\n")[2]
    for here, there in (
        ('"timestamp" IS NOT NULL', "\"timestamp\" BETWEEN '2026/11/01' AND '2026/11/02'"),
        ("dt IS NOT NULL", "dt BETWEEN '2026-10-31' AND '2026-11-02'"),
        (
            "CAST(current_timestamp AT TIME ZONE 'UTC' AS TIMESTAMP(3))",
            "TIMESTAMP '2026-11-01 08:35:00.000'",
        ),
    ):
        assert here in definition
        definition = definition.replace(here, there)
    assert " ".join(definition.split()) in " ".join(unload.split())


def test_only_verdicts_that_page_are_read(render):
    query = render("provenance_reconcile", "read_findings", xcoms={"window": WINDOW}).query
    assert "verdict IN ('CONFLICT', 'UNWITNESSED', 'UNRECORDED')" in query
    assert "place <= 500" in query


def test_what_uploaders_type_is_never_rendered_as_a_template(render):
    publish = render(
        "provenance_reconcile", "page.publish", xcoms={"pages": [None, PAGE]}, map_index=1
    )
    assert publish.target_arn == "the-topic-arn"
    assert publish.subject == PAGE["subject"]
    assert publish.message == PAGE["message"]
    assert publish.message_attributes == PAGE["message_attributes"]
    mark = render("provenance_reconcile", "page.mark", xcoms={"pages": [None, PAGE]}, map_index=1)
    assert mark.op_args == ("the-analytics-bucket", PAGE["fingerprints"], PAGE["message"])


def test_every_template_is_filled_in(bag, render):
    xcoms = {
        "window": {**WINDOW, "hours": []},
        "classify": "s3://x/",
        "read_findings": "q",
        "read_file_accounts": "q",
        "pages": [PAGE],
        "bronze_to_silver": "jr_1",
        "silver_to_gold": "jr_2",
    }
    for dag_id, dag in bag.dags.items():
        for task in dag.tasks:
            mapped = isinstance(task, MappedOperator) or task.task_id.startswith("page.")
            done = render(dag_id, task.task_id, xcoms=xcoms, map_index=0 if mapped else -1)
            if task.task_id.startswith("page."):
                continue  # holds what uploaders typed, braces and all
            for field in done.template_fields:
                text = json.dumps(getattr(done, field), default=str)
                assert "{{" not in text, (task.task_id, field)
                assert "{%" not in text, (task.task_id, field)


def test_a_missing_setting_is_an_error(bag):
    environment = bag.dags["provenance_ledger"].get_template_env()
    with pytest.raises(jinja2.UndefinedError, match="topic"):
        environment.from_string("{{ var.topic }}").render(var={})
