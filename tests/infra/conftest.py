"""One local AWS for all tests that deploy something; each has stacks of its own names there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from tests.support.local_aws import LocalAws, local_aws

# Not that of global services, in which much works by chance.
REGION: Final = "eu-central-1"


@pytest.fixture(scope="session")
def started_aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    with local_aws(tmp_path_factory.mktemp("local-aws"), REGION) as aws:
        yield aws
