"""That a DAG has done its work, told to CloudWatch, whose alarms speak when it was not."""

from __future__ import annotations

import logging
from collections import Counter

from airflow.sdk import TriggerRule, task

from custody.aws import metrics
from custody.aws.athena import rows
from custody.core.ledger.verdicts import Verdict
from custody.core.paging.findings import read_findings_of
from custody.tasks.defaults import client

log = logging.getLogger(__name__)


# Without findings, the tasks that page are skipped.
@task(trigger_rule=TriggerRule.NONE_FAILED)
def report_success(deployment: str, metric: str, query: str) -> bool:
    """Count one success, and how many of the findings of `query` say that the trail is broken.

    Returns True: what did not run has returned nothing.
    """
    found, unread = read_findings_of(rows(client("athena"), query))
    verdicts = Counter(finding.verdict for finding in found)
    for (verdict, _), left in unread.items():
        verdicts[verdict] += left
    broken = verdicts[Verdict.TRAIL_BROKEN.value]
    metrics.publish(client("cloudwatch"), deployment, {metric: 1, "TrailBroken": broken})
    log.info("%s of %s: 1; TrailBroken: %d", metric, deployment, broken)
    return True
