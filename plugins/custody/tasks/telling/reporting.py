"""That a DAG has done its work, told to CloudWatch, whose alarms speak when it was not."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Final

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowFailException

from custody.aws import metrics
from custody.core.ledger.verdicts import Verdict
from custody.tasks.defaults import client
from custody.tasks.runs import last_report, news_of

log = logging.getLogger(__name__)


_RECENT: Final = timedelta(hours=3)
"""How long ago a run may have judged as of: it takes two hours at most (`defaults.GLUE`)."""


@task
def report_success(
    deployment: str, metric: str, bucket: str, judge: dict[str, str], awaited: str
) -> bool:
    """Count one success of a job, and how many of its last run's rows say that the trail is broken.

    A run that judged only hours of long ago is none, nor is one that is not the `awaited` run, or
    not of now: whoever has such alone does not watch. Returns True: what did not run has returned
    nothing.
    Raises AirflowFailException while people are not known to have been told what was found,
    whatever the state of the task that tells them.
    """
    s3 = client("s3")
    run, report = last_report(judge, s3=s3, kms=client("kms"))
    _, untold = news_of(report, s3, bucket)
    if untold:
        raise AirflowFailException(
            f"nobody was told of {len(untold)} findings. The task `pages` was marked as done and "
            "did not run: clear it, with the tasks after it"
        )
    watches = run.is_of_now and run.id == awaited and run.as_of > datetime.now(UTC) - _RECENT
    broken = report.verdicts.get(Verdict.TRAIL_BROKEN.value, 0)
    numbers = {metric: int(watches), "TrailBroken": broken}
    metrics.publish(client("cloudwatch"), deployment, numbers)
    log.info("%s of %s: %d; TrailBroken: %d", metric, deployment, numbers[metric], broken)
    return True
