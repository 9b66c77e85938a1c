"""Build the datasets day by day: a DAG `medallion_<dataset>` for each contract.

A contract and a query for each of its gold tables are all that a dataset is; its DAG's manual is
made from the contract (`custody.core.datasets.manual`). A contract that cannot be used is refused
here, by file, line and field, before anything runs.
"""

from __future__ import annotations

import pendulum
from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from airflow.sdk import DAG, Asset, CronPartitionTimetable, TaskGroup, chain

from custody.core.datasets.contracts import Contract
from custody.core.datasets.manual import DAG_PREFIX, dag_of, manual
from custody.core.datasets.tables import Table, gold_tables, silver_tables
from custody.tasks import windows
from custody.tasks.contracts import contracts_to_parse
from custody.tasks.datasets.landing import LandingSensor
from custody.tasks.datasets.medallion import (
    DAY,
    custody_gate,
    params,
    place_of,
    report_files,
    skip_if_rolled_back,
)
from custody.tasks.datasets.publishing import SILVER_RUN, builders, publish_day, shown_of, stated
from custody.tasks.datasets.quality import judged, report_quality
from custody.tasks.defaults import (
    ATHENA_SHORT,
    DEFAULT_ARGS,
    GLUE,
    Tag,
    include_root,
    setting,
    sql_root,
)
from custody.tasks.lineage.jobs import TableJob

INCLUDE = str(include_root(__file__))


def medallion(contract: Contract) -> None:
    """The DAG that builds a dataset day by day."""
    dataset = contract.dataset
    landing = f"incoming/{dataset}/dt={DAY}/"
    *_, silver = silver_tables(contract)
    bronze_asset, silver_asset = (
        Asset(name, group=dataset) for name in (f"bronze_{dataset}", silver.name)
    )
    with DAG(
        dag_id=dag_of(dataset),
        description=contract.description,
        # A run is of a partition, the day before it starts, and has its name.
        schedule=CronPartitionTimetable(
            "0 0 * * *", timezone="UTC", run_offset=-1, key_format="%Y-%m-%d"
        ),
        start_date=pendulum.datetime(2026, 11, 1, tz="UTC"),
        catchup=False,
        max_active_runs=4,
        default_args=DEFAULT_ARGS | {"owner": contract.about.owner},
        template_searchpath=sql_root(__file__),
        user_defined_macros={"dataset_day": windows.dataset_day, "dataset": dataset},
        tags=[Tag.TIER_2, Tag.MEDALLION, *contract.about.tags],
        doc_md=manual(contract),
        params=params(),
    ):
        wait_for_landing = LandingSensor(
            task_id="wait_for_landing",
            bucket_name=setting("raw_bucket"),
            folder=landing,
            day=DAY,
            landing_hours=contract.about.landing_hours,
            poke_interval=30,
            pre_execute=skip_if_rolled_back,
        )
        gate = custody_gate.override(outlets=[bronze_asset])(
            setting("raw_bucket"),
            setting("provenance_bucket"),
            landing,
            "{{ params.record_minutes }}",
        )
        bronze_to_silver = TableJob(
            task_id="bronze_to_silver",
            job_name=setting("bronze_to_silver_job"),
            stated=stated("silver_job"),
            include=INCLUDE,
            script_args={"--dataset": dataset, "--dt": DAY},
            inlets=[bronze_asset],
            **GLUE,
        )
        golds = {table: Asset(table.name, group=dataset) for table in gold_tables(contract)}
        publish = publish_day.override(task_id="publish", outlets=[silver_asset, *golds.values()])(
            {"bucket": setting("analytics_bucket"), "database": setting("database")},
            dataset,
            contract.version,
            DAY,
            SILVER_RUN,
            builders(),
            shown_of(contract),
        )
        read_file_accounts = AthenaOperator(
            task_id="read_file_accounts", query="medallion/read_file_accounts.sql", **ATHENA_SHORT
        )
        report_files(read_file_accounts.output)
        chain(wait_for_landing, gate, bronze_to_silver, publish, read_file_accounts)
        silver_run = place_of(silver, bronze_to_silver.task_id)
        built = [gold(table, dataset, silver_run, silver_asset) for table in golds]
        for each in built:
            chain(bronze_to_silver, each, publish)
        if names := judged(contract):
            report = report_quality(setting("analytics_bucket"), DAY, names)
            chain([bronze_to_silver, *built], report)


def gold(table: Table, dataset: str, silver_run: str, silver_asset: Asset) -> TaskGroup:
    """The task that builds a gold table from a run of silver, in a group of its name."""
    with TaskGroup(table.name) as group:
        TableJob(
            task_id="silver_to_gold",
            job_name=setting("silver_to_gold_job"),
            stated=stated("gold_job"),
            include=INCLUDE,
            script_args={
                "--dataset": dataset,
                "--dt": DAY,
                "--silver_run": silver_run,
                "--gold_table": table.name.removeprefix("gold_"),
            },
            inlets=[silver_asset],
            **GLUE,
        )
    return group


for found in contracts_to_parse(__file__, DAG_PREFIX):
    medallion(found)
