from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
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


@pytest.fixture
def mwaa() -> Any:
    """A client of MWAA's, which `stub` answers for."""
    return boto3.client(
        "mwaa", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b"
    )


@pytest.fixture
def stub(mwaa: Any) -> Iterator[Stubber]:
    """What MWAA answers, in order; all of it has to be asked for."""
    with Stubber(mwaa) as stub:
        yield stub
        stub.assert_no_pending_responses()
