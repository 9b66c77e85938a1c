"""Keep the tables and the view of the provenance ledger in place.

Holds `cloudtrail_logs`, `hash_records`, `reconciliation`, `record_checks`, `lineage_checks`,
`audit`, `publications`, `quality_results` and the tables of every contract against their
definitions here, creates what is missing and makes right what differs, and makes the view
`provenance_ledger` anew, so that a change of its definition reaches Athena within the hour. Nothing
that judges or pages reads any of them. The partitions of both witnesses are projected: there is
nothing to register. Those of the datasets follow what was published lately (`publications`): a move
that was killed is finished, and one that nobody published undone. A day of the last 31 for which
files came after it was built is built again, once for the same files, unless somebody has rolled it
back.

**On failure:** clear the failed task; every task may run again at any time.
**If it stays broken:** the ledger keeps the definition it has; `provenance_reconcile` does not use
the view.
**Runbook:** docs/runbooks/reconcile-failed.md
"""

from __future__ import annotations

import logging
from typing import Any

import pendulum
from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from airflow.providers.standard.operators.trigger_dagrun import TriggerDagRunOperator
from airflow.sdk import CronDataIntervalTimetable, chain, dag, task

from custody.aws.definitions import MISSING, make_right
from custody.core.datasets.tables import tables
from custody.core.formats.hive_ddl import read_definition
from custody.tasks.contracts import contracts_of
from custody.tasks.datasets import late, publishing
from custody.tasks.defaults import (
    ATHENA_SHORT,
    DEFAULT_ARGS,
    SQL_MACROS,
    Tag,
    client,
    setting,
    sql_root,
)

log = logging.getLogger(__name__)

TABLES = [
    "provenance/create_cloudtrail_logs.sql",
    "provenance/create_hash_records.sql",
    "provenance/create_reconciliation.sql",
    "provenance/create_record_checks.sql",
    "provenance/create_lineage_checks.sql",
    "provenance/create_audit.sql",
    "provenance/create_publications.sql",
    "provenance/create_quality_results.sql",
]


@task
def make_tables(database: str, statements: list[str], buckets: dict[str, str]) -> None:
    """Make every table of the platform what its statement or contract says."""
    deployed = [read_definition(statement) for statement in statements]
    # Read here and not for the DAG, which must load whatever a contract says.
    for contract in contracts_of(__file__):
        deployed += (table.definition(buckets) for table in tables(contract))
    for table in deployed:
        differing = make_right(client("glue"), database, table)
        if differing == (MISSING,):
            log.info("%s is defined now", table.name)
        elif differing:
            log.warning("%s was made right: %s differed", table.name, ", ".join(differing))
    log.info("%d tables are as deployed", len(deployed))


@task
def follow_publications(database: str, buckets: dict[str, str]) -> None:
    """Have the partitions of every dataset follow what was published of it lately."""
    place = {"database": database, "bucket": buckets["analytics_bucket"]}
    publishing.follow_publications(place, contracts_of(__file__), buckets)


@task
def late_files(buckets: dict[str, str], by: dict[str, str], **context: Any) -> list[dict[str, Any]]:
    """Look for files that came after their day was built; the runs that build these days again."""

    def was_started(dag_id: str, run_id: str) -> bool:
        return bool(context["ti"].get_dr_count(dag_id=dag_id, run_ids=[run_id]))

    return late.days_to_rebuild(contracts_of(__file__), buckets, by, was_started)


@dag(
    schedule=CronDataIntervalTimetable("0 * * * *", timezone="UTC"),
    start_date=pendulum.datetime(2026, 11, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,
    default_args=DEFAULT_ARGS,
    template_searchpath=sql_root(__file__),
    user_defined_macros=SQL_MACROS,
    tags=[Tag.TIER_2, Tag.PROVENANCE],
    doc_md=__doc__,
)
def provenance_ledger() -> None:
    buckets = {name: setting(name) for name in ("processed_bucket", "analytics_bucket")}
    made = make_tables(
        setting("database"),
        [f"{{% include '{name}' %}}" for name in TABLES],
        buckets,
    )
    create_view = AthenaOperator(
        task_id="create_view", query="provenance/provenance_ledger.sql", **ATHENA_SHORT
    )
    chain(made, [create_view, follow_publications(setting("database"), buckets)])
    runs = late_files(buckets | {"raw_bucket": setting("raw_bucket")}, publishing.builders())
    TriggerDagRunOperator.partial(
        task_id="rebuild_day",
        logical_date=None,
        skip_when_already_exists=True,
        map_index_template="{{ task.trigger_dag_id }} {{ task.conf.dt }}",
    ).expand_kwargs(runs)


provenance_ledger()
