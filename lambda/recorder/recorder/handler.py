"""Lambda entry point: SQS messages with S3 notifications in, signed records out.

Environment variables, read on each invocation and all required:

`PROVENANCE_BUCKET`
    Bucket that keeps the records.
`SIGNING_KEY_ARN`
    ARN of the KMS key (ECC_NIST_P256, SIGN_VERIFY) that signs them. Not an alias: the ARN becomes
    the key id in the record.
`DATA_KEY_ARN`
    ARN of the KMS key that encrypts the platform's objects. An object under another key, which the
    recorder may not use, is recorded as unreadable.
`LARGE_OBJECT_BYTES`
    Objects of more bytes are left to the Glue job.
`LARGE_OBJECT_JOB`
    Name of that job.

A message that fails is reported alone (`ReportBatchItemFailures`) and comes back, soon at first
(`custody.core.records.retries`); what fails for longer is noted as late. After the queue's
`maxReceiveCount` it moves to the dead-letter queue, with one `error` line in the log for every
attempt. An object version that nobody can ever read does not fail: its record says so.

Large objects: the message of one comes back until the job has recorded it, so that the queue keeps
it for as long as it has no record. Handing over is quick and comes first. Then the other objects of
a batch follow, small ones first, and what does not fit in the invocation's time fails with
`OutOfTime` instead of taking the batch along.
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

from custody.aws.records.keeping import Outcome
from custody.aws.records.large_objects import HandOver, hand_over
from custody.aws.records.recording import RecordingSession
from custody.aws.s3.hashing import IncompleteObject
from custody.core.formats.untrusted import MalformedInput
from custody.core.records.notifications import ObjectCreated, message_records, object_created
from custody.core.records.recording import NotAsAnnounced
from custody.core.records.retries import NOTED_AFTER, retry_seconds

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

_RESERVED_MS: Final = 10_000
"""Time kept back at the end of an invocation to sign, write and answer."""


class OutOfTime(Exception):
    """The invocation has too little time left to read (on)."""


_EXPLAINED: Final = (
    MalformedInput,
    IncompleteObject,
    NotAsAnnounced,
    OutOfTime,
    ClientError,
    BotoCoreError,
)
"""Failures whose text says it all, by the names the runbook knows; any other is a bug and is logged
with its traceback."""

_LASTING: Final = (MalformedInput, NotAsAnnounced)
"""Failures that no waiting mends: they are about the message."""

_ALARMING: Final = frozenset({Outcome.CONFLICT, Outcome.RECORDED_UNREADABLE})


@dataclass(frozen=True)
class Settings:
    """Where records go, which keys are used, and what is left to which job."""

    provenance_bucket: str
    signing_key_arn: str
    data_key_arn: str
    large_object_bytes: int
    large_object_job: str

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """Raises `ValueError` naming the variable that is missing or wrong."""
        try:
            size = env["LARGE_OBJECT_BYTES"]
            if not (size.isascii() and size.isdecimal()):
                raise ValueError(f"LARGE_OBJECT_BYTES must be a number of bytes, not {size!r}")
            return cls(
                provenance_bucket=env["PROVENANCE_BUCKET"],
                signing_key_arn=env["SIGNING_KEY_ARN"],
                data_key_arn=env["DATA_KEY_ARN"],
                large_object_bytes=int(size),
                large_object_job=env["LARGE_OBJECT_JOB"],
            )
        except KeyError as missing:
            raise ValueError(f"environment variable {missing.args[0]} must be set") from missing


@dataclass(frozen=True)
class _Landed:
    """An object version that landed, the event record that says so, the message it is in, and how
    often that was received."""

    message_id: str
    received: int
    created: ObjectCreated
    announcement: object


@dataclass(frozen=True)
class Invocation:
    """What one invocation works with; `remaining_ms` is the time it has left, `put_off` has the
    queue deliver a message again in so many seconds."""

    session: RecordingSession
    glue: GlueClient
    put_off: Callable[[Mapping[str, Any], int], None]
    large_object_bytes: int
    large_object_job: str
    remaining_ms: Callable[[], int]

    def check_time(self) -> None:
        if (left := self.remaining_ms()) < _RESERVED_MS:
            raise OutOfTime(f"{left} ms of the invocation left, {_RESERVED_MS} are reserved")

    def is_large(self, landed: _Landed) -> bool:
        return landed.created.size_bytes > self.large_object_bytes

    def turn(self, landed: _Landed) -> tuple[bool, int]:
        """What is handed over first, which is quick; then the small before the not so small."""
        return not self.is_large(landed), landed.created.size_bytes


def lambda_handler(event: Mapping[str, Any], context: Any) -> dict[str, list[dict[str, str]]]:
    """Record what the batch announces; the answer lists the messages to deliver again."""
    settings = Settings.from_env(os.environ)
    s3, kms, glue, sqs = _clients()
    session = RecordingSession(
        s3=s3,
        kms=kms,
        now=lambda: datetime.now(UTC),
        provenance_bucket=settings.provenance_bucket,
        signing_key_arn=settings.signing_key_arn,
        data_key_arn=settings.data_key_arn,
    )
    return run(
        event,
        Invocation(
            session=session,
            glue=glue,
            put_off=lambda message, seconds: _put_off(sqs, message, seconds),
            large_object_bytes=settings.large_object_bytes,
            large_object_job=settings.large_object_job,
            remaining_ms=context.get_remaining_time_in_millis,
        ),
    )


def run(event: Mapping[str, Any], invocation: Invocation) -> dict[str, list[dict[str, str]]]:
    """Like `lambda_handler`, with its surroundings given.

    Every event record of every message is tried, whatever becomes of the others; a message comes
    back if any of its records has no record yet. Trying one twice changes nothing.
    """
    failed: dict[str, bool] = {}
    landed = _landed(event, failed)
    for each in sorted(landed, key=invocation.turn):
        version = {
            "messageId": each.message_id,
            "bucket": each.created.version.bucket,
            "key": each.created.version.key,
            "versionId": each.created.version.version_id,
        }
        try:
            work = _hand_over if invocation.is_large(each) else _record
            done, may_pass = work(each, invocation, version), True
        except Exception as error:  # noqa: BLE001 - one bad object must not stop the others
            _log_failure(error, **version)
            done, may_pass = False, not isinstance(error, _LASTING)
        if not done:
            failed[each.message_id] = failed.get(each.message_id, False) or may_pass
            if may_pass and each.received >= NOTED_AFTER:
                _note_late(each, invocation, version)
    for message in event["Records"]:
        if (message_id := message["messageId"]) in failed:
            _try_again(message, invocation, may_pass=failed[message_id])
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}


def _landed(event: Mapping[str, Any], failed: dict[str, bool]) -> list[_Landed]:
    """What the batch announces; a message that holds anything else is added to `failed`, as one
    that does not pass."""
    landed = []
    for message in event["Records"]:
        message_id = message["messageId"]
        try:
            records = message_records(message["body"])
        except MalformedInput as error:
            _log_failure(error, messageId=message_id)
            failed[message_id] = False
            continue
        if not records:
            _log("info", "test event", messageId=message_id)
        for i, record in enumerate(records):
            try:
                created = object_created(record, f"Records[{i}]")
            except MalformedInput as error:
                _log_failure(error, messageId=message_id)
                failed[message_id] = False
            else:
                landed.append(_Landed(message_id, _received(message), created, record))
    return landed


def _record(landed: _Landed, invocation: Invocation, version: Mapping[str, str]) -> bool:
    kept = invocation.session.record(landed.created, before_chunk=invocation.check_time)
    level = "error" if kept.outcome in _ALARMING else "info"
    _log(level, kept.outcome.value, recordKey=kept.key, **version)
    return True


def _hand_over(landed: _Landed, invocation: Invocation, version: Mapping[str, str]) -> bool:
    progress = hand_over(
        invocation.glue, invocation.large_object_job, landed.created, landed.announcement
    )
    _log("info", progress.value, **version)
    return progress is HandOver.DONE


def _try_again(message: Mapping[str, Any], invocation: Invocation, *, may_pass: bool) -> None:
    """Put a message off for as long as it is worth; if that fails, it comes back all the same."""
    try:
        invocation.put_off(message, retry_seconds(_received(message), may_pass=may_pass))
    except (ClientError, BotoCoreError) as error:
        _log("info", "not put off", messageId=message["messageId"], reason=str(error))


def _received(message: Mapping[str, Any]) -> int:
    return int(message["attributes"]["ApproximateReceiveCount"])


def _note_late(landed: _Landed, invocation: Invocation, version: Mapping[str, str]) -> None:
    """Note that the record is late; if that fails, too, the next try notes it."""
    try:
        invocation.session.note_late(landed.created)
    except (ClientError, BotoCoreError) as error:
        _log_failure(error, **version)


def _put_off(sqs: SQSClient, message: Mapping[str, Any], seconds: int) -> None:
    *_, account, name = message["eventSourceARN"].split(":")
    sqs.change_message_visibility(
        QueueUrl=_queue_url(sqs, account, name),
        ReceiptHandle=message["receiptHandle"],
        VisibilityTimeout=seconds,
    )


@cache
def _queue_url(sqs: SQSClient, account: str, name: str) -> str:
    return sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]


@cache
def _clients() -> tuple[S3Client, KMSClient, GlueClient, SQSClient]:
    """Built once per execution environment: a client takes a noticeable share of a second."""
    config = Config(retries={"mode": "standard", "max_attempts": 4})
    return (
        boto3.client("s3", config=config),
        boto3.client("kms", config=config),
        boto3.client("glue", config=config),
        boto3.client("sqs", config=config),
    )


def _log_failure(error: Exception, **fields: object) -> None:
    kind = next((known for known in _EXPLAINED if isinstance(error, known)), None)
    if kind is None:
        fields["traceback"] = "".join(traceback.format_exception(error))
    name = (kind or type(error)).__name__
    _log("error", "not recorded", error=name, reason=str(error), **fields)


def _log(level: str, message: str, **fields: object) -> None:
    """One JSON object per line, whose fields CloudWatch Logs Insights finds by itself."""
    print(json.dumps({"level": level, "message": message, **fields}), flush=True)
