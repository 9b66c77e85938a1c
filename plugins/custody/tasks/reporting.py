"""That a DAG has done its work, told to CloudWatch, whose alarms speak when it was not."""

from __future__ import annotations

import logging
from collections import Counter
from typing import Any

from airflow.sdk import TriggerRule, task

from custody.aws import metrics
from custody.aws.athena import rows
from custody.core.ledger.verdicts import Verdict
from custody.core.ledger.windows import Window
from custody.core.paging.findings import read_findings_of
from custody.tasks.defaults import client

log = logging.getLogger(__name__)


# Without findings, the tasks that page are skipped.
@task(trigger_rule=TriggerRule.NONE_FAILED)
def report_success(deployment: str, metric: str, query: str, window: dict[str, Any]) -> bool:
    """Count one success, and how many of the findings of `query` say that the trail is broken.

    A run that judged only hours of long ago is none: whoever runs such alone does not watch.
    Returns True: what did not run has returned nothing.
    """
    found, unread = read_findings_of(rows(client("athena"), query))
    verdicts = Counter(finding.verdict for finding in found)
    for (verdict, _), left in unread.items():
        verdicts[verdict] += left
    broken = verdicts[Verdict.TRAIL_BROKEN.value]
    numbers = {metric: 1, "TrailBroken": broken}
    if not Window.of(window).is_of_now:
        numbers[metric] = 0
    metrics.publish(client("cloudwatch"), deployment, numbers)
    log.info("%s of %s: %d; TrailBroken: %d", metric, deployment, numbers[metric], broken)
    return True
