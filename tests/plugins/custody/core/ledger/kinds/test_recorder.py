"""The recorder that stands is held against the one that was deployed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from infra.deployment.templates.reading import FOLDER, load
from tests.support.removals import DAY, HOUR, NOON, POLICY

from custody.core.ledger.kinds.control_changes import without_known
from custody.core.ledger.kinds.recorder import (
    HANDLER,
    RUNTIME,
    DeployedRecorder,
    StandingRecorder,
    Subscription,
    recorder_rows,
)
from custody.core.ledger.rows import LedgerRow

ROLE = "arn:aws:iam::111122223333:role/custody-dev-recorder"
ARN = "arn:aws:lambda:us-east-1:111122223333:function:custody-dev-recorder"
DEPLOYED = DeployedRecorder(
    arn=ARN,
    queue_arn="arn:aws:sqs:us-east-1:111122223333:custody-dev-recorder",
    sha256="aa" * 32,
    role=ROLE,
    variables={"PROVENANCE_BUCKET": ("provenance",), "LARGE_OBJECT_BYTES": ()},
)
STANDING = StandingRecorder(
    changed_at=NOON - DAY,
    sha256="aa" * 32,
    handler=HANDLER,
    runtime=RUNTIME,
    role=ROLE,
    layers=(),
    variables={"PROVENANCE_BUCKET": "provenance", "LARGE_OBJECT_BYTES": "9"},
)
SUBSCRIBED = Subscription(ARN, NOON - DAY)
START, LAST = NOON - 4 * HOUR, NOON - timedelta(milliseconds=1)


def rows(
    standing: StandingRecorder | None = STANDING,
    subscriptions: Sequence[Subscription] | None = (SUBSCRIBED,),
    deployed: DeployedRecorder = DEPLOYED,
) -> list[LedgerRow]:
    return list(recorder_rows(standing, subscriptions, deployed, POLICY, start=START, last=LAST))


def test_the_deployed_recorder_is_no_finding() -> None:
    assert rows() == []


def test_other_code_is_a_finding_of_nobody() -> None:
    (row,) = rows(replace(STANDING, sha256="bb" * 32))
    assert (row.verdict, row.bucket) == ("CONTROL_CHANGED", "AwsControl")
    assert row.object_key == "lambda/function/custody-dev-recorder/code"
    assert (row.principal_arn, row.event_time) == (None, START)
    assert f"SHA-256 {'bb' * 32}, that deployed {'aa' * 32}" in row.verdict_reason


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (replace(STANDING, handler="other.handler"), "its handler is other.handler"),
        (replace(STANDING, runtime="provided.al2023"), "its runtime is provided.al2023"),
        (replace(STANDING, role=f"{ROLE}s"), f"its role is {ROLE}s"),
        (replace(STANDING, layers=("arn:layer:1",)), "its layer is arn:layer:1"),
        (
            replace(STANDING, variables={**STANDING.variables, "PYTHONPATH": "/tmp"}),  # noqa: S108
            "its variable PYTHONPATH is /tmp",
        ),
        (
            replace(STANDING, variables={**STANDING.variables, "PROVENANCE_BUCKET": "mine"}),
            "its variable PROVENANCE_BUCKET is mine",
        ),
        (
            replace(STANDING, variables={"PROVENANCE_BUCKET": "provenance"}),
            "its variable LARGE_OBJECT_BYTES is missing",
        ),
        (None, "it cannot be read"),
    ],
)
def test_what_decides_which_code_runs_is_compared(
    changed: StandingRecorder | None, told: str
) -> None:
    (row,) = rows(changed)
    assert row.object_key == "lambda/function/custody-dev-recorder/configuration"
    assert f"{told}. " in row.verdict_reason


@pytest.mark.parametrize(
    ("subscriptions", "told"),
    [
        ([Subscription(f"{ARN}:1", NOON - DAY)], f"its queue starts {ARN}:1"),
        ([SUBSCRIBED, Subscription(f"{ARN}-mine", NOON - DAY)], f"its queue starts {ARN}-mine"),
        ([], "its queue starts nothing"),
        (None, "what its queue starts: it cannot be read"),
    ],
)
def test_the_queue_starts_the_function_and_nothing_else(
    subscriptions: Sequence[Subscription] | None, told: str
) -> None:
    (row,) = rows(subscriptions=subscriptions)
    assert row.object_key == "lambda/function/custody-dev-recorder/subscription"
    assert told in row.verdict_reason


def test_a_bundle_without_the_recorder_vouches_for_none() -> None:
    assert [row.object_key for row in rows(deployed=replace(DEPLOYED, sha256=None))] == [
        "lambda/function/custody-dev-recorder/code"
    ]


def test_what_a_deployment_has_just_changed_is_left_to_the_next_run() -> None:
    """It changes the function some minutes before it tells those who judge which it deployed."""

    def changed(at: datetime) -> list[LedgerRow]:
        other = replace(STANDING, sha256="bb" * 32, handler="other", changed_at=at)
        return rows(other, [Subscription(f"{ARN}:1", at)])

    assert changed(NOON - POLICY.grace + timedelta(seconds=1)) == []
    assert len(changed(NOON - POLICY.grace)) == 3


def test_each_change_is_a_finding_of_its_own_and_told_once() -> None:
    def found(at: datetime) -> str:
        (row,) = rows(replace(STANDING, sha256="bb" * 32, changed_at=at))
        return row.fingerprint

    assert found(NOON - DAY) == found(NOON - DAY) != found(NOON - 2 * DAY)


def test_a_change_of_which_the_trail_tells_is_told_with_its_name() -> None:
    (row,) = rows(replace(STANDING, sha256="bb" * 32))
    told = replace(row, principal_arn="arn:aws:iam::111122223333:user/insider", event_id="e")
    assert without_known([row], [told]) == []
    elsewhere = replace(told, object_key="lambda/function/custody-dev-recorder/configuration")
    assert without_known([row], [elsewhere]) == [row]


def test_the_stack_deploys_what_is_compared() -> None:
    function = load(FOLDER / "recorder.yaml")["Resources"]["Function"]["Properties"]
    assert (function["Handler"], function["Runtime"]) == (HANDLER, RUNTIME)
    assert "Layers" not in function
