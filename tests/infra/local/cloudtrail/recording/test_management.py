"""Management events, field for field as AWS writes them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from tests.infra.local.cloudtrail.samples import COMPLETED, PLACE, USER, actor

from localaws.cloudtrail.recording import events, management
from localaws.cloudtrail.recording.management import Answer, ApiCall, parse

STOP = ApiCall("cloudtrail", "StopLogging")
TAKE = ApiCall("sts", "AssumeRole")
ROLE = "arn:aws:iam::111122223333:role/custody/glue"
TAKEN = b"""<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<AssumeRoleResult>
  <Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>hush</SecretAccessKey>
    <SessionToken>token</SessionToken><Expiration>2026-11-03T05:05:06Z</Expiration></Credentials>
  <AssumedRoleUser><Arn>arn:aws:sts::111122223333:assumed-role/glue/me</Arn>
    <AssumedRoleId>AROA:me</AssumedRoleId></AssumedRoleUser>
</AssumeRoleResult>
<ResponseMetadata><RequestId>R</RequestId></ResponseMetadata></AssumeRoleResponse>"""


def built(
    call: ApiCall,
    request: bytes = b"",
    body: bytes = b"",
    status: int = 200,
    by: events.Actor | None = None,
) -> Any:
    return management.build(
        call,
        request,
        by or actor(),
        Answer(status, {}, body, "R1", COMPLETED),
        event_id="e1",
        shared_event_id="s1",
        place=PLACE,
    )


def test_a_whole_record() -> None:
    assert built(STOP, b'{"Name": "custody-local"}', b"{}") == {
        "eventVersion": "1.11",
        "userIdentity": events.identity_of(USER, None),
        "eventTime": "2026-11-03T04:05:06Z",
        "eventSource": "cloudtrail.amazonaws.com",
        "eventName": "StopLogging",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "127.0.0.1",
        "userAgent": "Boto3/1.43",
        "requestParameters": {"name": "custody-local"},
        "responseElements": None,
        "requestID": "R1",
        "eventID": "e1",
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": "111122223333",
        "eventCategory": "Management",
    }


def test_taking_a_role_tells_the_key_of_the_session_and_not_its_secret() -> None:
    asked = b"Action=AssumeRole&Version=2011-06-15&RoleArn=" + quote(ROLE).encode()
    record = built(TAKE, asked + b"&RoleSessionName=me", TAKEN)
    assert record["readOnly"] is True
    assert record["requestParameters"] == {"roleArn": ROLE, "roleSessionName": "me"}
    assert record["responseElements"] == {
        "credentials": {
            "accessKeyId": "ASIAEXAMPLE",
            "sessionToken": "token",
            "expiration": "Nov 3, 2026, 5:05:06 AM",
        },
        "assumedRoleUser": {
            "arn": "arn:aws:sts::111122223333:assumed-role/glue/me",
            "assumedRoleId": "AROA:me",
        },
    }
    assert "hush" not in json.dumps(record)


def test_taking_a_role_names_the_role_as_its_resource() -> None:
    asked = f"Action=AssumeRole&RoleArn={quote(ROLE)}&RoleSessionName=me".encode()
    role = {"accountId": "111122223333", "type": "AWS::IAM::Role", "ARN": ROLE}
    assert built(TAKE, asked, TAKEN)["resources"] == [role]
    assert "resources" not in built(TAKE, asked, b"", 403)
    assert "resources" not in built(ApiCall("sts", "GetCallerIdentity"))


def test_only_the_role_that_a_service_takes_shares_its_event() -> None:
    asked = f"Action=AssumeRole&RoleArn={quote(ROLE)}&RoleSessionName=me".encode()
    lambda_ = replace(actor(), identity=events.service_identity("lambda.amazonaws.com"))
    assert built(TAKE, asked, TAKEN, by=lambda_)["sharedEventID"] == "s1"
    assert "sharedEventID" not in built(TAKE, asked, TAKEN)
    assert "sharedEventID" not in built(STOP, by=lambda_)


def test_tokens_of_other_providers_are_hidden() -> None:
    record = built(ApiCall("sts", "AssumeRoleWithSAML"), b"RoleArn=arn%3Ax&SAMLAssertion=hush")
    assert record["requestParameters"]["sAMLAssertion"] == management.HIDDEN


def test_the_catalogs_parameters_keep_the_names_that_people_chose() -> None:
    asked = {
        "DatabaseName": "db",
        "TableName": "t",
        "PartitionInputList": [{"Values": ["1"], "Parameters": {"Chosen": "Name"}}],
    }
    errors = {"Errors": [{"PartitionValues": ["1"], "ErrorDetail": {"ErrorCode": "E"}}]}
    record = built(
        ApiCall("glue", "BatchCreatePartition"),
        json.dumps(asked).encode(),
        json.dumps(errors).encode(),
    )
    assert record["requestParameters"] == {
        "databaseName": "db",
        "tableName": "t",
        "partitionInputList": [{"values": ["1"], "parameters": {"Chosen": "Name"}}],
    }
    assert record["responseElements"] == {
        "errors": [{"partitionValues": ["1"], "errorDetail": {"errorCode": "E"}}]
    }


@pytest.mark.parametrize("key", ["1234abcd", "arn:aws:kms:us-east-1:111122223333:key/1234abcd"])
def test_who_changes_a_key_is_told_with_the_key_and_what_it_became(key: str) -> None:
    asked = {"KeyId": key, "PolicyName": "default", "Policy": "{}"}
    record = built(ApiCall("kms", "PutKeyPolicy"), json.dumps(asked).encode())
    assert record["readOnly"] is False
    assert record["requestParameters"] == {"keyId": key, "policyName": "default", "policy": "{}"}
    arn = "arn:aws:kms:us-east-1:111122223333:key/1234abcd"
    of_key = {"accountId": "111122223333", "type": "AWS::KMS::Key", "ARN": arn}
    assert record["resources"] == [of_key]


def test_a_grants_token_is_hidden() -> None:
    made = built(ApiCall("kms", "CreateGrant"), b'{"KeyId": "k"}', b'{"GrantToken": "hush"}')
    assert made["responseElements"] == {"grantToken": management.HIDDEN}


@pytest.mark.parametrize(
    "action",
    [
        "Decrypt", "Encrypt", "ReEncryptFrom", "GenerateDataKey", "GenerateMac", "GenerateRandom",
        "GetPublicKey", "Sign", "Verify", "ListKeys", "DescribeKey",
    ],
)  # fmt: skip
def test_using_a_key_is_a_read_and_its_bytes_are_not_told(action: str) -> None:
    record = built(ApiCall("kms", action), b'{"KeyId": "k", "Plaintext": "hush"}', b"{}")
    assert (record["readOnly"], record["requestParameters"]) == (True, None)
    assert ApiCall("signer", action).read_only is action.startswith(("Get", "List", "Describe"))


@pytest.mark.parametrize(
    "call", [ApiCall("glue", "CreateConnection"), ApiCall("logs", "PutRetentionPolicy")]
)
def test_what_others_were_asked_and_answered_stays_unwritten(call: ApiCall) -> None:
    record = built(call, b'{"Password": "hush"}', b'{"SecretAccessKey": "hush"}')
    assert (record["requestParameters"], record["responseElements"]) == (None, None)
    assert record["readOnly"] is False


def test_who_silences_an_alarm_is_told_with_it_and_under_the_name_cloudtrail_has() -> None:
    """CloudWatch is asked in CBOR or in JSON."""
    call = management.parse("cloudwatch:DisableAlarmActions")
    assert call == ApiCall("monitoring", "DisableAlarmActions")
    for asked in (b"\xa1jAlarmNames\x81dmine", b'{"AlarmNames": ["mine"]}'):
        record = built(call, asked)
        assert record["eventSource"] == "monitoring.amazonaws.com"
        assert record["requestParameters"] == {"alarmNames": ["mine"]}
    for other in (b"\xa1jAlarm", b'{"AlarmNames": "cut off', b"Action=DisableAlarmActions"):
        assert built(call, other)["requestParameters"] is None
    assert management.parse("cloudwatch:PutMetricData") is None


KEY_MADE = b"""<CreateAccessKeyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
<CreateAccessKeyResult><AccessKey><UserName>web-shop</UserName><AccessKeyId>AKIAX</AccessKeyId>
<Status>Active</Status><SecretAccessKey>hush</SecretAccessKey></AccessKey></CreateAccessKeyResult>
<ResponseMetadata><RequestId>R</RequestId></ResponseMetadata></CreateAccessKeyResponse>"""


def test_who_makes_a_key_for_whom_is_told_without_its_secret() -> None:
    record = built(ApiCall("iam", "CreateAccessKey"), b"UserName=web-shop", KEY_MADE)
    assert record["requestParameters"] == {"userName": "web-shop"}
    made = {"userName": "web-shop", "accessKeyId": "AKIAX", "status": "Active"}
    assert record["responseElements"] == {"accessKey": made}
    changed = built(ApiCall("iam", "UpdateAssumeRolePolicy"), b"RoleName=r&PolicyDocument=%7B%7D")
    assert changed["requestParameters"] == {"roleName": "r", "policyDocument": "{}"}
    assert changed["responseElements"] is None


def test_what_stands_in_a_url_is_a_parameter_too() -> None:
    code = ApiCall("lambda", "UpdateFunctionCode", (("functionName", "f"),))
    record = built(code, b'{"ZipFile": "hush", "Publish": true}', b'{"FunctionArn": "arn:f"}')
    assert record["requestParameters"] == {
        "functionName": "f",
        "publish": True,
        "zipFile": management.HIDDEN,
    }
    assert record["responseElements"] == {"functionArn": "arn:f"}
    # A body that was too long to be kept.
    assert built(code, b'{"ZipFile": "hu')["requestParameters"] == {"functionName": "f"}


def test_a_parameters_value_is_hidden() -> None:
    put = built(ApiCall("ssm", "PutParameter"), b'{"Name": "/custody/local/x", "Value": "hush"}')
    assert put["requestParameters"] == {"name": "/custody/local/x", "value": management.HIDDEN}


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b'{"__type": "NotFoundException", "message": "none"}', "NotFoundException", "none"),
        (b'{"__type": "com.amazonaws#AccessDeniedException"}', "AccessDeniedException", None),
        (b"<E><Code>AccessDenied</Code><Message>no</Message></E>", "AccessDenied", "no"),
        (b"gone wrong", "403", None),
    ],
)  # fmt: skip
def test_a_refused_call_says_why(body: bytes, code: str, message: str | None) -> None:
    record = built(STOP, b'{"Name": "x"}', body, 403)
    assert (record["errorCode"], record.get("errorMessage")) == (code, message)
    assert record["responseElements"] is None


@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "UnrecognizedClientException"])
def test_a_caller_nobody_knows_is_not_logged(code: str) -> None:
    assert built(STOP, b"{}", json.dumps({"__type": code}).encode(), 403) is None


@pytest.mark.parametrize(
    ("action", "call"),
    [
        ("cloudtrail:StopLogging", STOP),
        ("s3:PutBucketPolicy", ApiCall("s3", "PutBucketPolicy")),
        ("s3:PutLifecycleConfiguration", ApiCall("s3", "PutBucketLifecycle")),
        ("sqs:SendMessage", None),
        ("lambda:InvokeFunction", None),
        (None, None),
    ],
)
def test_what_is_a_management_event(action: str | None, call: ApiCall | None) -> None:
    assert parse(action) == call


@pytest.mark.parametrize("body", [b"", b"[", b"[]", b"\xff", b"1", b"[" * 100_000])
def test_bodies_of_any_shape_are_passed_over(body: bytes) -> None:
    for call in (STOP, TAKE, ApiCall("glue", "UpdateTable")):
        assert built(call, body, body)["responseElements"] is None
        assert "errorCode" in built(call, body, body, 400)
