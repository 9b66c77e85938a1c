"""Stacks in a running local AWS, and reading them back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.infra.local.conftest import Server
from tests.support.patience import wait_for

TRAIL: dict[str, Any] = {
    "TrailName": "of-stack",
    "S3BucketName": "of-stack-bucket",
    "EnableLogFileValidation": "true",
    "IsLogging": True,
    "IsMultiRegionTrail": False,
    "AdvancedEventSelectors": [
        {
            "Name": "writes",
            "FieldSelectors": [
                {"Field": "eventCategory", "Equals": ["Data"]},
                {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
            ],
        }
    ],
}
BUCKET: dict[str, Any] = {
    "BucketName": "of-stack-bucket",
    "VersioningConfiguration": {"Status": "Enabled"},
    "BucketEncryption": {
        "ServerSideEncryptionConfiguration": [
            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "k"}}
        ]
    },
    "ObjectLockEnabled": True,
    "ObjectLockConfiguration": {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 2}},
    },
    "LifecycleConfiguration": {"Rules": [{"Id": "r", "Status": "Enabled", "ExpirationInDays": 3}]},
}


def deploy(server: Server, resources: dict[str, tuple[str, dict[str, Any]]]) -> str:
    """Create or update the stack `it`; gives the status it ends in."""
    template = {"Resources": {n: {"Type": t, "Properties": p} for n, (t, p) in resources.items()}}
    cloudformation = server.client("cloudformation")
    stacks = cloudformation.list_stacks()["StackSummaries"]
    exists = any(
        stack["StackName"] == "it" and stack["StackStatus"] != "DELETE_COMPLETE" for stack in stacks
    )
    call = cloudformation.update_stack if exists else cloudformation.create_stack
    call(StackName="it", TemplateBody=json.dumps(template))

    def ended() -> str:
        status: str = cloudformation.describe_stacks(StackName="it")["Stacks"][0]["StackStatus"]
        return "" if status.endswith("IN_PROGRESS") else status

    status: str = wait_for(ended)
    return status


def test_a_stack_gets_all_it_asks_for_and_can_be_read_back(own_server: Server) -> None:
    resources = {"B": ("AWS::S3::Bucket", BUCKET), "T": ("AWS::CloudTrail::Trail", TRAIL)}
    assert deploy(own_server, resources) == "CREATE_COMPLETE"
    s3, cloudtrail = own_server.client("s3"), own_server.client("cloudtrail")
    stored = s3.put_object(Bucket="of-stack-bucket", Key="k", Body=b"x")
    assert (stored["ServerSideEncryption"], stored["SSEKMSKeyId"]) == ("aws:kms", "k")
    assert s3.get_object_retention(Bucket="of-stack-bucket", Key="k")["Retention"]["Mode"] == (
        "GOVERNANCE"
    )
    assert cloudtrail.get_trail(Name="of-stack")["Trail"]["LogFileValidationEnabled"] is True
    assert cloudtrail.get_trail_status(Name="of-stack")["IsLogging"] is True
    done = own_server.run("readback", "--stack", "it")
    assert (done.returncode, done.stdout) == (0, "it is what its templates say\n"), done.stderr

    # Somebody takes things away behind the stack's back.
    s3.delete_bucket_encryption(Bucket="of-stack-bucket")
    cloudtrail.stop_logging(Name="of-stack")
    done = own_server.run("readback", "--stack", "it")
    assert done.returncode == 1
    assert "it/B (AWS::S3::Bucket) PutBucketEncryption" in done.stderr
    assert "it/T (AWS::CloudTrail::Trail) IsLogging: the template says true" in done.stderr
    assert 'SSEAlgorithm: the template says "aws:kms", there is "AES256"' in done.stderr
    assert done.stderr.count("\n") == 3  # the encryption's algorithm and key, the logging

    # An update sets them again, and drops what the template no longer asks for.
    smaller = {name: value for name, value in BUCKET.items() if name != "LifecycleConfiguration"}
    changed = {**TRAIL, "EnableLogFileValidation": False}
    resources = {"B": ("AWS::S3::Bucket", smaller), "T": ("AWS::CloudTrail::Trail", changed)}
    assert deploy(own_server, resources) == "UPDATE_COMPLETE"
    assert cloudtrail.get_trail(Name="of-stack")["Trail"]["LogFileValidationEnabled"] is False
    with pytest.raises(s3.exceptions.ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket="of-stack-bucket")
    assert own_server.run("readback", "--stack", "it").returncode == 0

    own_server.client("cloudformation").delete_stack(StackName="it")
    wait_for(lambda: not cloudtrail.describe_trails()["trailList"])


def test_a_property_nobody_would_set_fails_the_stack(own_server: Server) -> None:
    bucket = {"BucketName": "quick", "AccelerateConfiguration": {"AccelerationStatus": "Enabled"}}
    assert deploy(own_server, {"B": ("AWS::S3::Bucket", bucket)}) == "ROLLBACK_COMPLETE"
    events = own_server.client("cloudformation").describe_stack_events(StackName="it")
    reasons = [event.get("ResourceStatusReason", "") for event in events["StackEvents"]]
    assert any("AccelerateConfiguration of AWS::S3::Bucket" in reason for reason in reasons)


def test_what_a_stack_ignored_is_told(own_server: Server) -> None:
    topic = {"TopicName": "t", "TracingConfig": "Active"}
    queue = {"QueueName": "q", "VisibilityTimeout": 60}
    resources = {"T": ("AWS::SNS::Topic", topic), "Q": ("AWS::SQS::Queue", queue)}
    assert deploy(own_server, resources) == "CREATE_COMPLETE"
    done = own_server.run("readback", "--stack", "it")
    assert done.returncode == 1
    assert done.stderr == (
        'localaws: it/T (AWS::SNS::Topic) TracingConfig: the template says "Active",'
        " there is nothing\n"
    )


def test_a_type_nobody_can_read_back_is_told(own_server: Server) -> None:
    table = {
        "TableName": "t",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
    }
    assert deploy(own_server, {"D": ("AWS::DynamoDB::Table", table)}) == "CREATE_COMPLETE"
    done = own_server.run("readback", "--stack", "it")
    assert done.returncode == 1
    assert "it/D (AWS::DynamoDB::Table)" in done.stderr


def test_a_stack_that_is_not_there_is_said_so(server: Server) -> None:
    done = server.run("readback", "--stack", "nowhere")
    assert done.returncode == 1
    assert "there is no stack nowhere" in done.stderr


def test_a_log_group_whose_name_is_taken_is_not_made(own_server: Server) -> None:
    own_server.client("logs").create_log_group(logGroupName="/of/others")
    log = ("AWS::Logs::LogGroup", {"LogGroupName": "/of/others"})
    assert deploy(own_server, {"L": log}) == "ROLLBACK_COMPLETE"
    events = own_server.client("cloudformation").describe_stack_events(StackName="it")
    reasons = [event.get("ResourceStatusReason", "") for event in events["StackEvents"]]
    assert any("'/of/others' already exists" in reason for reason in reasons)
