"""Compare the two witnesses of every write, and page people about what does not fit.

For each object version written in the window, CloudTrail must have seen the write and the recorder
must have hashed it. The verdicts of the window go to the table `reconciliation`; a rerun replaces
them. Each finding (`UNRECORDED`, `UNWITNESSED`, `CONFLICT`) is published once to the SNS topic,
with who did what to which object version; more than 100 new ones of a verdict become one page.

The window is the hours that ended at least the grace period before this run, or the one given. Give
a window again to look at it anew when late evidence has arrived; what was paged stays paged.

**On failure:** clear the failed task; each may run again. Clear from `window` on to judge with the
present time. A page may come twice if its task dies between publishing and marking, but it comes.
**Runbook:** docs/runbooks/ (one per verdict)
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pendulum
from airflow.providers.amazon.aws.hooks.athena import AthenaHook
from airflow.providers.amazon.aws.hooks.glue_catalog import GlueCatalogHook
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from airflow.providers.amazon.aws.operators.sns import SnsPublishOperator
from airflow.sdk import CronDataIntervalTimetable, Param, chain, dag, task, task_group

from custody.aws.athena import rows
from custody.aws.catalog import Pointer, point_partitions
from custody.aws.pages import mark_paged, not_yet_paged
from custody.core import findings
from custody.core.findings import READ_LIMIT, SEVERITIES, Finding, distinct
from custody.core.windows import reconcile_window
from custody.operators.athena_unload import AthenaUnloadOperator
from custody.wiring import ATHENA, DEFAULT_ARGS, Tag, setting, sql_root

WINDOW = "{% set window = ti.xcom_pull(task_ids='window') %}"


@task
def window(params: dict[str, Any], dag_run: Any) -> dict[str, Any]:
    """The hours to compare and the partitions that hold them, as the statements take them."""
    chosen = reconcile_window(
        window_start=params["window_start"],
        window_end=params["window_end"],
        interval_start=dag_run.data_interval_start,
        interval_end=dag_run.data_interval_end,
        grace_minutes=params["grace_minutes"],
    )
    return {
        **chosen.parameters(
            as_of=datetime.now(UTC),
            grace_minutes=params["grace_minutes"],
            lateness_days=params["lateness_days"],
        ),
        "hours": [list(values) for values in chosen.partitions()],
    }


@task
def publish_hours(database: str, window: dict[str, Any], location: str) -> None:
    """Show readers this run's verdicts for every hour of the window, the empty hours included."""
    point_partitions(
        GlueCatalogHook().get_conn(),
        database,
        "reconciliation",
        [Pointer((dt, hour), f"{location}dt={dt}/hour={hour}/") for dt, hour in window["hours"]],
    )


@task
def pages(bucket: str, window: dict[str, Any], query: str) -> list[dict[str, Any]]:
    """The pages nobody has had yet."""
    found = list(rows(AthenaHook().get_conn(), query))
    totals = {str(row["verdict"]): int(row["verdict_findings"] or 0) for row in found}
    new = not_yet_paged(S3Hook().get_conn(), bucket, distinct(map(Finding.from_row, found)))
    return [
        {
            "subject": page.subject,
            "message": page.message,
            "message_attributes": dict(page.message_attributes),
            "fingerprints": list(page.fingerprints),
        }
        for page in findings.pages(
            new, totals=totals, window_start=window["start"], window_end=window["end"]
        )
    ]


@task
def mark(bucket: str, fingerprints: list[str], message: str) -> None:
    """Remember that the page is out."""
    mark_paged(S3Hook().get_conn(), bucket, fingerprints, message)


# A group, not mapped operators: its arguments reach the operator as they are. A mapped operator
# would render the texts in them as templates, and an object's key is whatever its uploader typed.
@task_group
def page(
    subject: str, message: str, message_attributes: dict[str, str], fingerprints: list[str]
) -> None:
    publish = SnsPublishOperator(
        task_id="publish",
        target_arn=setting("topic_arn"),
        subject=subject,
        message=message,
        message_attributes=message_attributes,
    )
    chain(publish, mark(setting("analytics_bucket"), fingerprints, message))


@dag(
    # Five minutes after the default grace period of the hour before.
    schedule=CronDataIntervalTimetable("35 * * * *", timezone="UTC"),
    start_date=pendulum.datetime(2026, 11, 1, tz="UTC"),
    catchup=False,
    max_active_runs=1,  # two at once could page the same finding twice
    default_args=DEFAULT_ARGS,
    template_searchpath=sql_root(__file__),
    tags=[Tag.TIER_1, Tag.PROVENANCE],
    doc_md=__doc__,
    params={
        "window_start": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Window start",
            description="First hour to compare (UTC, a whole hour); empty: from the data interval",
        ),
        "window_end": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Window end",
            description="End of the last hour to compare (UTC, a whole hour, at most 96 hours on)",
        ),
        "grace_minutes": Param(
            30,
            type="integer",
            minimum=0,
            maximum=10080,
            title="Grace period (minutes)",
            description="How long a witness may be missing before that is a finding",
        ),
        "lateness_days": Param(
            1,
            type="integer",
            minimum=0,
            maximum=30,
            title="Late delivery (days)",
            description="How many days after the window CloudTrail deliveries are searched",
        ),
    },
)
def provenance_reconcile() -> None:
    hours = window()
    classify = AthenaUnloadOperator(
        task_id="classify",
        location=f"s3://{setting('analytics_bucket')}/reconciliation/run={{{{ ti.id }}}}/",
        query=WINDOW
        + "{% set location = task.location %}{% include 'reconcile/classify_window.sql' %}",
        **ATHENA,
    )
    published = publish_hours(setting("database"), hours, classify.output)
    read_findings = AthenaOperator(
        task_id="read_findings",
        query=WINDOW
        + f"{{% set verdicts = {list(SEVERITIES)} %}}{{% set limit = {READ_LIMIT} %}}"
        + "{% include 'reconcile/read_findings.sql' %}",
        **ATHENA,
    )
    chain(hours, classify, published, read_findings)
    page.expand_kwargs(pages(setting("analytics_bucket"), hours, read_findings.output))


provenance_reconcile()
