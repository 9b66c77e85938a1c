"""How every job starts: its arguments, its log, its clients.

All that this imports is in Glue already: the job for large objects is given no further modules.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client

CLIENTS: Final = Config(
    retries={"mode": "standard", "max_attempts": 10},
    max_pool_connections=64,  # as many as read the trail at once (`custody.aws.trail.validation`)
)
"""The clients retry often enough to outlast a busy service."""

BRIEF: Final = Config(
    retries={"mode": "standard", "max_attempts": 2}, connect_timeout=5, read_timeout=20
)
"""The client of what a run can do without: it is not waited for long."""


def job_arguments(argv: list[str], names: Iterable[str]) -> dict[str, str]:
    """The arguments `names` of a job, and `JOB_RUN_ID`, which Glue gives to every run."""
    from awsglue.utils import getResolvedOptions  # noqa: PLC0415 - exists only on Glue

    arguments: dict[str, str] = getResolvedOptions(argv, list(names))
    return arguments


def log_to_stdout() -> None:
    """Let Glue's log of the run have what `custody` says."""
    logging.basicConfig(stream=sys.stdout, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("custody").setLevel(logging.INFO)


def s3_client() -> S3Client:
    """A client with the job's own credentials; made in every task, as clients do not travel."""
    return boto3.client("s3", config=CLIENTS)


def kms_client(key_arn: str) -> KMSClient:
    """A client of the region that a key is in."""
    return boto3.client("kms", region_name=key_arn.split(":")[3], config=CLIENTS)
