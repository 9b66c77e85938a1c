from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from tests.moto_aws import REGION
from tests.plugins.custody.cli.audited import Platform, honest


@pytest.fixture
def platform(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Platform]:
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield honest(boto3.client("s3", region_name=REGION), tmp_path, capsys)
