"""From findings in a table to pages: the tasks that the DAGs which page have in common.

Each finding is told once, and once more when it is resolved; publishing comes before remembering,
so that a page may come twice when a task dies in between, but comes.
"""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.amazon.aws.operators.athena import AthenaOperator
from airflow.providers.amazon.aws.operators.sns import SnsPublishOperator
from airflow.sdk import chain, task, task_group

from custody.aws.athena import rows
from custody.aws.paging import pages as page_store
from custody.aws.paging.dead_letters import look
from custody.core.paging import messages as page_messages
from custody.core.paging.changes import Status, changes, rows_that_settle
from custody.core.paging.dead_letters import page_about
from custody.core.paging.findings import (
    MAX_WATCHED,
    READ_LIMIT,
    SEVERITIES,
    PageState,
    is_finding,
    read_findings_of,
)
from custody.core.paging.form import Page
from custody.tasks.defaults import ATHENA, client, setting
from custody.tasks.reporting import report_success

log = logging.getLogger(__name__)


@task
def open_pages(bucket: str, finder: str, window: dict[str, Any]) -> dict[str, list[str]]:
    """The open pages to look at, and the rows that decide whether they stay open; fingerprints."""
    states = page_store.open_pages(client("s3"), bucket, finder, window["watched"])
    watched = [state.finding for state in itertools.islice(states, MAX_WATCHED)]
    log.info("%d open pages may be resolved by what was found now", len(watched))
    return {
        "pages": [finding.fingerprint for finding in watched],
        "rows": [row for finding in watched for row in rows_that_settle(finding)],
    }


@task
def pages(
    bucket: str, window: dict[str, Any], watched: dict[str, list[str]], query: str, table: str
) -> list[dict[str, Any]]:
    """The pages that tell what nobody has been told yet."""
    found, unread = read_findings_of(rows(client("athena"), query))
    states = page_store.page_states(
        client("s3"),
        bucket,
        [*(finding.fingerprint for finding in found if is_finding(finding)), *watched["pages"]],
    )
    news = changes(found, states, watched["pages"])
    messages = page_messages.pages(
        news,
        unread=unread,
        window_start=window["start"],
        window_end=window["end"],
        table=table,
    )
    paging = {finding.fingerprint for finding in found if is_finding(finding)}
    counts = Counter(change.status for change in news)
    log.info(
        "%d findings that page (%d more unread): %d new, %d reopened, %d named, %d known before;"
        " %d resolved; %d messages to send",
        len(paging),
        sum(left for (verdict, _), left in unread.items() if verdict in SEVERITIES),
        counts[Status.OPEN],
        counts[Status.REOPENED],
        counts[Status.NAMED],
        len(paging) - sum(counts.values()) + counts[Status.RESOLVED],
        counts[Status.RESOLVED],
        len(messages),
    )
    return [
        {**message_of(page), "states": [state.to_json() for state in page.states]}
        for page in messages
    ]


@task
def mark(bucket: str, finder: str, states: list[dict[str, Any]]) -> None:
    """Remember what the page told."""
    page_store.remember(client("s3"), bucket, finder, map(PageState.from_json, states))
    log.info("remembered what people were told of %d findings", len(states))


# A group, not mapped operators: its arguments reach the operator as they are. A mapped operator
# would render the texts in them as templates, and an object's key is whatever its uploader typed.
@task_group
def page(
    finder: str,
    subject: str,
    message: str,
    message_attributes: dict[str, str],
    states: list[dict[str, Any]],
) -> None:
    """One page: out, then remembered."""
    publish = publish_page(subject, message, message_attributes)
    chain(publish, mark(setting("analytics_bucket"), finder, states))


@task
def dead_letters(bucket: str, queue: str, grace_minutes: str) -> list[dict[str, Any]]:
    """The page about the recorder's dead-letter queue, if there is news of it."""
    is_open = page_store.is_queue_page_open(client("s3"), bucket, queue)
    seen = look(client("sqs"), queue)
    page = page_about(
        seen,
        is_open=is_open,
        now=datetime.now(UTC),
        grace=timedelta(minutes=int(grace_minutes)),
    )
    log.info(
        "%s%d messages in %s; people %s of it; %d messages to send",
        "" if seen.complete else "at least ",
        len(seen.letters),
        queue,
        "know" if is_open else "do not know",
        0 if page is None else 1,
    )
    return [] if page is None else [{**message_of(page), "is_open": not is_open}]


@task
def mark_queue(bucket: str, queue: str, is_open: bool) -> None:
    """Remember what the page about the queue told."""
    page_store.remember_queue_page(client("s3"), bucket, queue, is_open=is_open)
    log.info("remembered that the page about %s is %s", queue, "open" if is_open else "resolved")


@task_group
def dead_letters_page(
    queue: str, subject: str, message: str, message_attributes: dict[str, str], is_open: bool
) -> None:
    """One page about the queue: out, then remembered."""
    publish = publish_page(subject, message, message_attributes)
    chain(publish, mark_queue(setting("analytics_bucket"), queue, is_open))


def message_of(page: Page) -> dict[str, Any]:
    """What of a page is published."""
    return {
        "subject": page.subject,
        "message": page.message,
        "message_attributes": dict(page.message_attributes),
    }


def publish_page(
    subject: str, message: str, message_attributes: dict[str, str]
) -> SnsPublishOperator:
    """The task that sends a page to the people on call."""
    return SnsPublishOperator(
        task_id="publish",
        target_arn=setting("topic_arn"),
        subject=subject,
        message=message,
        message_attributes=message_attributes,
    )


def page_dead_letters() -> None:
    """The tasks that page what has lain in the recorder's dead-letter queue too long.

    They wait for nothing else: also while nothing can be judged, people hear of it.
    """
    queue = f"{setting('project')}-{setting('stage')}-recorder-dlq"
    found: Any = dead_letters(setting("analytics_bucket"), queue, "{{ params.grace_minutes }}")
    dead_letters_page.partial(queue=queue).expand_kwargs(found)


def page_findings(
    published: Any, window: Any, *, table: str, ledger: str, success_metric: str
) -> Any:
    """The tasks that page what stands in `table` once `published` is done.

    `window` is the task of that name: its parameters as the statements take them, and in
    `watched` the partitions whose open pages are looked at. People are sent to `ledger` to see
    for themselves. When they know, `success_metric` counts one: an alarm waits for it. Returns the
    task that does.
    """
    bucket = setting("analytics_bucket")
    watched: Any = open_pages(bucket, table, window)
    read_findings: Any = AthenaOperator(
        task_id="read_findings",
        query="{% set window = ti.xcom_pull(task_ids='window') %}"
        "{% set watched = ti.xcom_pull(task_ids='open_pages')['rows'] %}"
        f"{{% set table = '{table}' %}}"
        f"{{% set verdicts = {list(SEVERITIES)} %}}{{% set limit = {READ_LIMIT} %}}"
        "{% include 'reconcile/read_findings.sql' %}",
        **ATHENA,
    )
    chain(published, watched, read_findings)
    told = page.partial(finder=table).expand_kwargs(
        pages(bucket, window, watched, read_findings.output, ledger)
    )
    deployment = f"{setting('project')}-{setting('stage')}"
    success: Any = report_success(deployment, success_metric, read_findings.output, window)
    chain(told, success)
    return success
