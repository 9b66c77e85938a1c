"""A run that fails pages by itself: the tasks that end a DAG which judges.

A callback of the DAG would do it in a line, and is not called reliably. Where Airflow itself is
away, an alarm of CloudWatch notices that no run has succeeded (`custody.tasks.telling.reporting`).
"""

from __future__ import annotations

import logging
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import TriggerRule, chain, task

from custody.aws.paging import pages as page_store
from custody.core.paging.failures import page_about_run
from custody.core.paging.form import Page
from custody.tasks.defaults import client, setting
from custody.tasks.telling.paging import tell

log = logging.getLogger(__name__)


# Whatever became of the others; what did not run has returned nothing.
@task(trigger_rule=TriggerRule.ALL_DONE)
def run_ended(
    bucket: str,
    runbook: str,
    topic: str,
    succeeded: bool | None,
    dag_run: Any = None,
    airflow: str = "",
) -> None:
    """Tell people about this run, if they do not know yet that the DAG fails, or that it works, and
    remember it."""
    s3, dag_id = client("s3"), dag_run.dag_id
    is_open = page_store.is_run_page_open(s3, bucket, dag_id)
    page = page_about_run(
        dag_id,
        dag_run.run_id,
        succeeded=succeeded is True,
        is_open=is_open,
        runbook=runbook,
        airflow=airflow,
    )
    log.info(
        "the run %s; people %s; %d messages to send",
        "succeeded" if succeeded is True else "failed",
        "know that runs fail" if is_open else "know of no failure",
        0 if page is None else 1,
    )

    def remember(_page: Page, message_id: str) -> None:
        page_store.remember_run_page(s3, bucket, dag_id, is_open=not is_open)
        told = "resolved" if is_open else "open"
        log.info("remembered that the page about %s is %s, by %s", dag_id, told, message_id)

    tell(client("sns"), [page] if page else [], topic, remember)


def page_failure(succeeded: Any, *, runbook: str) -> None:
    """The tasks that page a run in which the task `succeeded` did not return True; `runbook` is its
    path in the repository.

    A run is as its last tasks are. One of them is there to fail with it: the page would end well.
    """
    chain(succeeded, EmptyOperator(task_id="succeeded"))
    bucket, topic, airflow = map(setting, ("analytics_bucket", "topic_arn", "airflow_url"))
    run_ended(bucket, runbook, topic, succeeded, airflow=airflow)
