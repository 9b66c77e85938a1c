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

import pendulum
from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from airflow.providers.amazon.aws.operators.glue import GlueJobOperator
from airflow.providers.amazon.aws.sensors.s3 import S3KeySensor
from airflow.sdk import CronDataIntervalTimetable, Param, chain, dag

from custody.tasks import windows
from custody.tasks.defaults import ATHENA_SHORT, DEFAULT_ARGS, GLUE, Tag, setting, sql_root
from custody.tasks.medallion import DAY, custody_gate, publish, report_files, run_of

DATASET = "customers"
GOLD = "customers_by_country_month"
LANDING = f"incoming/{DATASET}/dt={DAY}/"
SILVER_RUN = run_of("bronze_to_silver")
GOLD_RUN = run_of("silver_to_gold")

# The contract wants a day's files 26 hours after the day began: two hours after this run starts.
LANDING_SECONDS = 2 * 60 * 60


@dag(
    schedule=CronDataIntervalTimetable("0 0 * * *", timezone="UTC"),
    start_date=pendulum.datetime(2026, 11, 1, tz="UTC"),
    catchup=False,
    max_active_runs=4,
    default_args=DEFAULT_ARGS,
    template_searchpath=sql_root(__file__),
    user_defined_macros={"dataset_day": windows.dataset_day},
    tags=[Tag.TIER_2, Tag.MEDALLION],
    doc_md=__doc__,
    params={
        "dt": Param(
            None,
            title="Day",
            description="Day to build (YYYY-MM-DD); empty: the day of the run's data interval",
            **windows.DAY,
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
        bucket_key=f"{LANDING}?*",  # one character more than the folder marker
        wildcard_match=True,
        poke_interval=30,
        timeout=LANDING_SECONDS,
        deferrable=True,
    )
    gate = custody_gate(
        setting("raw_bucket"), setting("provenance_bucket"), LANDING, "{{ params.record_minutes }}"
    )
    bronze_to_silver = GlueJobOperator(
        task_id="bronze_to_silver",
        job_name=setting("bronze_to_silver_job"),
        script_args={"--dataset": DATASET, "--dt": DAY},
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
            "--gold_table": GOLD,
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
