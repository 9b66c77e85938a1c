"""Compare the two witnesses of every write, and page people about what does not fit.

For each object version written in the window, CloudTrail must have seen the write and the recorder
must have hashed it. The verdicts go to the table `reconciliation`; a rerun replaces them. Each
finding that the run signed is published once to the SNS topic, with who did what to which version;
more than 100 of one cause are one page. One that no longer holds is resolved by one more message.

The window is what is owed: the hours that no run has judged, the oldest first, up to those that
ended the grace period before this run, and the `lookback_hours` before; twice a day all hours that
are still open (`custody.core.runs.chain`). Or the window given. Nothing is paged again.

Messages that lie in the recorder's dead-letter queue longer than the grace period are one page, and
one more message when the queue is empty again. A run that fails is a page, too.

**On failure:** clear the failed task; each may run again. Clear from `window` on to judge with the
present time. A page may come twice if its task dies between publishing and marking, but it comes.
**Runbook:** docs/runbooks/ (one per verdict); docs/runbooks/recorder-dead-letters.md
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pendulum
from airflow.providers.amazon.aws.operators.glue import GlueJobOperator
from airflow.sdk import CronDataIntervalTimetable, Param, chain, dag, task

from custody.aws.catalog import Pointer, point_partitions
from custody.core.ledger.hours.windows import Window, reconcile_window
from custody.tasks.defaults import DEFAULT_ARGS, GLUE, SQL_MACROS, Tag, client, setting, sql_root
from custody.tasks.runs import judge_of, last_statement, stated_run
from custody.tasks.telling.failures import page_failure
from custody.tasks.telling.paging import page_dead_letters, page_findings
from custody.tasks.windows import WHOLE_HOUR, asked_by, fail_at_once

log = logging.getLogger(__name__)

WINDOW = "{% set window = ti.xcom_pull(task_ids='window') %}"
RUN = "{{ ti.xcom_pull(task_ids='classify') }}"
AS_OF = "{{ ti.xcom_pull(task_ids='window')['as_of'] }}"


@task
@fail_at_once()
def window(judge: dict[str, str], params: dict[str, Any], dag_run: Any, ti: Any) -> dict[str, Any]:
    """The hours to compare, and who asked for it. The job holds them against the chain of runs."""
    as_of = datetime.now(UTC)
    last = last_statement(judge, as_of, s3=client("s3"), kms=client("kms"))
    chosen = reconcile_window(
        params,
        interval_start=dag_run.data_interval_start,
        interval_end=dag_run.data_interval_end,
        as_of=as_of,
        reached=last.link.reached if last and last.link else None,
    )
    log.info("%d hours, from %s to %s", len(chosen.hours), chosen.start, chosen.end)
    asked = asked_by(dag_run, params, ti.try_number)
    return {**chosen.parameters(), "asked": asked}


@task
def publish_hours(
    database: str, bucket: str, judge: dict[str, str], judged_by: str, as_of: str
) -> None:
    """Show readers a run's verdicts for every hour that it states to have judged, the empty hours
    included; but for hours that another run has judged later."""
    run = stated_run(judge, judged_by, as_of, s3=client("s3"), kms=client("kms"))
    location = f"s3://{bucket}/reconciliation/run={run.id}/"
    places = [
        Pointer((dt, hour), f"{location}dt={dt}/hour={hour}/", run.as_of)
        for dt, hour in Window(run.start, run.end, run.as_of, timedelta()).partitions()
    ]
    shown = point_partitions(client("glue"), database, "reconciliation", places)
    log.info(
        "reconciliation: %d hours are in %s, %d were judged later by others",
        len(shown),
        location,
        len(places) - len(shown),
    )


@dag(
    # Five minutes after the default grace period of the hour before.
    schedule=CronDataIntervalTimetable("35 * * * *", timezone="UTC"),
    start_date=pendulum.datetime(2026, 11, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,  # two at once could page the same finding twice
    default_args=DEFAULT_ARGS,
    template_searchpath=sql_root(__file__),
    user_defined_macros=SQL_MACROS,
    tags=[Tag.TIER_1, Tag.PROVENANCE],
    doc_md=__doc__,
    params={
        "window_start": Param(
            None,
            title="Window start",
            description="First hour to compare (UTC, a whole hour); empty: from the data interval",
            **WHOLE_HOUR,
        ),
        "window_end": Param(
            None,
            title="Window end",
            description="End of the last hour to compare (UTC, a whole hour, at most 96 hours on); "
            "given together with the start, or empty",
            **WHOLE_HOUR,
        ),
        "grace_minutes": Param(
            30,
            type="integer",
            minimum=0,
            maximum=1440,
            title="Grace period (minutes)",
            description="How long a record may be missing before that is a finding. Hours whose "
            "grace has passed once stay as final as they are",
        ),
        "delivery_hours": Param(
            48,
            type="integer",
            minimum=0,
            maximum=48,
            title="Delivery (hours)",
            description="How long CloudTrail's event may be missing before that is a finding",
        ),
        "lookback_hours": Param(
            3,
            type="integer",
            minimum=0,
            maximum=72,
            title="Judge again (hours)",
            description="Hours before the window to judge once more, with what came late",
        ),
    },
)
def provenance_reconcile() -> None:
    judge = judge_of("reconcile_job")
    hours = window(judge)
    classify = GlueJobOperator(
        task_id="classify",
        job_name=setting("reconcile_job"),
        script_args={"--window": WINDOW + "{{ window | tojson }}"},
        **GLUE,
    )
    published = publish_hours(setting("database"), setting("analytics_bucket"), judge, RUN, AS_OF)
    chain(hours, classify, published)
    success = page_findings(
        classify,
        published,
        judge=judge,
        run_id=RUN,
        finder="reconciliation",
        ledger="provenance_ledger",
        success_metric="ReconciliationSucceeded",
    )
    page_failure(success, runbook="docs/runbooks/reconcile-failed.md")
    page_dead_letters()


provenance_reconcile()
