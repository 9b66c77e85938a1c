"""A run that fails pages by itself: the tasks that end a DAG which judges.

A callback of the DAG would do it in a line, and is not called reliably. Where Airflow itself is
away, an alarm of CloudWatch notices that no run has succeeded (`custody.tasks.reporting`).
"""

from __future__ import annotations

import logging
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import TriggerRule, chain, task, task_group

from custody.aws.paging import pages as page_store
from custody.core.paging.failures import page_about_run
from custody.tasks.defaults import client, setting
from custody.tasks.paging import message_id_of, message_of, publish_page

log = logging.getLogger(__name__)


# Whatever became of the others; what did not run has returned nothing.
@task(trigger_rule=TriggerRule.ALL_DONE)
def run_ended(
    bucket: str, runbook: str, succeeded: bool | None, dag_run: Any = None
) -> list[dict[str, Any]]:
    """The page about this run, if people do not know yet that the DAG fails, or that it works."""
    is_open = page_store.is_run_page_open(client("s3"), bucket, dag_run.dag_id)
    page = page_about_run(
        dag_run.dag_id,
        dag_run.run_id,
        succeeded=succeeded is True,
        is_open=is_open,
        runbook=runbook,
    )
    log.info(
        "the run %s; people %s; %d messages to send",
        "succeeded" if succeeded is True else "failed",
        "know that runs fail" if is_open else "know of no failure",
        0 if page is None else 1,
    )
    if page is None:
        return []
    return [{**message_of(page), "dag_id": dag_run.dag_id, "is_open": not is_open}]


@task
def mark_run(bucket: str, dag_id: str, is_open: bool, sent: Any) -> None:
    """Remember what the page about the run told, once SNS has it."""
    message_id_of(sent)
    page_store.remember_run_page(client("s3"), bucket, dag_id, is_open=is_open)
    log.info("remembered that the page about %s is %s", dag_id, "open" if is_open else "resolved")


@task_group
def run_page(
    subject: str, message: str, message_attributes: dict[str, str], dag_id: str, is_open: bool
) -> None:
    """One page about the run: out, then remembered."""
    publish = publish_page(setting("topic_arn"), subject, message, message_attributes)
    chain(publish, mark_run(setting("analytics_bucket"), dag_id, is_open, publish.output))


def page_failure(succeeded: Any, *, runbook: str) -> None:
    """The tasks that page a run in which the task `succeeded` did not return True; `runbook` is its
    path in the repository.

    A run is as its last tasks are. One of them is there to fail with it: the page would end well.
    """
    chain(succeeded, EmptyOperator(task_id="succeeded"))
    ended: Any = run_ended(setting("analytics_bucket"), runbook, succeeded)
    run_page.expand_kwargs(ended)
