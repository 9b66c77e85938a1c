"""Attacks on the recorder itself: kept from hearing, from working, or made to lie."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

from tests.attacks.attack import Finding, made
from tests.attacks.world import FOLDER, INSIDER, UPLOADER, World
from tests.support.notices import notice
from tests.support.patience import PATIENCE_SECONDS

from custody.core.formats.timestamps import format_utc
from custody.core.ledger.rows import CONTROL
from custody.core.records.model import LandingRecord
from custody.core.records.statement import to_statement
from rehearsal.landing import Landed
from rehearsal.machine import REPOSITORY
from rehearsal.waiting import wait_until

_ZIP = REPOSITORY / "build" / "lambda" / "recorder.zip"


@made(INSIDER, call="SetQueueAttributes")
def the_queue_refuses_notifications(world: World) -> list[Finding]:
    """denies S3 to announce objects to the recorder's queue while a file lands"""
    sqs = world.client("sqs")
    before = sqs.get_queue_attributes(QueueUrl=world.queue, AttributeNames=["Policy", "QueueArn"])
    policy = before["Attributes"]["Policy"]
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sqs:SendMessage",
        "Resource": before["Attributes"]["QueueArn"],
    }
    document = json.loads(policy)
    denied = {**document, "Statement": [*document["Statement"], deny]}
    sqs.set_queue_attributes(QueueUrl=world.queue, Attributes={"Policy": json.dumps(denied)})
    try:
        landed = world.land("refused-by-the-queue.csv")
    finally:
        sqs.set_queue_attributes(QueueUrl=world.queue, Attributes={"Policy": policy})
    return [world.finding("UNRECORDED", landed, UPLOADER)]


@made(INSIDER, call="PurgeQueue")
def the_queue_is_purged(world: World) -> list[Finding]:
    """stops the recorder's subscription, purges its queue, and starts it again"""
    with world.without_subscription():
        landed = world.land("purged.csv")
        world.lose(landed)
    return [world.finding("UNRECORDED", landed, UPLOADER)]


@made(INSIDER, call="PutFunctionConcurrency")
def the_recorder_is_throttled(world: World) -> list[Finding]:
    """throttles the recorder to nothing until what it was told is lost"""
    functions = world.client("lambda")
    world.drain()
    reserved = functions.get_function_concurrency(FunctionName=world.recorder)
    functions.put_function_concurrency(FunctionName=world.recorder, ReservedConcurrentExecutions=0)
    try:
        landed = world.land("throttled.csv")
        world.lose(landed)
    finally:
        functions.put_function_concurrency(
            FunctionName=world.recorder,
            ReservedConcurrentExecutions=reserved["ReservedConcurrentExecutions"],
        )
    return [world.finding("UNRECORDED", landed, UPLOADER)]


@made(INSIDER, call="PutRolePolicy")
def the_recorder_may_not_read(world: World) -> list[Finding]:
    """denies the recorder's role to read objects until what it was told is lost"""
    iam, name = world.client("iam"), "deny-reading"
    deny = {"Effect": "Deny", "Action": "s3:GetObject*", "Resource": f"arn:aws:s3:::{world.raw}/*"}
    world.drain()
    iam.put_role_policy(
        RoleName=world.recorder,
        PolicyName=name,
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
    )
    try:
        landed = world.land("forbidden-to-the-recorder.csv")
        world.lose(landed)
    finally:
        iam.delete_role_policy(RoleName=world.recorder, PolicyName=name)
    return [world.finding("UNRECORDED", landed, UPLOADER)]


@made(INSIDER, call="UpdateFunctionCode")
def the_code_swallows(world: World) -> list[Finding]:
    """replaces the recorder's code with some that records nothing"""
    swallow = 'def lambda_handler(event, context):\n    return {"batchItemFailures": []}\n'
    with _replaced_code(world, swallow):
        landed = world.land("swallowed.csv")
        world.drain()
    return [world.finding("UNRECORDED", landed, UPLOADER)]


@made(INSIDER, call="UpdateFunctionCode")
def the_code_records_another_key(world: World) -> list[Finding]:
    """replaces the recorder's code with some that records another object"""
    other = 'dataclasses.replace(record.version, key=record.version.key + ".other")'
    with _lying(world, f"version={other}"):
        landed = world.land("renamed-in-its-record.csv")
        world.drain()
    ghost = Finding(
        "UNWITNESSED", world.raw, f"{landed.key}.other", landed.version_id, world.arn(UPLOADER)
    )
    return [world.finding("UNRECORDED", landed, UPLOADER), ghost]


@made(INSIDER, call="UpdateFunctionCode")
def the_code_records_more_bytes(world: World) -> list[Finding]:
    """replaces the recorder's code with some that records more bytes than arrived

    The uploader did nothing wrong, and who told the lie is in no event of the object: nobody is
    named but as the cause.
    """
    with _lying(world, "size_bytes=record.size_bytes + 1"):
        landed = world.land("longer-in-its-record.csv")
        world.drain()
    return [world.finding("CONFLICT", landed, by=None)]


@made(INSIDER, call="UpdateFunctionCode")
def the_code_records_another_request(world: World) -> list[Finding]:
    """replaces the recorder's code with some that records another request than CloudTrail saw"""
    with _lying(world, 'event=dataclasses.replace(record.event, request_id="F0R9ED")'):
        landed = world.land("another-request-in-its-record.csv")
        world.drain()
    return [world.finding("CONFLICT", landed, by=None)]


@made(INSIDER, call="UpdateFunctionCode")
def the_code_records_another_hash(world: World) -> list[Finding]:
    """replaces the recorder's code with some that records another hash

    Both witnesses agree, as CloudTrail never sees bytes; who touched the bytes is in no event.
    """
    with _lying(world, 'sha256="0" * 64'):
        landed = world.land("other-bytes-in-its-record.csv")
        world.drain()
    return [world.finding("ALTERED", landed, by=None)]


@made(INSIDER)
def the_recorders_role_is_assumed(world: World) -> list[Finding]:
    """lets himself assume the recorder's role, and forges a record of a file nobody wrote"""
    record = world.invented(world.record_of(world.land("model-8.csv")), "by-the-recorder.csv")
    # A session of the role that he takes himself signs nothing: for that he lets himself in, too.
    signed = world.sign(to_statement(record))
    world.as_role(world.recorder)("s3").put_object(
        Bucket=world.provenance, Key=world.place_of(record), Body=signed, IfNoneMatch="*"
    )
    ghost = Finding(
        "UNWITNESSED",
        record.version.bucket,
        record.version.key,
        record.version.version_id,
        world.arn(INSIDER),
    )
    return [ghost]


@made(INSIDER)
def the_signing_key_is_away_while_a_file_lands(world: World) -> list[Finding]:
    """switches the recorder's signing key off while a file lands, until a record has failed

    Nothing is lost, and the uploader is nobody's finding: the recorder tries again.
    """
    kms, arn = world.client("kms"), world.platform.settings["signing_key_arn"]
    world.drain()
    kms.disable_key(KeyId=arn)
    try:
        landed = world.land("while-the-key-was-away.csv")
        wait_until(
            f"the recorder has failed at {landed.key}",
            lambda: _in_flight(world) == 1,
            seconds=PATIENCE_SECONDS,
        )
    finally:
        kms.enable_key(KeyId=arn)
    world.record_of(landed)
    key = arn.rpartition("/")[2]
    return [Finding("CONTROL_CHANGED", CONTROL, f"kms/key/{key}/state", "null", world.arn(INSIDER))]


def _in_flight(world: World) -> int:
    """Messages that the recorder has taken and not dealt with."""
    name = "ApproximateNumberOfMessagesNotVisible"
    told = world.client("sqs").get_queue_attributes(QueueUrl=world.queue, AttributeNames=[name])
    return int(told["Attributes"][name])


INNOCENT = {"userIdentity": {"principalId": "AWS:AIDAINNOCENT"}}
ELSEWHERE = {"requestParameters": {"sourceIPAddress": "198.51.100.99"}}


@made(INSIDER, call="SetQueueAttributes")
def a_message_names_another_uploader(world: World) -> list[Finding]:
    """sends the recorder a message that names another uploader of a file, instead of S3's own

    The recorder finds the very bytes and signs; CloudTrail says who it was. Nobody is seen sending
    a message, so nobody is named but as the cause: he let himself into the queue.
    """
    return [_announced_by_hand(world, "named-another-uploader.csv", INNOCENT)]


@made(INSIDER, call="SetQueueAttributes")
def a_message_names_another_address(world: World) -> list[Finding]:
    """sends the recorder a message that names another address of a file, instead of S3's own"""
    return [_announced_by_hand(world, "named-another-address.csv", ELSEWHERE)]


@made(INSIDER, call="SetQueueAttributes")
def a_message_tells_of_a_recorded_file_again(world: World) -> list[Finding]:
    """sends the recorder a second message of a recorded file, of yesterday and another uploader"""
    landed = world.recorded("announced-again.csv")
    record = world.record_of(landed)
    at = {"eventTime": format_utc(record.event.time - timedelta(days=1))}
    announce(world, landed, record.etag, call_of(record) | INNOCENT | at)
    return [world.finding("CONFLICT", landed, by=None)]


@made(INSIDER, call="SetQueueAttributes")
def a_message_tells_of_what_nobody_wrote(world: World) -> list[Finding]:
    """sends the recorder a message of a file that nobody wrote, and names an uploader"""
    record = world.record_of(world.land("model-9.csv"))
    ghost = hashlib.sha256(b"announced only").hexdigest()[:32]
    landed = Landed(UPLOADER, f"{FOLDER}/announced-only.csv", ghost, 12)
    announce(world, landed, record.etag, call_of(record))
    return [world.finding("UNWITNESSED", landed, by=None)]


def _announced_by_hand(world: World, name: str, lie: dict[str, Any]) -> Finding:
    body = f"customer_id\n{name}\n".encode()
    with world.without_notifications():
        put = world.client("s3", UPLOADER).put_object(
            Bucket=world.raw, Key=f"{FOLDER}/{name}", Body=body
        )
    landed = Landed(UPLOADER, f"{FOLDER}/{name}", put["VersionId"], len(body))
    model = call_of(world.record_of(world.land(f"beside-{name}")))
    told = put["ResponseMetadata"]
    model["eventTime"] = format_utc(
        world.s3.head_object(Bucket=world.raw, Key=landed.key)["LastModified"]
    )
    model["responseElements"] = {"x-amz-request-id": told["RequestId"], "x-amz-id-2": "by-hand"}
    announce(world, landed, put["ETag"].strip('"'), model | lie)
    return world.finding("CONFLICT", landed, by=None)


def call_of(record: LandingRecord) -> dict[str, Any]:
    """What S3 told of the call that a record is about."""
    event = record.event
    return {
        "eventTime": format_utc(event.time),
        "userIdentity": {"principalId": event.principal_id},
        "requestParameters": {"sourceIPAddress": event.source_ip},
        "responseElements": {"x-amz-request-id": event.request_id, "x-amz-id-2": event.host_id},
    }


def announce(world: World, landed: Landed, etag: str, told: dict[str, Any]) -> None:
    """The insider lets himself into the recorder's queue, and sends it a message as S3's."""
    sqs = world.client("sqs")
    before = sqs.get_queue_attributes(QueueUrl=world.queue, AttributeNames=["Policy"])
    policy = before["Attributes"]["Policy"]
    message = notice(
        bucket=world.raw,
        key=landed.key,
        size=landed.size_bytes,
        etag=etag,
        version_id=landed.version_id,
    )
    allow = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": "*"}
    opened = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=world.queue, Attributes={"Policy": opened})
    try:
        sqs.send_message(
            QueueUrl=world.queue, MessageBody=json.dumps({"Records": [message | told]})
        )
    finally:
        sqs.set_queue_attributes(QueueUrl=world.queue, Attributes={"Policy": policy})
    world.drain()


def _lying(world: World, change: str) -> AbstractContextManager[None]:
    """The recorder's own code, but `change` is made to each record before it is signed."""
    return _replaced_code(
        world,
        "import dataclasses\n"
        "from custody.aws.records import recording\n"
        "from recorder.honest import lambda_handler\n"
        "told = recording.landing_record\n"
        "def lie(*seen):\n"
        "    record = told(*seen)\n"
        f"    return dataclasses.replace(record, {change})\n"
        "recording.landing_record = lie\n",
    )


@contextmanager
def _replaced_code(world: World, handler: str) -> Iterator[None]:
    functions = world.client("lambda")
    world.drain()
    functions.update_function_code(FunctionName=world.recorder, ZipFile=_patched(handler))
    _wait_for_code(world)
    try:
        yield
    finally:
        functions.update_function_code(FunctionName=world.recorder, ZipFile=_ZIP.read_bytes())
        _wait_for_code(world)


def _patched(handler: str) -> bytes:
    """The recorder's zip with another handler; its own is called `honest`."""
    packed = io.BytesIO()
    with zipfile.ZipFile(_ZIP) as honest, zipfile.ZipFile(packed, "w") as patched:
        for name in honest.namelist():
            body = honest.read(name)
            if name == "recorder/handler.py":
                patched.writestr("recorder/honest.py", body)
                patched.writestr(name, handler)
            else:
                patched.writestr(name, body)
    return packed.getvalue()


def _wait_for_code(world: World) -> None:
    functions = world.client("lambda")
    wait_until(
        "the function has its code",
        lambda: (
            functions.get_function_configuration(FunctionName=world.recorder).get(
                "LastUpdateStatus", "Successful"
            )
            == "Successful"
        ),
        seconds=PATIENCE_SECONDS,
    )


ATTACKS = [
    the_queue_refuses_notifications,
    the_queue_is_purged,
    the_recorder_is_throttled,
    the_recorder_may_not_read,
    the_code_swallows,
    the_code_records_another_key,
    the_code_records_more_bytes,
    the_code_records_another_request,
    the_recorders_role_is_assumed,
    the_signing_key_is_away_while_a_file_lands,
    a_message_names_another_uploader,
    a_message_names_another_address,
    a_message_tells_of_a_recorded_file_again,
    a_message_tells_of_what_nobody_wrote,
]
AT_REST = [the_code_records_another_hash]
