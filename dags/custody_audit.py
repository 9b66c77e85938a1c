"""Prove once a day that what stands is still what was recorded, and seal the day.

The whole of CloudTrail's digest chain since yesterday is proven. Every object version in bronze,
silver and gold is compared with its record: one that is gone, hidden or on no record is a finding,
unless the retention rule explains it. The bytes of a sample are read and hashed again; in
`sample_days` days every version has its turn. Then the seal is checked against the one remembered,
and the last days' records and verdicts are sealed. What was found goes to the table `audit` and is
paged like the findings of `provenance_reconcile`: once. Of what stands and nobody has taken on,
people are reminded, and told what was answered (`remind`). Of runs that readers are not shown any
more it signs that they expire; what it has signed the night before is hidden (`expire`), which
`custody.core.publications.expiry` explains.

**On failure:** clear the failed task; each may run again. Clear from `window` on to judge with the
present time. If audits were missed for more days than `days`, trigger one with more.
**Runbook:** docs/runbooks/ (one per verdict); docs/runbooks/audit-failed.md
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pendulum
from airflow.providers.amazon.aws.operators.glue import GlueJobOperator
from airflow.sdk import CronDataIntervalTimetable, Param, chain, dag, task

from custody.aws.catalog import Pointer, point_partitions
from custody.core.ledger.hours.windows import audit_window
from custody.tasks.defaults import DEFAULT_ARGS, GLUE, SQL_MACROS, Tag, client, setting, sql_root
from custody.tasks.runs import judge_of, stated_run
from custody.tasks.telling.failures import page_failure
from custody.tasks.telling.paging import page_findings
from custody.tasks.telling.reminding import remind
from custody.tasks.windows import asked_by, fail_at_once

log = logging.getLogger(__name__)

RUN = "{{ ti.xcom_pull(task_ids='audit') }}"
AS_OF = "{{ ti.xcom_pull(task_ids='window')['as_of'] }}"


@task
@fail_at_once()
def window(params: dict[str, Any], dag_run: Any, ti: Any) -> dict[str, Any]:
    """The moment of the audit, the partition that holds it, the days whose pages it watches, and
    who asked for it."""
    order = audit_window(
        as_of=datetime.now(UTC),
        grace_minutes=params["grace_minutes"],
        sample_days=params["sample_days"],
        days=params["days"],
    )
    log.info(
        "as of %s: one version in %d is read again, %d days are sealed",
        order["as_of"],
        params["sample_days"],
        params["days"],
    )
    return {**order, "asked": asked_by(dag_run, params, ti.try_number)}


@task
def publish_audit(
    database: str, bucket: str, judge: dict[str, str], judged_by: str, as_of: str
) -> None:
    """Show readers what an audit states to have found, also if it is nothing; but where a later one
    of its hour is shown."""
    run = stated_run(judge, judged_by, as_of, s3=client("s3"), kms=client("kms"))
    dt, hour = f"{run.as_of:%Y-%m-%d}", f"{run.as_of:%H}"
    location = f"s3://{bucket}/audit/run={run.id}/dt={dt}/hour={hour}/"
    place = Pointer((dt, hour), location, run.as_of)
    point_partitions(client("glue"), database, "audit", [place])
    log.info("audit: dt=%s, hour %s is in %s", dt, hour, place.location)


@dag(
    # When the reconciliation has judged the day before.
    schedule=CronDataIntervalTimetable("20 3 * * *", timezone="UTC"),
    start_date=pendulum.datetime(2026, 11, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,  # two at once could page the same finding twice
    default_args=DEFAULT_ARGS,
    template_searchpath=sql_root(__file__),
    user_defined_macros=SQL_MACROS,
    tags=[Tag.TIER_1, Tag.PROVENANCE],
    doc_md=__doc__,
    params={
        "sample_days": Param(
            28,
            type="integer",
            minimum=1,
            maximum=90,
            title="Read everything within (days)",
            description="Each day one version in so many is read and hashed again; 1: all",
        ),
        "days": Param(
            2,
            type="integer",
            minimum=1,
            maximum=90,
            title="Days to look back",
            description="Days, today included, whose records and verdicts are sealed and whose "
            "events are searched for who removed something",
        ),
        "grace_minutes": Param(
            180,
            type="integer",
            minimum=0,
            maximum=10080,
            title="Grace period (minutes)",
            description="What is younger is left to the reconciliation, which knows more of it",
        ),
    },
)
def custody_audit() -> None:
    moment = window()
    audit = GlueJobOperator(
        task_id="audit",
        job_name=setting("audit_job"),
        script_args={"--audit": "{{ ti.xcom_pull(task_ids='window') | tojson }}"},
        **GLUE,
    )
    judge = judge_of("audit_job")
    published = publish_audit(setting("database"), setting("analytics_bucket"), judge, RUN, AS_OF)
    chain(moment, audit, published)
    success = page_findings(
        audit,
        published,
        judge=judge,
        run_id=RUN,
        finder="audit",
        ledger="audit",
        success_metric="AuditSucceeded",
    )
    page_failure(success, runbook="docs/runbooks/audit-failed.md")
    # What this audit signs, people may object to until the next.
    expire = GlueJobOperator(task_id="expire", job_name=setting("expire_job"), **GLUE)
    chain(audit, [remind(judge), expire], success)


custody_audit()
