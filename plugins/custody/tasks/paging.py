"""From findings to pages: the tasks that the DAGs which page have in common.

Each finding is told once, and once more when it is resolved; publishing comes before remembering,
so that a page may come twice when a task dies in between, but comes.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.providers.amazon.aws.operators.sns import SnsPublishOperator
from airflow.sdk import chain, task, task_group
from airflow.sdk.exceptions import AirflowFailException

from custody.aws.paging import pages as page_store
from custody.aws.paging.dead_letters import look
from custody.core.paging import messages as page_messages
from custody.core.paging.changes import Status, changes
from custody.core.paging.dead_letters import page_about
from custody.core.paging.findings import SEVERITIES, PageState, is_finding
from custody.core.paging.form import Page
from custody.core.paging.found import Found
from custody.tasks.defaults import client, setting
from custody.tasks.reporting import report_success
from custody.tasks.runs import report_of

log = logging.getLogger(__name__)


@task
def pages(
    bucket: str, run: dict[str, str], window: dict[str, Any], table: str
) -> list[dict[str, Any]]:
    """The pages that tell what `run` found and nobody has been told yet."""
    report = report_of(run, window, s3=client("s3"), kms=client("kms"))
    found = Found.from_document(report.found)
    paging = {finding.fingerprint for finding in found.rows if is_finding(finding)}
    states = page_store.page_states(client("s3"), bucket, [*paging, *found.watched])
    news = changes(found.rows, states, found.watched)
    messages = page_messages.pages(
        news,
        unread=found.left_out,
        window_start=window["start"],
        window_end=window["end"],
        table=table,
    )
    counts = Counter(change.status for change in news)
    log.info(
        "%d findings that page (%d more unread): %d new, %d reopened, %d named, %d known before;"
        " %d resolved; %d messages to send",
        len(paging),
        sum(left for (verdict, _), left in found.left_out.items() if verdict in SEVERITIES),
        counts[Status.OPEN],
        counts[Status.REOPENED],
        counts[Status.NAMED],
        len(paging) - sum(counts.values()) + counts[Status.RESOLVED],
        counts[Status.RESOLVED],
        len(messages),
    )
    topic = report.settings["topic_arn"]
    return [
        {**message_of(page), "topic": topic, "states": [state.to_json() for state in page.states]}
        for page in messages
    ]


@task
def mark(bucket: str, finder: str, states: list[dict[str, Any]], sent: Any) -> None:
    """Remember what the page told, once SNS has it."""
    message_id = message_id_of(sent)
    page_store.remember(client("s3"), bucket, finder, map(PageState.from_json, states))
    log.info("remembered what people were told of %d findings, by %s", len(states), message_id)


# A group, not mapped operators: its arguments reach the operator as they are. A mapped operator
# would render the texts in them as templates, and an object's key is whatever its uploader typed.
@task_group
def page(
    finder: str,
    subject: str,
    message: str,
    message_attributes: dict[str, str],
    topic: str,
    states: list[dict[str, Any]],
) -> None:
    """One page: out, to the topic that was deployed, then remembered."""
    publish = publish_page(topic, subject, message, message_attributes)
    chain(publish, mark(setting("analytics_bucket"), finder, states, publish.output))


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
def mark_queue(bucket: str, queue: str, is_open: bool, sent: Any) -> None:
    """Remember what the page about the queue told, once SNS has it."""
    message_id_of(sent)
    page_store.remember_queue_page(client("s3"), bucket, queue, is_open=is_open)
    log.info("remembered that the page about %s is %s", queue, "open" if is_open else "resolved")


@task_group
def dead_letters_page(
    queue: str, subject: str, message: str, message_attributes: dict[str, str], is_open: bool
) -> None:
    """One page about the queue: out, then remembered."""
    publish = publish_page(setting("topic_arn"), subject, message, message_attributes)
    chain(publish, mark_queue(setting("analytics_bucket"), queue, is_open, publish.output))


def message_of(page: Page) -> dict[str, Any]:
    """What of a page is published."""
    return {
        "subject": page.subject,
        "message": page.message,
        "message_attributes": dict(page.message_attributes),
    }


def message_id_of(sent: Any) -> str:
    """The id that SNS gave a page, from the answer that the task `publish` returned.

    Raises AirflowFailException where there is none: who marks `publish` as done has told nobody.
    """
    message_id = sent.get("MessageId") if isinstance(sent, Mapping) else None
    if not isinstance(message_id, str) or not message_id:
        raise AirflowFailException(
            "nobody was told: publish has no message id of SNS. It was marked as done and did not "
            "run: clear it, with the tasks after it"
        )
    return message_id


def publish_page(
    topic: str, subject: str, message: str, message_attributes: dict[str, str]
) -> SnsPublishOperator:
    """The task that sends a page to the people on call."""
    return SnsPublishOperator(
        task_id="publish",
        target_arn=topic,
        subject=subject,
        message=message,
        message_attributes=message_attributes,
        # The field as it was given, which no template in it makes anything else of.
        map_index_template="{{ task.subject }}",
    )


def page_dead_letters() -> None:
    """The tasks that page what has lain in the recorder's dead-letter queue too long.

    They wait for nothing else: also while nothing can be judged, people hear of it.
    """
    queue = f"{setting('project')}-{setting('stage')}-recorder-dlq"
    found: Any = dead_letters(setting("analytics_bucket"), queue, "{{ params.grace_minutes }}")
    dead_letters_page.partial(queue=queue).expand_kwargs(found)


def page_findings(
    judged: Any,
    published: Any,
    window: Any,
    *,
    run: dict[str, str],
    finder: str,
    ledger: str,
    success_metric: str,
) -> Any:
    """The tasks that page what `run` found, once the job has `judged`: it is read from what the run
    states of itself, so they wait for no table.

    `window` is the task of that name; `finder` is under which name the pages are remembered. People
    are sent to `ledger` to see for themselves. When they know, and readers are shown what was found
    (`published`), `success_metric` counts one: an alarm waits for it. Returns the task that does.
    """
    news: Any = pages(setting("analytics_bucket"), run, window, ledger)
    chain(judged, news)
    told = page.partial(finder=finder).expand_kwargs(news)
    deployment = f"{setting('project')}-{setting('stage')}"
    success: Any = report_success(deployment, success_metric, run, window)
    chain([told, published], success)
    return success
