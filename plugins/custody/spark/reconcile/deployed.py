"""What stands otherwise than it was deployed: Airflow's settings, and the recorder."""

from __future__ import annotations

import logging

import boto3

from custody.aws.parameters import other_settings
from custody.aws.recorder import deployed_recorder, standing_recorder, subscriptions
from custody.core.ledger.hours.windows import Window
from custody.core.ledger.kinds.control_changes import settings_row
from custody.core.ledger.kinds.recorder import recorder_rows
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow
from custody.core.runs.code import recorder_sha256
from custody.settings import Settings
from custody.spark.runs import Judge
from custody.spark.startup import CLIENTS

log = logging.getLogger(__name__)


def differences(judge: Judge, window: Window, policy: Policy) -> list[LedgerRow]:
    """The rows, in the window, of what stands otherwise than it was deployed."""
    return [
        *_of_settings(judge.settings, window, policy),
        *_of_recorder(judge, window, policy),
    ]


def _of_settings(settings: Settings, window: Window, policy: Policy) -> list[LedgerRow]:
    ssm = boto3.client("ssm", region_name=settings.region, config=CLIENTS)
    found = other_settings(
        ssm, settings, written_before=window.as_of - window.grace, now=window.as_of
    )
    if found is None:
        return []
    log.error("%s is not as deployed: %s", settings.parameter_name, found.differing or "no access")
    time = min(max(found.since, window.start), window.last_moment)
    return [settings_row(settings.parameter_name, found.differing, found.version, time, policy)]


def _of_recorder(judge: Judge, window: Window, policy: Policy) -> list[LedgerRow]:
    functions = boto3.client("lambda", region_name=judge.settings.region, config=CLIENTS)
    deployed = deployed_recorder(judge.settings, recorder_sha256(judge.sums))
    rows = list(
        recorder_rows(
            standing_recorder(functions, deployed),
            subscriptions(functions, deployed),
            deployed,
            policy,
            start=window.start,
            last=window.last_moment,
        )
    )
    for row in rows:
        log.error("%s: %s", row.object_key, row.verdict_reason)
    return rows
