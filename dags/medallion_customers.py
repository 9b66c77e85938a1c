"""Build one day of customers: bronze, silver, gold.

Waits until something has landed under `incoming/customers/dt=<day>/`, then until every file there
has its hash record (the custody gate), and runs the Glue jobs. Each run writes to places of its
own; readers see it once its partitions are pointed there, after the job's own checks: the row
accounting of every file closes, and the rejected share is within the contract. Each job signs what
it wrote and out of what (its lineage), and gold is built only from what the silver run signed.

A file that is still without a record when its time is up does not hold up the others: the job puts
it into quarantine. A file without a valid record never reaches silver.

**On failure:** clear the failed task; each may run again, and a rerun replaces what the run before
it published. Run the day again (or a backfill) when more files have landed.
**Runbook:** docs/operations.md
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pendulum
from airflow.providers.amazon.aws.hooks.athena import AthenaHook
from airflow.providers.amazon.aws.hooks.glue_catalog import GlueCatalogHook
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from airflow.providers.amazon.aws.operators.glue import GlueJobOperator
from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow.sdk import CronDataIntervalTimetable, Param, chain, dag, task

from custody.aws.athena import rows
from custody.aws.catalog import Pointer, point_partitions
from custody.aws.records.landing_gate import awaiting_record
from custody.core.ledger.windows import dataset_day
from custody.tasks.defaults import ATHENA_SHORT, DEFAULT_ARGS, GLUE, Tag, setting, sql_root

log = logging.getLogger(__name__)

DATASET = "customers"
GOLD = "customers_by_country_month"
DAY = "{{ dataset_day(params.dt, dag_run.data_interval_start) }}"
# The keys that signed the records of this day, also if another has taken over since.
SIGNING_KEYS = (
    "{{ dict(signing_key_arn=var.json.custody.signing_key_arn,"
    " former_signing_keys=var.json.custody.former_signing_keys) | tojson }}"
)
SILVER_RUN = "dt=" + DAY + "/run={{ ti.xcom_pull(task_ids='bronze_to_silver') }}/"
GOLD_RUN = "dt=" + DAY + "/run={{ ti.xcom_pull(task_ids='silver_to_gold') }}/"

# The contract wants a day's files 26 hours after the day began: two hours after this run starts.
LANDING_SECONDS = 2 * 60 * 60


@task.sensor(poke_interval=10, timeout=60 * 60, mode="reschedule")
def custody_gate(raw_bucket: str, provenance_bucket: str, day: str, record_minutes: str) -> bool:
    """Wait for the records of what landed, for each file at most ``record_minutes``."""
    waiting = awaiting_record(
        S3Hook().get_conn(),
        raw_bucket=raw_bucket,
        provenance_bucket=provenance_bucket,
        prefix=f"incoming/{DATASET}/dt={day}/",
        landed_after=datetime.now(UTC) - timedelta(minutes=int(record_minutes)),
    )
    for landed in waiting:
        log.info("no record yet: %s", landed)
    return not waiting


@task
def publish(database: str, day: str, runs: dict[str, str]) -> None:
    """Show readers the day as this run built it; ``runs`` is a location per table."""
    glue = GlueCatalogHook().get_conn()
    for table, location in runs.items():
        point_partitions(glue, database, table, [Pointer((day,), location)])


@task
def report_files(query: str) -> None:
    """Say in the log what became of each file's rows, and which files were quarantined and why."""
    for file in rows(AthenaHook().get_conn(), query):
        name = f"{file['source_key']} (version {file['source_version_id']})"
        if file["file_reason"]:
            log.warning("quarantined the whole file %s: %s", name, file["file_reason"])
        else:
            log.info(
                "%s: %s rows landed = %s silver + %s duplicates + %s quarantined",
                name,
                *(
                    file[f"{part}_rows"]
                    for part in ("landed", "silver", "duplicate", "quarantined")
                ),
            )


@dag(
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=pendulum.datetime(2026, 11, 1, tz="UTC"),
    catchup=False,
    max_active_runs=4,
    default_args=DEFAULT_ARGS,
    template_searchpath=sql_root(__file__),
    user_defined_macros={"dataset_day": dataset_day},
    tags=[Tag.TIER_2, Tag.MEDALLION],
    doc_md=__doc__,
    params={
        "dt": Param(
            None,
            type=["null", "string"],
            format="date",
            title="Day",
            description="Day to build (YYYY-MM-DD); empty: the day of the run's data interval",
        ),
        "record_minutes": Param(
            10,
            type="integer",
            minimum=0,
            maximum=50,
            title="Wait for records (minutes)",
            description="How long after its landing a file may lack its hash record before the "
            "run goes on and quarantines it",
        ),
    },
)
def medallion_customers() -> None:
    create_tables = AthenaOperator.partial(task_id="create_tables", **ATHENA_SHORT).expand(
        query=[
            "medallion/create_silver_customers.sql",
            "medallion/create_silver_customers_quarantine.sql",
            "medallion/create_silver_customers_files.sql",
            "medallion/create_gold_customers_by_country_month.sql",
        ]
    )
    wait_for_landing = S3KeySensor(
        task_id="wait_for_landing",
        bucket_name=setting("raw_bucket"),
        bucket_key=f"incoming/{DATASET}/dt={DAY}/?*",  # one character more than the folder marker
        wildcard_match=True,
        poke_interval=30,
        timeout=LANDING_SECONDS,
        deferrable=True,
    )
    gate = custody_gate(
        setting("raw_bucket"), setting("provenance_bucket"), DAY, "{{ params.record_minutes }}"
    )
    bronze_to_silver = GlueJobOperator(
        task_id="bronze_to_silver",
        job_name=setting("bronze_to_silver_job"),
        script_args={
            "--dataset": DATASET,
            "--dt": DAY,
            "--raw_bucket": setting("raw_bucket"),
            "--provenance_bucket": setting("provenance_bucket"),
            "--processed_bucket": setting("processed_bucket"),
            "--contract": setting("code_location") + f"/contracts/{DATASET}.odcs.yaml",
            "--signing_keys": SIGNING_KEYS,
            "--lineage_key_arn": setting("lineage_key_arn"),
        },
        **GLUE,
    )
    publish_silver = publish.override(task_id="publish_silver")(
        setting("database"),
        DAY,
        {
            table: f"s3://{setting('processed_bucket')}/{area}/{DATASET}/{SILVER_RUN}"
            for table, area in (
                ("silver_customers_files", "files"),
                ("silver_customers_quarantine", "quarantine"),
                ("silver_customers", "silver"),
            )
        },
    )
    read_file_accounts = AthenaOperator(
        task_id="read_file_accounts", query="medallion/read_file_accounts.sql", **ATHENA_SHORT
    )
    report_files(read_file_accounts.output)
    silver_to_gold = GlueJobOperator(
        task_id="silver_to_gold",
        job_name=setting("silver_to_gold_job"),
        script_args={
            "--dataset": DATASET,
            "--dt": DAY,
            "--silver_run": f"s3://{setting('processed_bucket')}/silver/{DATASET}/{SILVER_RUN}",
            "--silver_job": setting("bronze_to_silver_job"),
            "--analytics_bucket": setting("analytics_bucket"),
            "--provenance_bucket": setting("provenance_bucket"),
            "--gold_sql": setting("code_location") + f"/sql/gold/{GOLD}.sql",
            "--gold_table": GOLD,
            "--lineage_key_arn": setting("lineage_key_arn"),
        },
        **GLUE,
    )
    publish_gold = publish.override(task_id="publish_gold")(
        setting("database"),
        DAY,
        {f"gold_{GOLD}": f"s3://{setting('analytics_bucket')}/gold/{GOLD}/{GOLD_RUN}"},
    )
    chain(wait_for_landing, gate, bronze_to_silver, publish_silver, silver_to_gold, publish_gold)
    chain(create_tables, publish_silver, read_file_accounts)


medallion_customers()
