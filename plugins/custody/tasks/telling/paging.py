"""From findings to pages: the tasks that the DAGs which page have in common.

Each finding is told once, and once more when it is resolved. What a page says, that it is out, and
that it is remembered as told is the work of one task: nothing of it goes through an XCom, which who
works in Airflow can edit. Publishing comes before remembering, so that a page may come twice when
the task dies in between, but comes.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from airflow.sdk import chain, task
from botocore.exceptions import BotoCoreError, ClientError

from custody.aws.paging import pages as page_store
from custody.aws.paging.dead_letters import look
from custody.aws.paging.publishing import publish
from custody.core.paging import messages as page_messages
from custody.core.paging.changes import Status
from custody.core.paging.dead_letters import page_about
from custody.core.paging.findings import SEVERITIES, is_finding
from custody.core.paging.form import Page
from custody.core.paging.found import Found
from custody.core.paging.links import Places
from custody.tasks.defaults import client, setting
from custody.tasks.runs import last_report, news_of
from custody.tasks.telling.reporting import report_success

log = logging.getLogger(__name__)


_MINUTE: Final = "%Y-%m-%d %H:%M:%S"


class PagesNotSent(Exception):
    """SNS has not taken some of the pages; nobody is taken to know what they say."""


@task
def pages(bucket: str, judge: dict[str, str], finder: str, table: str, dag_run: Any = None) -> None:
    """Tell people what the last run of a job found and nobody has been told yet, at the topic that
    was deployed, and remember it."""
    s3 = client("s3")
    run, report = last_report(judge, s3=s3, kms=client("kms"))
    found, news = news_of(report, s3, bucket)
    messages = page_messages.pages(
        news,
        unread=found.left_out,
        window_start=f"{run.start:{_MINUTE}}",
        window_end=f"{run.end:{_MINUTE}}",
        table=table,
        places=places_of(report.settings, dag_run),
    )
    _say(found, Counter(change.status for change in news), len(messages))

    def remember(page: Page, message_id: str) -> None:
        page_store.remember(s3, bucket, finder, page.states)
        log.info(
            "remembered what people were told of %d findings, by %s", len(page.states), message_id
        )

    tell(client("sns"), messages, str(report.settings["topic_arn"]), remember)


def places_of(settings: Mapping[str, object], dag_run: Any) -> Places:
    """Where pages of a run lead, by these settings (of findings: those that the job judged by)."""
    named = {
        name: str(settings.get(name) or "") for name in ("region", "partition", "trail_bucket")
    }
    return Places(
        airflow=str(settings.get("airflow_url") or ""),
        dag_id=dag_run.dag_id if dag_run else "",
        run_id=dag_run.run_id if dag_run else "",
        **named,
    )


def _say(found: Found, counts: Counter[Status], messages: int) -> None:
    paging = {finding.fingerprint for finding in found.rows if is_finding(finding)}
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
        messages,
    )


@task
def dead_letters(
    bucket: str,
    queue: str,
    grace_minutes: str,
    topic: str,
    settings: dict[str, str],
    dag_run: Any = None,
) -> None:
    """Tell people what is new about the recorder's dead-letter queue, if anything is, and remember
    it."""
    s3 = client("s3")
    is_open = page_store.is_queue_page_open(s3, bucket, queue)
    seen = look(client("sqs"), queue)
    page = page_about(
        seen,
        is_open=is_open,
        now=datetime.now(UTC),
        grace=timedelta(minutes=int(grace_minutes)),
        places=places_of(settings, dag_run),
    )
    log.info(
        "%s%d messages in %s; people %s of it; %d messages to send",
        "" if seen.complete else "at least ",
        len(seen.letters),
        queue,
        "know" if is_open else "do not know",
        0 if page is None else 1,
    )

    def remember(_page: Page, message_id: str) -> None:
        page_store.remember_queue_page(s3, bucket, queue, is_open=not is_open)
        told = "resolved" if is_open else "open"
        log.info("remembered that the page about %s is %s, by %s", queue, told, message_id)

    tell(client("sns"), [page] if page else [], topic, remember)


def tell(
    sns: Any, pages: Iterable[Page], topic: str, remember: Callable[[Page, str], None]
) -> None:
    """Send pages to the people on call, and `remember` each with the id that SNS gave it.

    One that SNS refuses holds up no other. Raises `PagesNotSent` then, or what remembering raises.
    """
    refused = list[str]()
    for page in pages:
        try:
            message_id = publish(sns, topic, page)
        except (BotoCoreError, ClientError) as error:
            refused.append(f"{page.subject}: {error}")
        else:
            remember(page, message_id)
    if refused:
        raise PagesNotSent(f"{len(refused)} pages were not sent; the first: {refused[0]}")


def page_dead_letters() -> None:
    """The task that pages what has lain in the recorder's dead-letter queue too long.

    It waits for nothing else: also while nothing can be judged, people hear of it.
    """
    queue = f"{setting('project')}-{setting('stage')}-recorder-dlq"
    grace = "{{ params.grace_minutes }}"
    places = {name: setting(name) for name in ("airflow_url", "region", "partition")}
    dead_letters(setting("analytics_bucket"), queue, grace, setting("topic_arn"), places)


def page_findings(
    judged: Any,
    published: Any,
    *,
    judge: dict[str, str],
    run_id: str,
    finder: str,
    ledger: str,
    success_metric: str,
) -> Any:
    """The tasks that page what a job found, once it has `judged`: it is read from what its last run
    states of itself, so they wait for no table.

    `judge` is `custody.tasks.runs.judge_of` the job, `run_id` its run, and `finder` the name under
    which the pages are remembered. People are sent to `ledger` to see for themselves. When they
    know, and readers are shown what was found (`published`), `success_metric` counts one: an alarm
    waits for it. Returns the task that does.
    """
    bucket = setting("analytics_bucket")
    told: Any = pages(bucket, judge, finder, ledger)
    chain(judged, told)
    deployment = f"{setting('project')}-{setting('stage')}"
    success: Any = report_success(deployment, success_metric, bucket, judge, run_id)
    chain([told, published], success)
    return success
