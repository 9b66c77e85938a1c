"""Which calls the rules tell of, asked of the local AWS's EventBridge, as they are deployed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import pytest
from tests.infra.cloudformation.conftest import bucket
from tests.infra.conftest import REGION
from tests.support.local_aws import ACCOUNT, LocalAws, role_arn

NAME: Final = "custody-local"
Event = dict[str, Any]

RAW: Final = {"bucketName": bucket("raw")}
RECORDER: Final = {"functionName": f"{NAME}-recorder"}
RECORDER_ARN: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{NAME}-recorder"
QUEUE: Final = {"queueUrl": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{NAME}-recorder"}
QUEUE_ARN: Final = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{NAME}-recorder"
TRAIL_ARN: Final = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/{NAME}"
TOPIC: Final = f"arn:aws:sns:{REGION}:{ACCOUNT}:{NAME}-alarms"
BOUNDARY: Final = {"policyArn": f"arn:aws:iam::{ACCOUNT}:policy/{NAME}-boundary"}
RULE: Final = f"{NAME}-trail-changed"
ALARM: Final = f"{NAME}-no-audit"
VARIABLE: Final = "/custody/local/airflow/variables/custody"
SERVICE: Final = {"type": "AWSService", "invokedBy": "airflow.amazonaws.com"}
ROOT: Final = {"type": "Root"}


def called(service: str, name: str, asked: Any = None, **detail: Any) -> Event:
    """A management call, as CloudTrail gives it to EventBridge."""
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{service}",
        "account": ACCOUNT,
        "time": "2026-11-01T06:00:00Z",
        "region": REGION,
        "resources": [],
        "detail": {
            "eventVersion": "1.11",
            "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/insider"},
            "eventTime": "2026-11-01T05:59:00Z",
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "awsRegion": REGION,
            "readOnly": name.startswith(("Assume", "Decrypt", "Get")),
            "managementEvent": True,
            "requestParameters": asked,
            **detail,
        },
    }


def each(service: str, asked: Any, *names: str) -> list[Event]:
    return [called(service, name, asked) for name in names]


def on_key(arn: str, *names: str, **detail: Any) -> list[Event]:
    resources = [{"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": arn}]
    return [called("kms", name, {"keyId": arn}, resources=resources, **detail) for name in names]


def job(name: str, state: str) -> Event:
    return called("glue", "") | {
        "detail-type": "Glue Job State Change",
        "detail": {"jobName": name, "severity": "ERROR", "state": state, "jobRunId": "jr_1"},
    }


def told(key: str) -> dict[str, list[Event]]:
    """What each rule, and no other, tells of; `key` is one of the platform's."""
    return {
        "job-failed": [job(f"{NAME}-reconcile", end) for end in ("FAILED", "TIMEOUT", "STOPPED")],
        "trail-changed": [
            called("cloudtrail", "StopLogging", {"name": TRAIL_ARN}),
            *each("cloudtrail", {"name": NAME}, "DeleteTrail", "UpdateTrail"),
            called("cloudtrail", "PutEventSelectors", {"trailName": NAME}),
        ],
        # A key must not be exchanged behind its alias, either.
        "key-changed": on_key(
            key, "DisableKey", "ScheduleKeyDeletion", "PutKeyPolicy", "DeleteAlias"
        ),
        "key-granted": on_key(key, "CreateGrant"),
        "bucket-changed": [
            *each(
                "s3",
                RAW,
                *("PutBucketPolicy", "DeleteBucketPolicy", "PutBucketNotification"),
                *("PutBucketLifecycle", "PutBucketReplication", "PutBucketVersioning"),
                "PutBucketLogging",
            ),
            called("s3", "PutBucketRequestPayment", {"bucketName": bucket("trail")}),
            called("s3", "DeleteBucketPolicy", {"bucketName": bucket("artifacts")}),
        ],
        "code-changed": [
            *each("lambda", RECORDER, "UpdateFunctionCode20150331v2", "PutRuntimeManagementConfig"),
            called(
                "lambda", "UpdateFunctionConfiguration20150331v2", {"functionName": RECORDER_ARN}
            ),
            called("lambda", "UpdateEventSourceMapping20150331", {"uUID": "u"}),
            called(
                "lambda",
                "CreateEventSourceMapping20150331",
                {"eventSourceArn": QUEUE_ARN, "functionName": "x"},
            ),
            *each("glue", {"jobName": f"{NAME}-audit"}, "UpdateJob", "UpdateJobFromSourceControl"),
            *each("sqs", QUEUE, "PurgeQueue", "RemovePermission"),
            called("airflow", "UpdateEnvironment", {"name": NAME}),
            called("athena", "UpdateWorkGroup", {"workGroup": NAME}),
        ],
        "role-given": [
            called("glue", "CreateJob", {"name": "x", "role": f"{NAME}-audit"}),
            called("glue", "CreateSession", {"id": "x", "role": role_arn("glue")}),
            called("glue", "UpdateJob", {"jobName": "x", "jobUpdate": {"role": role_arn("audit")}}),
            called(
                "lambda",
                "CreateFunction20150331",
                {"functionName": "x", "role": role_arn("recorder")},
            ),
            called(
                "s3",
                "PutBucketReplication",
                {
                    "bucketName": "x",
                    "ReplicationConfiguration": {"Role": role_arn("replication")},
                },
            ),
        ],
        "watch-changed": [
            called("monitoring", "DisableAlarmActions", {"alarmNames": [ALARM]}),
            called("monitoring", "DeleteAlarms", {"alarmNames": ["x", ALARM]}),
            *each("monitoring", {"alarmName": ALARM}, "PutMetricAlarm", "SetAlarmState"),
            called("events", "DisableRule", {"name": RULE}),
            called("events", "RemoveTargets", {"rule": RULE, "ids": ["t"]}),
            called("sns", "RemovePermission", {"topicArn": TOPIC, "label": "x"}),
            called("sns", "PutDataProtectionPolicy", {"resourceArn": TOPIC}),
            *each(
                "sns",
                {"subscriptionArn": f"{TOPIC}:1"},
                *("SetSubscriptionAttributes", "Unsubscribe"),
            ),
        ],
        "settings-changed": [
            called("ssm", "PutParameter", {"name": VARIABLE}),
            called("ssm", "DeleteParameters", {"names": ["x", VARIABLE]}),
        ],
        "rights-changed": [
            *each(
                "iam",
                {"roleName": f"{NAME}-recorder"},
                *("PutRolePolicy", "UpdateAssumeRolePolicy", "AttachRolePolicy"),
                *("CreateRole", "DeleteRole"),
            ),
            *each("iam", BOUNDARY, "CreatePolicyVersion", "SetDefaultPolicyVersion"),
            called("iam", "CreateAccessKey", {"userName": "web-shop"}),
            *each("iam", {"sAMLProviderArn": "x"}, "UpdateSAMLProvider", "DeleteSAMLProvider"),
            called("iam", "AddClientIDToOpenIDConnectProvider", {"clientID": "x"}),
        ],
        "root-signed-in": [
            called("signin", "ConsoleLogin", userIdentity=ROOT)
            | {"detail-type": "AWS Console Sign In via CloudTrail"},
            called("iam", "CreateUser", userIdentity=ROOT),
        ],
        "break-glass-used": [called("sts", "AssumeRole", {"roleArn": role_arn("break-glass")})],
    }


def no_news(key: str) -> list[Event]:
    """What happens every day, or to somebody else's things."""
    return [
        job(f"{NAME}-reconcile", "SUCCEEDED"),
        job("another-job", "FAILED"),
        called("cloudtrail", "StopLogging", {"name": "another"}),
        called("cloudtrail", "PutEventSelectors", {"trailName": f"{NAME}2"}),
        *on_key(f"{key}2", "DisableKey"),
        *on_key(key, "Decrypt"),
        *on_key(key, "CreateGrant", userIdentity=SERVICE),
        called("s3", "PutBucketPolicy", {"bucketName": "another"}),
        called("s3", "GetBucketPolicy", RAW),
        called("s3", "PutObject", RAW, managementEvent=False),
        called("lambda", "UpdateFunctionCode20150331v2", {"functionName": "another"}),
        called("glue", "StartJobRun", {"jobName": f"{NAME}-audit"}),
        called("glue", "UpdateJob", {"jobName": "another"}),
        called("glue", "CreateJob", {"name": "another", "role": "another"}),
        called("monitoring", "PutMetricAlarm", {"alarmName": "another"}),
        called("events", "PutRule", {"name": "another"}),
        called("sns", "DeleteTopic", {"topicArn": TOPIC.replace("custody", "another")}),
        # One more who is told takes the page from nobody.
        called("sns", "Subscribe", {"topicArn": TOPIC, "protocol": "email"}),
        called("sqs", "PurgeQueue", {"queueUrl": "https://sqs/1/another"}),
        called("ssm", "PutParameter", {"name": "/another/local/x"}),
        called("iam", "PutRolePolicy", {"roleName": "another"}),
        called("iam", "CreateUser", {"userName": f"{NAME}-x"}),
        # Trusted by nobody yet, and each cluster makes one.
        called("iam", "CreateOpenIDConnectProvider", {"url": "https://a-cluster"}),
        called("sts", "AssumeRole", {"roleArn": role_arn("airflow")}),
    ]


@pytest.fixture(scope="module")
def events(aws: LocalAws) -> Any:
    return aws.client("events", "platform-engineer")


@pytest.fixture(scope="module")
def key(aws: LocalAws) -> str:
    stacks = aws.client("cloudformation", "platform-engineer")
    (stack,) = stacks.describe_stacks(StackName=f"{NAME}-evidence")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    return str(outputs["SealKeyArn"])


@pytest.fixture(scope="module")
def rules_for(events: Any) -> Callable[[Event], set[str]]:
    """Tells which rules an event matches."""
    patterns = {
        rule["Name"].removeprefix(f"{NAME}-"): rule["EventPattern"]
        for rule in events.list_rules(NamePrefix=f"{NAME}-")["Rules"]
    }
    assert patterns.keys() == told("").keys()
    return lambda event: {
        name
        for name, pattern in patterns.items()
        if events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"]
    }


def test_one_rule_tells_of_what_takes_a_control_away(
    rules_for: Callable[[Event], set[str]], key: str
) -> None:
    wrong = [
        (rule, event["detail"], found)
        for rule, its in told(key).items()
        for event in its
        if (found := rules_for(event)) != {rule}
    ]
    assert wrong == []


def test_no_rule_tells_of_daily_work_and_of_others(
    rules_for: Callable[[Event], set[str]], key: str
) -> None:
    assert [(e["detail"], found) for e in no_news(key) if (found := rules_for(e))] == []


def test_every_rule_tells_those_who_are_alarmed(events: Any) -> None:
    targets = {
        target["Arn"]
        for rule in told("")
        for target in events.list_targets_by_rule(Rule=f"{NAME}-{rule}")["Targets"]
    }
    assert targets == {TOPIC}
