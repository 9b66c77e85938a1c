"""The recorder's dead-letter queue: what lies in it, and sending it back.

SQS can move messages itself (``StartMessageMoveTask``). It is not used: it runs on after the call,
reports by the minute, and takes along what has only just failed again. Received, sent and deleted
one by one, a message is in one of the queues at every moment, the caller knows how many were moved,
and a crash in between leaves a duplicate, which changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from custody.core.notifications import ObjectCreated, message_records, object_created
from custody.core.untrusted import MalformedInput

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageTypeDef

_BATCH: Final = 10
"""SQS gives out no more at once."""

_HELD_SECONDS: Final = 300
"""How long a message that was received is hidden from others, unless it is put back before."""


@dataclass(frozen=True)
class DeadLetter:
    """One message of the queue.

    ``sent`` is when it first was sent. ``announced`` is what could be read in it; ``problems`` says
    what could not, field by field.
    """

    message_id: str
    sent: datetime
    announced: tuple[ObjectCreated, ...]
    problems: tuple[str, ...]


def redrive(sqs: SQSClient, dead_letters_url: str, queue_url: str) -> int:
    """Send every message of the dead-letter queue back to the queue; return how many.

    A message that fails again while this runs stays where it is. Raises what botocore raises; what
    was not moved by then is still there.
    """
    moved: set[str] = set()
    for batch in _received(sqs, dead_letters_url):
        for message in batch:
            if message["MessageId"] in moved:
                continue
            sent = sqs.send_message(QueueUrl=queue_url, MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=dead_letters_url, ReceiptHandle=message["ReceiptHandle"])
            moved.add(sent["MessageId"])
    return len(moved)


def overdue(
    sqs: SQSClient,
    dead_letters_url: str,
    *,
    now: datetime,
    grace: timedelta,
    at_most: int = 1000,
) -> list[DeadLetter]:
    """The messages first sent more than ``grace`` before ``now`` (aware), the oldest first.

    Looks at some ``at_most`` messages (to the next ten) and takes none out: each is put back, and
    in a dead-letter queue it does no harm that SQS counts the look.
    """
    with _looked_at(sqs, dead_letters_url, at_most) as messages:
        letters = {m["MessageId"]: _dead_letter(m) for m in messages}
    late = (letter for letter in letters.values() if letter.sent < now - grace)
    return sorted(late, key=lambda letter: (letter.sent, letter.message_id))


@contextmanager
def _looked_at(sqs: SQSClient, queue_url: str, at_most: int) -> Iterator[list[MessageTypeDef]]:
    """Up to ``at_most`` messages, which others can receive again afterwards."""
    batches: list[list[MessageTypeDef]] = []
    try:
        for batch in _received(sqs, queue_url):
            batches.append(batch)
            if sum(map(len, batches)) >= at_most:
                break
        yield [message for batch in batches for message in batch]
    finally:
        # What cannot be put back comes back by itself.
        for batch in batches:
            sqs.change_message_visibility_batch(
                QueueUrl=queue_url,
                Entries=[
                    {"Id": str(i), "ReceiptHandle": m["ReceiptHandle"], "VisibilityTimeout": 0}
                    for i, m in enumerate(batch)
                ],
            )


def _received(sqs: SQSClient, queue_url: str) -> Iterator[list[MessageTypeDef]]:
    """The messages of a queue, some at a time, until it is empty.

    Waiting makes SQS ask all its servers; otherwise it may find nothing where there is something.
    """
    while batch := sqs.receive_message(
        QueueUrl=queue_url,
        MaxNumberOfMessages=_BATCH,
        MessageSystemAttributeNames=["SentTimestamp"],
        VisibilityTimeout=_HELD_SECONDS,
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
