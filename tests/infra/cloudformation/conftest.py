"""The platform deployed to a local AWS, once for all tests that look at what was deployed.

The deploy command runs against a local AWS of these tests' own, which checks signatures and
evaluates policies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import pytest
from botocore.exceptions import ClientError
from tests.support.local_aws import ACCOUNT, LocalAws, local_aws

# Not that of global services, in which much works by chance.
REGION: Final = "eu-central-1"
LARGE_OBJECT_BYTES: Final = 1024 * 1024
SMALL_IS_LARGE: Final = ("--parameter", f"RecorderLargeObjectBytes={LARGE_OBJECT_BYTES}")


def bucket(role: str) -> str:
    return f"custody-local-{role}-{ACCOUNT}"


@dataclass(frozen=True)
class Deployed:
    aws: LocalAws
    said: str
    """What the first deployment printed."""


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    with local_aws(tmp_path_factory.mktemp("local-aws"), REGION) as aws:
        yield Deployed(aws, aws.deploy(*SMALL_IS_LARGE))


@pytest.fixture(scope="session")
def aws(deployed: Deployed) -> LocalAws:
    return deployed.aws


def answer(call: Callable[..., object], **arguments: object) -> str:
    """`ok`, or the code of the error the call was refused with."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"
