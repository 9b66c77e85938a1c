"""Tasks between the jobs of a medallion: wait for records, report."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from airflow.sdk import Param, task
from airflow.sdk.exceptions import AirflowSkipException

from custody.aws.athena import rows
from custody.aws.records.awaiting import awaiting_records
from custody.core.datasets.tables import Table
from custody.core.publications.model import MAX_REASON
from custody.tasks import windows
from custody.tasks.defaults import client, setting

log = logging.getLogger(__name__)

DAY: Final = "{{ dataset_day(params.dt, dag_run) }}"
"""Template of the day a run builds; its DAG has the macro `custody.tasks.windows.dataset_day`."""


def params() -> dict[str, Param]:
    """What a run may be given; each DAG has its own."""
    return {
        "dt": Param(
            None,
            title="Day",
            description="Day to build (YYYY-MM-DD); empty: the run's partition, or yesterday",
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
        "rollback_to": Param(
            None,
            type=["null", "string"],
            pattern=r"^[A-Za-z0-9_-]{1,255}$",
            title="Roll back to",
            description="Job run of bronze_to_silver (`jr_…`; the table `publications` has them) "
            "whose tables of that day are shown again. Nothing is built then",
        ),
        "reason": Param(
            None,
            type=["null", "string"],
            minLength=1,
            maxLength=MAX_REASON,
            title="Reason",
            description="Why, in words; stands in the table `publications`",
        ),
    }


def skip_if_rolled_back(context: Any) -> None:
    """Skip the task, and with it all that builds, in a run that shows what was built before."""
    if earlier := context["params"]["rollback_to"]:
        raise AirflowSkipException(f"nothing is built: run {earlier} is shown again")


def day_of(table: Table) -> str:
    """Template of the place to which the job runs of the day write a table."""
    return f"s3://{setting(table.bucket)}/{table.folder}/dt={DAY}/"


def place_of(table: Table, task_id: str) -> str:
    """Template of the place to which the job run of a task wrote the day of a table."""
    return f"{day_of(table)}run={{{{ ti.xcom_pull(task_ids='{task_id}') }}}}/"


@task.sensor(poke_interval=10, timeout=60 * 60, mode="reschedule")
def custody_gate(
    raw_bucket: str, provenance_bucket: str, prefix: str, record_minutes: str, **context: Any
) -> bool:
    """Wait for the records of what landed, for each file at most `record_minutes`.

    Nobody knows when a multipart upload was completed: one is waited for as if it landed when this
    task began to wait, if that is later than its upload began.
    """
    now = datetime.now(UTC)
    waiting = awaiting_records(
        client("s3"),
        raw_bucket=raw_bucket,
        provenance_bucket=provenance_bucket,
        prefix=prefix,
        now=now,
        waiting_since=context["ti"].get_first_reschedule_date(context) or now,
        patience=timedelta(minutes=int(record_minutes)),
    )
    for landed in waiting:
        log.info("no record yet: %s", landed)
    place = f"s3://{raw_bucket}/{prefix}"
    log.info("%d files under %s wait for their record", len(waiting), place)
    return not waiting


@task
def report_files(query: str) -> None:
    """Say in the log what became of each file's rows, and which files were quarantined and why."""
    files = quarantined = 0
    for file in rows(client("athena"), query):
        files += 1
        name = f"{file['source_key']} (version {file['source_version_id']})"
        if file["file_reason"]:
            quarantined += 1
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
    log.info("%d files landed, %d of them are in quarantine as a whole", files, quarantined)
