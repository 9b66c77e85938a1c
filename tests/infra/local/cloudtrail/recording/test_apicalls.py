"""Trails that log management events: the calls of every service, and no trail's that do not."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.infra.local.cloudtrail.conftest import ACCOUNT, TRAIL, LocalAws, make_local_aws
from tests.support.patience import wait_for

from localaws.access import servicekeys
from localaws.glue.account import Account
from localaws.glue.jobruns.roles import assume

RAW = "raw-bucket"
SELECTORS = [
    {
        "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Management"]},
            {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]},
        ]
    },
    {
        "FieldSelectors": [
            {"Field": "eventCategory", "Equals": ["Data"]},
            {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
            {"Field": "resources.ARN", "StartsWith": [f"arn:aws:s3:::{RAW}/"]},
        ]
    },
]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A trail of management events, and of one bucket's objects."""
    made = make_local_aws(Path(tmp_path_factory.mktemp("home")))
    try:
        made.start()
        made.trail()
        made.root("cloudtrail").put_event_selectors(
            TrailName=TRAIL, AdvancedEventSelectors=SELECTORS
        )
        made.root("s3").create_bucket(Bucket=RAW)
        yield made
    finally:
        made.stop()


def only(records: list[dict[str, Any]]) -> dict[str, Any]:
    (record,) = records
    return record


def role(aws: LocalAws, name: str, **principal: str) -> str:
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    made = aws.root("iam").create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
    )
    return str(made["Role"]["Arn"])


def test_who_took_a_role_is_tied_to_what_is_done_in_the_session(aws: LocalAws) -> None:
    arn = role(aws, "reader", AWS=f"arn:aws:iam::{ACCOUNT}:root")
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    user = aws.user("assumer", everything)
    aws.root("iam").put_role_policy(
        RoleName="reader",
        PolicyName="p",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
    )
    keys = user("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]
    s3 = aws.client("s3", keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    s3.put_object(Bucket=RAW, Key="a", Body=b"x")
    taken = only(aws.records(eventName="AssumeRole", roleArn=arn))
    assert taken["userIdentity"]["userName"] == "assumer"
    told = taken["responseElements"]["credentials"]
    assert told["accessKeyId"] == keys["AccessKeyId"]
    assert keys["SecretAccessKey"] not in json.dumps(taken)
    assert taken["resources"] == [{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": arn}]
    # Only an event that somebody else gets too, another account or a service, has one.
    assert "sharedEventID" not in taken
    put = only(aws.records(eventName="PutObject", key="a"))
    assert put["userIdentity"]["accessKeyId"] == keys["AccessKeyId"]


def test_glue_takes_a_role_as_the_service_it_is(
    aws: LocalAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = role(aws, "job", Service="glue.amazonaws.com")
    # The session is known where it is kept: in the server's process, where Glue runs, too.
    monkeypatch.setattr(servicekeys, "mark", lambda *_: None)
    assume(Account(aws.settings), arn, "jr_1")
    taken = only(aws.records(eventName="AssumeRole", roleArn=arn))
    assert taken["userIdentity"] == {"type": "AWSService", "invokedBy": "glue.amazonaws.com"}
    assert taken["sourceIPAddress"] == "glue.amazonaws.com"
    assert taken["resources"] == [{"accountId": ACCOUNT, "type": "AWS::IAM::Role", "ARN": arn}]
    assert uuid.UUID(taken["sharedEventID"]) != uuid.UUID(taken["eventID"])


def test_nobody_else_can_pass_for_a_service(aws: LocalAws) -> None:
    user = aws.user("pretender", {"Effect": "Allow", "Action": "*", "Resource": "*"})
    user("iam", user_agent_extra="app/glue.amazonaws.com").list_account_aliases()
    record = only(aws.records(eventName="ListAccountAliases"))
    assert record["userIdentity"]["userName"] == "pretender"


def test_the_calls_that_stop_and_start_a_trail_are_in_it_and_the_first_is_proven(
    aws: LocalAws,
) -> None:
    cloudtrail = aws.root("cloudtrail")
    cloudtrail.stop_logging(Name=TRAIL)
    aws.root("sqs").list_queues()
    stopped = wait_for(lambda: [call for call in vouched(aws) if call[0] == "StopLogging"])
    cloudtrail.start_logging(Name=TRAIL)
    assert stopped == [("StopLogging", {"name": TRAIL})]
    assert aws.records(eventName="ListQueues") == []
    assert only(aws.records(eventName="StartLogging"))["requestParameters"] == {"name": TRAIL}


def vouched(aws: LocalAws) -> list[tuple[str, Any]]:
    """Name and parameters of each call in a log file that a digest vouches for."""
    files = {
        file["s3Object"]
        for digest in aws.log_objects("CloudTrail-Digest")
        for file in aws.read_log(digest)["logFiles"]
    }
    return [
        (record["eventName"], record["requestParameters"])
        for key in files
        for record in aws.read_log(key)["Records"]
    ]


def test_what_is_logged_of_each_service(aws: LocalAws) -> None:
    s3, sqs, kms, glue = (aws.root(name) for name in ("s3", "sqs", "kms", "glue"))
    s3.put_bucket_tagging(Bucket=RAW, Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    queue = sqs.create_queue(QueueName="q")["QueueUrl"]
    sqs.send_message(QueueUrl=queue, MessageBody="m")
    kms.create_key()
    glue.create_database(DatabaseInput={"Name": "db"})
    with pytest.raises(ClientError):
        glue.get_table(DatabaseName="db", Name="none")
    assert only(aws.records(eventName="CreateQueue"))["requestParameters"] == {"queueName": "q"}
    assert aws.records(eventName="SendMessage") == aws.records(eventName="CreateKey") == []
    assert only(aws.records(eventName="CreateDatabase"))["requestParameters"] == {
        "databaseInput": {"name": "db"}
    }
    refused = only(aws.records(eventName="GetTable"))
    assert (refused["errorCode"], refused["readOnly"]) == ("EntityNotFoundException", True)
    tagged = aws.records(eventSource="s3.amazonaws.com", eventName="PutBucketTagging")
    assert only(tagged)["requestParameters"] == {"bucketName": RAW}


def test_who_changed_a_user_a_function_or_a_parameter_is_told(aws: LocalAws) -> None:
    iam, functions, ssm = aws.root("iam"), aws.root("lambda"), aws.root("ssm")
    key = iam.create_access_key(UserName="web-shop")["AccessKey"]
    made = only(aws.records(eventName="CreateAccessKey", userName="web-shop"))
    assert made["responseElements"]["accessKey"]["accessKeyId"] == key["AccessKeyId"]
    assert key["SecretAccessKey"] not in json.dumps(made)
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName="shop")["VirtualMFADevice"]
    made = only(aws.records(eventName="CreateVirtualMFADevice"))
    assert made["responseElements"]["virtualMFADevice"]["serialNumber"] == device["SerialNumber"]
    assert device["Base32StringSeed"].decode() not in json.dumps(made)
    with pytest.raises(ClientError):
        functions.put_function_concurrency(FunctionName="none", ReservedConcurrentExecutions=0)
    throttled = only(aws.records(eventSource="lambda.amazonaws.com", functionName="none"))
    assert (throttled["eventName"], throttled["readOnly"]) == ("PutFunctionConcurrency", False)
    with pytest.raises(ClientError):
        functions.get_function_concurrency(FunctionName="nobody")
    assert aws.records(eventName="PutFunctionConcurrency", functionName="nobody") == []
    with pytest.raises(ClientError):
        functions.update_event_source_mapping(UUID="11111111-2222-3333-4444-555555555555")
    cut = only(aws.records(eventName="UpdateEventSourceMapping"))
    assert (cut["readOnly"], cut["errorCode"]) == (False, "ResourceNotFoundException")
    ssm.put_parameter(Name="/custody/local/x", Value="hush", Type="String")
    put = only(aws.records(eventName="PutParameter"))
    assert put["requestParameters"]["name"] == "/custody/local/x"
    assert "hush" not in json.dumps(put)


def test_a_trail_of_data_events_alone_has_nothing_else(aws: LocalAws) -> None:
    aws.select(f"arn:aws:s3:::{RAW}/")
    aws.root("sns").list_topics()
    aws.root("cloudtrail").put_event_selectors(TrailName=TRAIL, AdvancedEventSelectors=SELECTORS)
    assert aws.records(eventName="ListTopics") == []
