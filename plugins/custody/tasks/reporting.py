"""That a DAG has done its work, told to CloudWatch, whose alarms speak when it was not."""

from __future__ import annotations

import logging
from typing import Any

from airflow.sdk import task
from airflow.sdk.exceptions import AirflowFailException

from custody.aws import metrics
from custody.core.ledger.hours.windows import Window
from custody.core.ledger.verdicts import Verdict
from custody.tasks.defaults import client
from custody.tasks.runs import news_of, report_of

log = logging.getLogger(__name__)


@task
def report_success(
    deployment: str, metric: str, bucket: str, run: dict[str, str], window: dict[str, Any]
) -> bool:
    """Count one success, and how many of the rows of `run` say that the trail is broken.

    A run that judged only hours of long ago is none: whoever runs such alone does not watch.
    Returns True: what did not run has returned nothing. Raises AirflowFailException while people
    are not known to have been told what it found, whatever the state of the task that tells them.
    """
    s3 = client("s3")
    report = report_of(run, window, s3=s3, kms=client("kms"))
    _, untold = news_of(report, s3, bucket)
    if untold:
        raise AirflowFailException(
            f"nobody was told of {len(untold)} findings. The task `pages` was marked as done and "
            "did not run: clear it, with the tasks after it"
        )
    broken = report.verdicts.get(Verdict.TRAIL_BROKEN.value, 0)
    numbers = {metric: 1, "TrailBroken": broken}
    if not Window.of(window).is_of_now:
        numbers[metric] = 0
    metrics.publish(client("cloudwatch"), deployment, numbers)
    log.info("%s of %s: %d; TrailBroken: %d", metric, deployment, numbers[metric], broken)
    return True
