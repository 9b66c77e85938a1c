from typing import Any

import pytest
from tests.support.moto_aws import make_bucket
from tests.support.publications import ANALYTICS, PROCESSED, PROVENANCE


@pytest.fixture
def buckets(s3: Any) -> None:
    for name in (PROCESSED, ANALYTICS, PROVENANCE):
        make_bucket(s3, name)
