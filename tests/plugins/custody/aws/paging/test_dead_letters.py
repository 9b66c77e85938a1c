"""The dead-letter queue: looked at without taking anything, emptied without losing anything."""

import json
from collections.abc import Iterator
from datetime import UTC
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from tests.support.moto_aws import REGION, refusal
from tests.support.notices import notice

from custody.aws.paging.dead_letters import look, redrive
from custody.core.paging.dead_letters import Look
from custody.objects import ObjectVersion


class Queues:
    """A queue and its dead letters; times are as SQS keeps them, so far from any clock."""

    def __init__(self) -> None:
        self.sqs = boto3.client("sqs", region_name=REGION)
        self.url = self.sqs.create_queue(QueueName="recorder")["QueueUrl"]
        self.dead = self.sqs.create_queue(QueueName="recorder-dlq")["QueueUrl"]

    def kill(self, *bodies: object) -> None:
        for body in bodies:
            text = body if isinstance(body, str) else json.dumps({"Records": body})
            self.sqs.send_message(QueueUrl=self.dead, MessageBody=text)

    def bodies(self, url: str) -> list[str]:
        """What anybody can receive now."""
        found: list[str] = []
        while batch := self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0
        ).get("Messages"):
            found += [message["Body"] for message in batch]
        return sorted(found)

    def look(self, **how: Any) -> Any:
        return look(self.sqs, "recorder-dlq", **how)


@pytest.fixture
def queues() -> Iterator[Queues]:
    with mock_aws():
        yield Queues()


def test_what_lies_there_is_named_by_object_version(queues):
    queues.kill([notice(key="a b"), notice(key="c")])
    (letter,) = queues.look().letters
    assert [created.version for created in letter.announced] == [
        ObjectVersion("custody-dev-raw-111122223333", "a b", "3HL4kqtJvjVBH40Nrjfkd"),
        ObjectVersion("custody-dev-raw-111122223333", "c", "3HL4kqtJvjVBH40Nrjfkd"),
    ]
    assert letter.problems == ()
    assert letter.sent.tzinfo is UTC


def test_what_cannot_be_read_is_listed_all_the_same(queues):
    queues.kill("not JSON", [notice(key="good"), {}])
    told = {
        (tuple(c.version.key for c in x.announced), x.problems[0][:24])
        for x in queues.look().letters
    }
    assert told == {
        ((), "notification: not JSON ("),
        (("good",), "Records[1].eventVersion:"),
    }


def test_looking_takes_nothing_out(queues):
    queues.kill(*([notice(key=f"k{n}")] for n in range(12)))
    assert len(queues.look().letters) == len(queues.look().letters) == 12
    assert queues.look().complete
    assert len(queues.bodies(queues.dead)) == 12


def test_looking_stops_at_the_next_ten_and_puts_everything_back(queues):
    queues.kill(*([notice(key=f"k{n}")] for n in range(25)))
    found = queues.look(at_most=11)
    assert 11 <= len(found.letters) <= 20
    assert not found.complete
    assert len(queues.bodies(queues.dead)) == 25


def test_an_empty_queue_is_one_of_which_nobody_holds_a_message(queues):
    assert queues.look() == Look("recorder-dlq", (), complete=True)
    queues.kill([notice()])
    queues.sqs.receive_message(QueueUrl=queues.dead)
    assert queues.look() == Look("recorder-dlq", (), complete=False)


def test_an_error_while_looking_puts_everything_back(queues):
    queues.kill([notice()])

    def without_its_time(parsed: Any, **_: object) -> None:
        for message in parsed["Messages"]:
            del message["Attributes"]

    queues.sqs.meta.events.register(
        "after-call.sqs.ReceiveMessage", without_its_time, unique_id="broken"
    )
    with pytest.raises(KeyError):
        queues.look()
    queues.sqs.meta.events.unregister("after-call.sqs.ReceiveMessage", unique_id="broken")
    assert len(queues.bodies(queues.dead)) == 1


@pytest.mark.parametrize("code", ["MessageNotInflight", "InvalidParameterValue"])
def test_a_message_that_is_not_held_any_more_is_left(queues, code):
    queues.kill([notice()])
    queues.sqs.meta.events.register(
        "before-call.sqs.ChangeMessageVisibility", lambda **_: refusal(code, 400)
    )
    assert len(queues.look().letters) == 1


def test_not_being_allowed_to_put_back_is_an_error(queues):
    queues.kill([notice()])
    queues.sqs.meta.events.register(
        "before-call.sqs.ChangeMessageVisibility", lambda **_: refusal("AccessDenied", 403)
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        queues.look()


def test_redriving_sends_every_message_back_as_it_was(queues):
    bodies = [json.dumps({"Records": [notice(key=f"k{n}")]}) for n in range(12)] + ["not JSON"]
    queues.kill(*bodies)
    assert redrive(queues.sqs, queues.dead, queues.url) == 13
    assert queues.bodies(queues.url) == sorted(bodies)
    assert queues.bodies(queues.dead) == []


def test_redriving_nothing_moves_nothing(queues):
    assert redrive(queues.sqs, queues.dead, queues.url) == 0


def test_a_message_that_cannot_be_sent_stays_where_it_is(queues):
    queues.kill("one", "two")
    with pytest.raises(queues.sqs.exceptions.QueueDoesNotExist):
        redrive(queues.sqs, queues.dead, queues.url + "-gone")
    attributes = queues.sqs.get_queue_attributes(QueueUrl=queues.dead, AttributeNames=["All"])
    held = attributes["Attributes"]
    counts = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    assert sum(int(held[name]) for name in counts) == 2


def test_what_fails_again_meanwhile_is_not_moved_in_circles(queues):
    """The recorder is quick and still broken: what was sent back is dead again at once."""
    queues.kill("one", "two")

    def dies_again(params: Any, **_: object) -> None:
        params["QueueUrl"] = queues.dead

    queues.sqs.meta.events.register("provide-client-params.sqs.SendMessage", dies_again)
    assert redrive(queues.sqs, queues.dead, queues.url) == 2
