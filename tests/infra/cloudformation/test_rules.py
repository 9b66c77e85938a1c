"""Which calls the rules tell of, asked of EventBridge itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest
from tests.infra.cloudformation.conftest import bucket
from tests.infra.conftest import REGION
from tests.support.local_aws import ACCOUNT, LocalAws, role_arn

NAME: Final = "custody-local"
QUEUE: Final = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{NAME}-recorder"
RECORDER: Final = {"functionName": f"{NAME}-recorder"}
BOUNDARY: Final = f"arn:aws:iam::{ACCOUNT}:policy/{NAME}-boundary"
TOPIC: Final = f"arn:aws:sns:{REGION}:{ACCOUNT}:{NAME}-alarms"
# Rule, service, call, and what it was called with.
TOLD: Final[tuple[tuple[str, str, str, dict[str, Any]], ...]] = (
    ("bucket-changed", "s3", "PutBucketRequestPayment", {"bucketName": bucket("trail")}),
    ("bucket-changed", "s3", "PutBucketLogging", {"bucketName": bucket("raw")}),
    ("bucket-changed", "s3", "DeleteBucketPolicy", {"bucketName": bucket("artifacts")}),
    (
        "code-changed",
        "lambda",
        "UpdateFunctionCode20150331v2",
        {"functionName": f"{NAME}-recorder"},
    ),
    ("code-changed", "lambda", "PutRuntimeManagementConfig", {"functionName": f"{NAME}-recorder"}),
    (
        "code-changed",
        "lambda",
        "CreateEventSourceMapping20150331",
        {"eventSourceArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{NAME}-recorder", "functionName": "x"},
    ),
    ("code-changed", "glue", "UpdateJobFromSourceControl", {"jobName": f"{NAME}-audit"}),
    ("code-changed", "sqs", "RemovePermission", {"queueUrl": QUEUE, "label": "DenyOtherSenders"}),
    ("code-changed", "athena", "UpdateWorkGroup", {"workGroup": NAME}),
    ("role-given", "glue", "CreateJob", {"name": "x", "role": f"{NAME}-audit"}),
    ("role-given", "glue", "CreateSession", {"id": "x", "role": role_arn("glue")}),
    ("role-given", "glue", "UpdateJob", {"jobName": "x", "jobUpdate": {"role": role_arn("audit")}}),
    ("role-given", "lambda", "CreateFunction20150331", {"role": role_arn("recorder")}),
    (
        "role-given",
        "s3",
        "PutBucketReplication",
        {"bucketName": "x", "ReplicationConfiguration": {"Role": role_arn("replication")}},
    ),
    ("rights-changed", "iam", "DeleteRole", {"roleName": f"{NAME}-audit"}),
    ("rights-changed", "iam", "CreateRole", {"roleName": f"{NAME}-audit"}),
    ("rights-changed", "iam", "CreateAccessKey", {"userName": "web-shop"}),
    ("rights-changed", "iam", "SetDefaultPolicyVersion", {"policyArn": BOUNDARY}),
    ("rights-changed", "iam", "UpdateSAMLProvider", {"sAMLProviderArn": "x"}),
    ("rights-changed", "iam", "AddClientIDToOpenIDConnectProvider", {"clientID": "x"}),
    ("watch-changed", "monitoring", "DeleteAlarms", {"alarmNames": ["x", f"{NAME}-no-audit"]}),
    ("watch-changed", "monitoring", "SetAlarmState", {"alarmName": f"{NAME}-no-audit"}),
    ("watch-changed", "events", "DisableRule", {"name": f"{NAME}-trail-changed"}),
    ("watch-changed", "events", "RemoveTargets", {"rule": f"{NAME}-trail-changed"}),
    ("watch-changed", "sns", "RemovePermission", {"topicArn": TOPIC, "label": "x"}),
    ("watch-changed", "sns", "PutDataProtectionPolicy", {"resourceArn": TOPIC}),
    ("watch-changed", "sns", "SetSubscriptionAttributes", {"subscriptionArn": f"{TOPIC}:1"}),
)
# What the platform does all day, and what others do to what is theirs.
QUIET: Final[tuple[tuple[str, str, str, dict[str, Any]], ...]] = (
    ("bucket-changed", "s3", "PutBucketPolicy", {"bucketName": "another"}),
    ("code-changed", "glue", "StartJobRun", {"jobName": f"{NAME}-audit"}),
    ("code-changed", "lambda", "UpdateFunctionCode20150331v2", {"functionName": "another"}),
    ("role-given", "glue", "CreateJob", {"name": "x", "role": "another"}),
    ("rights-changed", "iam", "PutRolePolicy", {"roleName": "another"}),
    ("watch-changed", "events", "PutRule", {"name": "another"}),
)


@pytest.fixture(scope="module")
def events(aws: LocalAws) -> Any:
    return aws.client("events", "platform-engineer")


def tells(events: Any, rule: str, detail: Mapping[str, Any]) -> bool:
    event = {
        "id": "1",
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{detail['eventSource'].partition('.')[0]}",
        "account": ACCOUNT,
        "time": "2026-11-01T00:00:00Z",
        "region": REGION,
        "resources": [],
        "detail": detail,
    }
    pattern = events.describe_rule(Name=f"{NAME}-{rule}")["EventPattern"]
    result: bool = events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))[
        "Result"
    ]
    return result


def detail(service: str, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "eventSource": f"{service}.amazonaws.com",
        "eventName": name,
        "readOnly": False,
        "managementEvent": True,
        "requestParameters": parameters,
    }


def test_a_rule_tells_of_what_takes_a_control_away(events: Any) -> None:
    silent = [case for case in TOLD if not tells(events, case[0], detail(*case[1:]))]
    assert silent == []


def test_a_rule_is_quiet_about_daily_work_and_others(events: Any) -> None:
    told = [case for case in QUIET if tells(events, case[0], detail(*case[1:]))]
    write = {**detail("s3", "PutObject", {"bucketName": bucket("raw")}), "managementEvent": False}
    assert told == []
    assert not tells(events, "bucket-changed", write)


def test_a_key_cannot_be_exchanged_behind_its_alias(events: Any, aws: LocalAws) -> None:
    stacks = aws.client("cloudformation", "platform-engineer")
    (stack,) = stacks.describe_stacks(StackName=f"{NAME}-evidence")["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    deleted = detail("kms", "DeleteAlias", {"aliasName": f"alias/{NAME}-seal"})
    deleted["resources"] = [{"ARN": outputs["SealKeyArn"]}]
    assert tells(events, "key-changed", deleted)
