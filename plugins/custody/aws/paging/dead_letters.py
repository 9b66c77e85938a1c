"""The recorder's dead-letter queue: what lies in it, and sending it back.

SQS can move messages itself (`StartMessageMoveTask`). It is not used: it runs on after the call,
reports by the minute, and takes along what has only just failed again. Received, sent and deleted
one by one, a message is in one of the queues at every moment, the caller knows how many were moved,
and a crash in between leaves a duplicate, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from custody.core.formats.untrusted import MalformedInput
from custody.core.paging.dead_letters import DeadLetter, Look
from custody.core.records.notifications import message_records, object_created

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_BATCH: Final = 10
"""SQS gives out no more at once."""

_MOVING_SECONDS: Final = 300
"""How long a message is hidden from others while it is moved."""

_LOOKING_SECONDS: Final = 60
"""How long one is hidden while it is looked at, if whoever looks dies: a redrive in that time
misses it."""

_NOT_HELD: Final = frozenset(
    {"InvalidParameterValue", "MessageNotInflight", "ReceiptHandleIsInvalid"}
)
"""What SQS says of a message that the caller does not hold any more."""


def redrive(sqs: SQSClient, dead_letters_url: str, queue_url: str) -> int:
    """Send every message of the dead-letter queue back to the queue; return how many.

    A message that fails again while this runs stays where it is. Raises what botocore raises; what
    was not moved by then is still there.
    """
    moved: set[str] = set()
    for batch in _received(sqs, dead_letters_url, _MOVING_SECONDS):
        for message in batch:
            if message["MessageId"] in moved:
                continue
            sent = sqs.send_message(QueueUrl=queue_url, MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=dead_letters_url, ReceiptHandle=message["ReceiptHandle"])
            moved.add(sent["MessageId"])
    return len(moved)


def look(sqs: SQSClient, queue: str, *, at_most: int = 1000) -> Look:
    """What lies in the dead-letter queue of this name; some `at_most` messages of it (to the next
    ten).

    Takes none out: each is put back, and in a dead-letter queue it does no harm that SQS counts the
    look. Raises what botocore raises.
    """
    url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
    # Before this look hides any itself.
    held = int(
        sqs.get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
        )["Attributes"]["ApproximateNumberOfMessagesNotVisible"]
    )
    with _looked_at(sqs, url, at_most) as messages:
        letters = {m["MessageId"]: _dead_letter(m) for m in messages}
    return Look(queue, tuple(letters.values()), complete=not held and len(messages) < at_most)


@contextmanager
def _looked_at(sqs: SQSClient, queue_url: str, at_most: int) -> Iterator[list[MessageTypeDef]]:
    """Up to `at_most` messages, which others can receive again afterwards."""
    batches: list[list[MessageTypeDef]] = []
    try:
        for batch in _received(sqs, queue_url, _LOOKING_SECONDS):
            batches.append(batch)
            if sum(map(len, batches)) >= at_most:
                break
        yield [message for batch in batches for message in batch]
    finally:
        for batch in batches:
            for message in batch:
                _put_back(sqs, queue_url, message)


def _put_back(sqs: SQSClient, queue_url: str, message: MessageTypeDef) -> None:
    """Let others receive a message again; one that came back or was taken out meanwhile is left.

    One by one: the batch call has no action of its own in IAM, and not everything that evaluates
    policies knows that.
    """
    try:
        sqs.change_message_visibility(
            QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )
    except ClientError as error:
        if error.response["Error"]["Code"].rpartition(".")[2] not in _NOT_HELD:
            raise


def _received(sqs: SQSClient, queue_url: str, held_seconds: int) -> Iterator[list[MessageTypeDef]]:
    """The messages of a queue, some at a time, until it is empty.

    Waiting makes SQS ask all its servers; otherwise it may find nothing where there is something.
    """
    while batch := sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=_BATCH,
        MessageSystemAttributeNames=["SentTimestamp"],
        VisibilityTimeout=held_seconds,
        WaitTimeSeconds=1,
    ).get("Messages", []):
        yield batch


def _dead_letter(message: MessageTypeDef) -> DeadLetter:
    announced, problems = [], []
    try:
        records = message_records(message["Body"])
    except MalformedInput as error:
        records = []
        problems.append(str(error))
    for i, record in enumerate(records):
        try:
            announced.append(object_created(record, f"Records[{i}]"))
        except MalformedInput as error:
            problems.append(str(error))
    return DeadLetter(
        message_id=message["MessageId"],
        sent=datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC),
        announced=tuple(announced),
        problems=tuple(problems),
    )
