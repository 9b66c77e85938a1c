"""The table of calls: each operation by the event source and the name that CloudTrail shows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from custody.core.calls.identity import IAM, KMS, LAKE_FORMATION, STS
from custody.core.calls.kinds import READING, CallKind, Operation, Operations
from custody.core.calls.running import AIRFLOW, ATHENA, CLOUDFORMATION, GLUE, LAMBDA, SQS
from custody.core.calls.s3 import LOGGED_AS, S3, S3_CONTROL
from custody.core.calls.telling import CLOUDTRAIL, CLOUDWATCH, EVENTS, SNS, SSM

SERVICES: Final[Mapping[str, Operations]] = {
    "airflow": AIRFLOW,
    "athena": ATHENA,
    "cloudformation": CLOUDFORMATION,
    "cloudtrail": CLOUDTRAIL,
    "events": EVENTS,
    "glue": GLUE,
    "iam": IAM,
    "kms": KMS,
    "lakeformation": LAKE_FORMATION,
    "lambda": LAMBDA,
    "monitoring": CLOUDWATCH,
    "s3": {**S3_CONTROL, **S3},
    "sns": SNS,
    "sqs": SQS,
    "ssm": SSM,
    "sts": STS,
}
"""The operations of each service, by its name in event sources (`<name>.amazonaws.com`)."""

_SOURCE: Final = re.compile(r"([a-z0-9-]+)\.amazonaws\.com\Z")
_DATED: Final = re.compile(r"\d{8}(v\d+)?\Z")
"""Behind Lambda's names: "UpdateFunctionCode20150331v2"."""

_READ: Final = Operation(CallKind.READ)


def service_of(source: str) -> str | None:
    """The service behind an event source; None for one that the table does not have."""
    found = _SOURCE.match(source)
    return found[1] if found and found[1] in SERVICES else None


def operation_of(source: str, name: str) -> Operation | None:
    """The operation behind an event's source and name; None for one that the table does not have.

    Of a service of the table, that is a verb which nobody has looked at yet.
    """
    service = service_of(source)
    if service is None:
        return None
    called = _DATED.sub("", LOGGED_AS.get(name, name))
    known = SERVICES[service].get(called)
    if known is None and service != "s3" and called.startswith(READING):
        return _READ
    return known


def names_of(kind: CallKind) -> frozenset[str]:
    """The names of all operations on S3's objects and buckets that are of a kind."""
    return frozenset(name for name, operation in S3.items() if operation.kind is kind)
