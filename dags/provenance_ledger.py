"""Keep the tables and the view of the provenance ledger in place.

Creates `cloudtrail_logs`, `hash_records`, `reconciliation`, `record_checks`, `lineage_checks` and
`audit` where they are missing, and makes the view `provenance_ledger` anew, so that a change of its
definition reaches Athena within the hour.
The partitions of both witnesses are projected: there is nothing to register.

**On failure:** clear the failed task; every task may run again at any time.
**If it stays broken:** the ledger keeps the definition it has; `provenance_reconcile` does not use
the view.
**Runbook:** docs/operations.md
"""

from __future__ import annotations

import pendulum
from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from airflow.sdk import CronDataIntervalTimetable, chain, dag

from custody.tasks.defaults import ATHENA_SHORT, DEFAULT_ARGS, SQL_MACROS, Tag, sql_root


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
    create_tables = AthenaOperator.partial(task_id="create_tables", **ATHENA_SHORT).expand(
        query=[
            "provenance/create_cloudtrail_logs.sql",
            "provenance/create_hash_records.sql",
            "provenance/create_reconciliation.sql",
            "provenance/create_record_checks.sql",
            "provenance/create_lineage_checks.sql",
            "provenance/create_audit.sql",
        ]
    )
    create_view = AthenaOperator(
        task_id="create_view", query="provenance/provenance_ledger.sql", **ATHENA_SHORT
    )
    chain(create_tables, create_view)


provenance_ledger()
