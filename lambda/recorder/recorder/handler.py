"""Lambda entry point: SQS messages with S3 notifications in, signed landing records out.

Environment variables, read on each invocation and all required:

``PROVENANCE_BUCKET``
    Bucket that keeps the records.
``SIGNING_KEY_ARN``
    ARN of the KMS key (ECC_NIST_P256, SIGN_VERIFY) that signs them. Not an alias: the ARN becomes
    the key id in the record.

A message that fails is reported alone (``ReportBatchItemFailures``) and comes back; after the
queue's ``maxReceiveCount`` it moves to the dead-letter queue, with one ``error`` line in the log
for every attempt. That is also the end of a message whose object version was deleted before it
could be hashed (``VersionGone``): nobody can hash it any more, and the ledger shows the write as
unrecorded.

Large objects: one invocation must read the whole object. Small objects of a batch go first, and
what does not fit in the invocation's time fails with ``OutOfTime`` instead of taking the batch
along.
"""

from __future__ import annotations

import json
import os
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from custody.aws.hashing import IncompleteObject, VersionGone, hash_version
from custody.aws.records import Kept, Outcome, keep_record
from custody.aws.signing import is_key_arn, sign_statement
from custody.core.landing import to_statement
from custody.core.notifications import ObjectCreated, message_records, object_created
from custody.core.untrusted import MalformedInput
from recorder.core import NotAsAnnounced, landing_record

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client

_RESERVED_MS: Final = 10_000
"""Time kept back at the end of an invocation to sign, write and answer."""


class OutOfTime(Exception):
    """The invocation has too little time left to read (on)."""


_EXPLAINED: Final = (
    MalformedInput,
    VersionGone,
    IncompleteObject,
    NotAsAnnounced,
    OutOfTime,
    ClientError,
    BotoCoreError,
)
"""Failures whose text says it all, by the names the runbook knows; any other is a bug and is logged
with its traceback."""


@dataclass(frozen=True)
class Settings:
    """Where records go and which key signs them."""

    provenance_bucket: str
    signing_key_arn: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Raises ``ValueError`` naming the variable that is missing or wrong."""
        missing = [n for n in ("PROVENANCE_BUCKET", "SIGNING_KEY_ARN") if not env.get(n)]
        if missing:
            raise ValueError(f"environment variable {' and '.join(missing)} must be set")
        if not is_key_arn(env["SIGNING_KEY_ARN"]):
            raise ValueError(
                "environment variable SIGNING_KEY_ARN must be the ARN of a KMS key "
                f"(arn:…:key/…), not {env['SIGNING_KEY_ARN']!r}"
            )
        return cls(env["PROVENANCE_BUCKET"], env["SIGNING_KEY_ARN"])


@dataclass(frozen=True)
class Services:
    """What a recording needs from outside; ``remaining_ms`` is the invocation's time left."""

    s3: S3Client
    kms: KMSClient
    now: Callable[[], datetime]
    remaining_ms: Callable[[], int]

    def check_time(self) -> None:
        if (left := self.remaining_ms()) < _RESERVED_MS:
            raise OutOfTime(f"{left} ms of the invocation left, {_RESERVED_MS} are reserved")


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Record what the batch announces; the answer lists the messages to deliver again."""
    s3, kms = _clients()
    services = Services(
        s3=s3,
        kms=kms,
        now=lambda: datetime.now(UTC),
        remaining_ms=context.get_remaining_time_in_millis,
    )
    return run(event, services=services, settings=Settings.from_env(os.environ))


def run(
    event: Mapping[str, Any], *, services: Services, settings: Settings
) -> dict[str, list[dict[str, str]]]:
    """Like ``lambda_handler``, with its surroundings given.

    Every event record of every message is tried, whatever becomes of the others; a message fails
    if any of its records did. Trying one twice changes nothing.
    """
    failed: dict[str, None] = {}
    landed: list[tuple[str, ObjectCreated]] = []
    for message in event["Records"]:
        message_id = message["messageId"]
        try:
            records = message_records(message["body"])
        except MalformedInput as error:
            _log_failure(error, messageId=message_id)
            failed[message_id] = None
            continue
        if not records:
            _log("info", "test event", messageId=message_id)
        for i, record in enumerate(records):
            try:
                landed.append((message_id, object_created(record, f"Records[{i}]")))
            except MalformedInput as error:
                _log_failure(error, messageId=message_id)
                failed[message_id] = None
    for message_id, created in sorted(landed, key=lambda pair: pair[1].size_bytes):
        version = {
            "messageId": message_id,
            "bucket": created.bucket,
            "key": created.key,
            "versionId": created.version_id,
        }
        try:
            kept = _record(created, services, settings)
        except Exception as error:  # noqa: BLE001 - one bad object must not stop the others
            _log_failure(error, **version)
            failed[message_id] = None
        else:
            level = "error" if kept.outcome is Outcome.CONFLICT else "info"
            _log(level, kept.outcome.value, recordKey=kept.key, **version)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _record(created: ObjectCreated, services: Services, settings: Settings) -> Kept:
    hashed = hash_version(
        services.s3,
        created.bucket,
        created.key,
        created.version_id,
        before_chunk=services.check_time,
    )
    record = landing_record(created, hashed, services.now())
    envelope = sign_statement(services.kms, settings.signing_key_arn, to_statement(record))
    return keep_record(services.s3, settings.provenance_bucket, record, envelope)


@cache
def _clients() -> tuple[S3Client, KMSClient]:
    """Built once per execution environment: a client takes a noticeable share of a second."""
    config = Config(retries={"mode": "standard", "max_attempts": 4})
    return boto3.client("s3", config=config), boto3.client("kms", config=config)


def _log_failure(error: Exception, **fields: object) -> None:
    kind = next((known for known in _EXPLAINED if isinstance(error, known)), None)
    if kind is None:
        fields["traceback"] = "".join(traceback.format_exception(error))
    name = (kind or type(error)).__name__
    _log("error", "not recorded", error=name, reason=str(error), **fields)


def _log(level: str, message: str, **fields: object) -> None:
    """One JSON object per line, whose fields CloudWatch Logs Insights finds by itself."""
    print(json.dumps({"level": level, "message": message, **fields}), flush=True)
