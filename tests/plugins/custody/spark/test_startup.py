"""How the jobs start."""

from __future__ import annotations

import boto3
import pytest
from tests.support.landing_zone import KEY_ARN

from custody.aws.trail.validation import Pace
from custody.spark.startup import kms_client, s3_client


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials and a region of its own, whatever the tests before had."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


def test_clients_try_again_and_serve_all_that_read_at_once() -> None:
    config = s3_client().meta.config
    assert config.retries == {"mode": "standard", "total_max_attempts": 11}
    assert config.max_pool_connections >= Pace.workers


def test_a_key_is_asked_where_it_is() -> None:
    assert kms_client(KEY_ARN).meta.region_name == "us-east-1"
