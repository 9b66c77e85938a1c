"""Reminding people once a day of what stands and nobody has taken on.

What stands is what the runs signed, and who took it on what the key of answers signed: nothing is
taken from what Airflow remembers of its pages.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from airflow.sdk import task

from custody.console.reading import MAX_DAYS, Console
from custody.core.console.overview import Overview
from custody.core.paging.form import Page
from custody.core.paging.links import Places
from custody.core.paging.reminding import Answered, Standing, reminder
from custody.settings import Settings
from custody.tasks.defaults import client
from custody.tasks.runs import last_report, seal_key_of
from custody.tasks.telling.paging import places_of, tell

log = logging.getLogger(__name__)

_DAYS: Final = timedelta(days=MAX_DAYS - 1)


@task
def remind(judge: dict[str, str], dag_run: Any = None) -> None:
    """Send the summary of what nobody has taken on, and of what was answered, if there is any."""
    s3, kms = client("s3"), client("kms")
    _, report = last_report(judge, s3=s3, kms=kms)
    settings = Settings.parse(dict(report.settings))
    now = datetime.now(UTC)
    overview = Console(s3, settings, seal_key_of(judge, kms), kms).overview(
        (now - _DAYS).date(), now
    )
    page = reminder_of(overview, places_of(report.settings, dag_run))
    log.info("%d findings stand; %d messages to send", len(overview.open), 1 if page else 0)
    tell(
        client("sns"),
        [page] if page else [],
        str(report.settings["topic_arn"]),
        lambda _, message_id: log.info("reminded people by %s", message_id),
    )


def reminder_of(overview: Overview, places: Places) -> Page | None:
    """The summary of what stands in an overview, None if there is nothing to tell; it leads to
    `places`."""
    untaken = [each for each in overview.standing if not overview.taken(each).holds]
    answers = [answer for given in overview.answers.values() for answer in given]
    found = overview.findings
    return reminder(
        [Standing(each.finding, each.since) for each in untaken],
        [
            Answered(answer, found[answer.finding].finding if answer.finding in found else None)
            for answer in sorted(answers, key=lambda answer: answer.at, reverse=True)
        ],
        now=overview.now,
        places=places,
    )
