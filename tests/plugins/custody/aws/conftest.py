from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from tests.support.moto_aws import REGION, make_bucket


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("s3", region_name=REGION)


@pytest.fixture
def raw(s3: Any) -> str:
    return make_bucket(s3, "custody-test-raw")


@pytest.fixture
def provenance(s3: Any) -> str:
    return make_bucket(s3, "custody-test-provenance")
