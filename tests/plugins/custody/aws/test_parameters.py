"""The settings that Airflow reads are held against those deployed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.support.moto_aws import REGION, refusal

from custody.aws.parameters import OtherSettings, other_settings
from custody.settings import Settings

DOCUMENT = {"project": "custody", "stage": "dev", "uploader_arns": "arn:a", "topic_arn": "arn:t"}
DEPLOYED = Settings.parse(DOCUMENT)
NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=1)


@pytest.fixture
def ssm() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("ssm", region_name=REGION)


def put(ssm: Any, value: str) -> None:
    name = DEPLOYED.parameter_name
    ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


def found(ssm: Any, written_before: datetime = LATER) -> OtherSettings | None:
    return other_settings(ssm, DEPLOYED, written_before=written_before, now=NOW)


def test_the_same_settings_are_no_difference(ssm: Any) -> None:
    put(ssm, json.dumps(dict(reversed(DOCUMENT.items())), indent=1))
    assert found(ssm) is None


def test_what_differs_is_told_with_the_parameters_version(ssm: Any) -> None:
    put(ssm, json.dumps(DOCUMENT))
    before = datetime.now(UTC) - timedelta(seconds=1)  # the answer has milliseconds
    put(ssm, json.dumps(DOCUMENT | {"uploader_arns": "arn:a,arn:insider", "topic_arn": "arn:x"}))
    other = found(ssm)
    assert other is not None
    assert (other.differing, other.version) == (("topic_arn", "uploader_arns"), 2)
    assert before < other.since < datetime.now(UTC) + timedelta(seconds=1)


def test_what_was_written_just_now_is_left_to_the_next_run(ssm: Any) -> None:
    put(ssm, json.dumps(DOCUMENT | {"stage": "prod"}))
    assert found(ssm, written_before=NOW - timedelta(minutes=30)) is None


@pytest.mark.parametrize("value", ["rubbish", "[]"])
def test_what_holds_no_settings_differs_in_all(ssm: Any, value: str) -> None:
    put(ssm, value)
    other = found(ssm)
    assert other is not None
    assert other.differing == tuple(sorted(DOCUMENT))


def test_a_parameter_that_is_gone_is_told(ssm: Any) -> None:
    assert found(ssm) == OtherSettings((), 0, NOW)


def test_a_parameter_that_may_not_be_read_is_told(ssm: Any) -> None:
    refuse = refusal("AccessDeniedException", 400)
    ssm.meta.events.register("before-call.ssm.GetParameter", lambda **_: refuse)
    assert found(ssm) == OtherSettings((), 0, NOW)


def test_a_service_that_is_away_is_no_finding(ssm: Any) -> None:
    refuse = refusal("ValidationException", 400)
    ssm.meta.events.register("before-call.ssm.GetParameter", lambda **_: refuse)
    with pytest.raises(ssm.exceptions.ClientError):
        found(ssm)
