"""Records against the shapes AWS documents and that are seen in public CloudTrail logs."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import pytest
from tests.infra.local.cloudtrail.samples import PLACE, USER, actor, call, outcome

from localaws.cloudtrail.recording import events
from localaws.cloudtrail.recording.events import Session
from localaws.cloudtrail.recording.s3calls import S3Call


def build(s3_call: S3Call, **changed_outcome: object) -> events.Record:
    return events.build(s3_call, actor(), outcome(**changed_outcome), event_id="e-1", place=PLACE)


def test_put_object_field_for_field() -> None:
    put = call(
        query=(("x-id", "PutObject"),),
        headers={
            "host": "127.0.0.1:4566",
            "authorization": "AWS4-HMAC-SHA256 Credential=secret",
            "x-amz-date": "20261103T040506Z",
            "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            "x-amz-security-token": "secret",
            "x-amz-meta-note": "the user's own",
            "x-amz-storage-class": "STANDARD",
            "x-amz-server-side-encryption": "AES256",
        },
    )
    record = build(
        put,
        headers={
            "content-length": "0",
            "x-amz-version-id": "v1",
            "x-amz-server-side-encryption": "AES256",
            "x-amz-checksum-crc32": "AAAAAA==",
        },
    )
    assert record == {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "IAMUser",
            "principalId": "AIDACKCEVSQ6C2EXAMPLE",
            "arn": "arn:aws:iam::111122223333:user/crm-export",
            "accountId": "111122223333",
            "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
            "userName": "crm-export",
        },
        "eventTime": "2026-11-03T04:05:06Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "PutObject",
        "awsRegion": "us-east-1",
        "sourceIPAddress": "127.0.0.1",
        "userAgent": "[Boto3/1.43]",
        "requestParameters": {
            "bucketName": "raw",
            "Host": "127.0.0.1:4566",
            "key": "incoming/a.csv",
            "x-id": "PutObject",
            "x-amz-storage-class": "STANDARD",
            "x-amz-server-side-encryption": "AES256",
        },
        "responseElements": {
            "x-amz-version-id": "v1",
            "x-amz-server-side-encryption": "AES256",
        },
        "additionalEventData": {
            "SignatureVersion": "SigV4",
            "bytesTransferredIn": 2143,
            "SSEApplied": "SSE_S3",
            "AuthenticationMethod": "AuthHeader",
            "x-amz-id-2": "aG9zdA==",
            "bytesTransferredOut": 0,
        },
        "requestID": "07D7PA6H1FSKBQ58",
        "eventID": "e-1",
        "readOnly": False,
        "resources": [
            {"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::raw/incoming/a.csv"},
            {"accountId": "111122223333", "type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::raw"},
        ],
        "eventType": "AwsApiCall",
        "managementEvent": False,
        "recipientAccountId": "111122223333",
        "eventCategory": "Data",
    }
    assert "secret" not in json.dumps(record)


def test_a_read_has_no_response_elements() -> None:
    record = build(call("GetObject"), headers={"x-amz-version-id": "v1"}, bytes_out=10)
    assert record["readOnly"] is True
    assert record["responseElements"] is None
    assert record["additionalEventData"]["bytesTransferredOut"] == 10
    assert "SSEApplied" not in record["additionalEventData"]


def test_delete_objects_carries_no_keys() -> None:
    record = build(
        call("DeleteObjects", key=None, query=(("delete", ""),)), headers={}, bytes_out=300
    )
    assert record["requestParameters"] == {
        "bucketName": "raw",
        "Host": "127.0.0.1:4566",
        "delete": "",
    }
    assert record["responseElements"] is None
    assert record["resources"][0] == {
        "type": "AWS::S3::Object",
        "ARNPrefix": "arn:aws:s3:::raw/",
    }


def test_a_copy_names_its_source_as_it_was_sent() -> None:
    record = build(
        call("CopyObject", headers={"x-amz-copy-source": "raw/a%20b.csv?versionId=v0"}),
        headers={"x-amz-version-id": "v2", "x-amz-copy-source-version-id": "v0"},
    )
    assert record["requestParameters"]["x-amz-copy-source"] == "raw/a%20b.csv?versionId=v0"
    assert record["responseElements"] == {
        "x-amz-version-id": "v2",
        "x-amz-copy-source-version-id": "v0",
    }


def test_a_delete_names_the_version_and_the_marker() -> None:
    record = build(
        call("DeleteObject", query=(("versionId", "v1"),)),
        headers={"x-amz-version-id": "v1", "x-amz-delete-marker": "true"},
    )
    assert record["requestParameters"]["versionId"] == "v1"
    assert record["responseElements"] == {"x-amz-version-id": "v1", "x-amz-delete-marker": "true"}


def test_a_refused_call_has_its_error_and_no_response() -> None:
    record = build(
        call(),
        status=403,
        error_code="AccessDenied",
        error_message="User: x is not authorized",
        headers={"x-amz-version-id": "v1"},
    )
    assert record["errorCode"] == "AccessDenied"
    assert record["errorMessage"] == "User: x is not authorized"
    assert record["responseElements"] is None


def test_a_presigned_call_keeps_its_parameters_but_no_credentials() -> None:
    presigned = call(
        query=(
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
            ("X-Amz-Credential", "AKIA/20261103/us-east-1/s3/aws4_request"),
            ("X-Amz-Date", "20261103T040506Z"),
            ("X-Amz-Expires", "300"),
            ("X-Amz-SignedHeaders", "host"),
            ("X-Amz-Security-Token", "secret"),
            ("X-Amz-Signature", "secret"),
        )
    )
    parameters = build(presigned)["requestParameters"]
    assert parameters["X-Amz-Expires"] == "300"
    assert not {"X-Amz-Credential", "X-Amz-Security-Token", "X-Amz-Signature"} & set(parameters)


@pytest.mark.parametrize(
    ("request_headers", "response_headers", "applied"),
    [
        ({}, {}, None),
        ({}, {"x-amz-server-side-encryption": "AES256"}, "Default_SSE_S3"),
        ({}, {"x-amz-server-side-encryption": "aws:kms"}, "Default_SSE_KMS"),
        (
            {"x-amz-server-side-encryption": "aws:kms"},
            {"x-amz-server-side-encryption": "aws:kms"},
            "SSE_KMS",
        ),
        (
            {"x-amz-server-side-encryption-customer-algorithm": "AES256"},
            {"x-amz-server-side-encryption-customer-algorithm": "AES256"},
            "SSE_C",
        ),
    ],
)
def test_applied_encryption(
    request_headers: dict[str, str], response_headers: dict[str, str], applied: str | None
) -> None:
    record = build(call(headers=request_headers), headers=response_headers)
    assert record["additionalEventData"].get("SSEApplied") == applied


def test_customer_keys_are_never_logged() -> None:
    record = build(
        call(
            headers={
                "x-amz-server-side-encryption-customer-key": "secret",
                "x-amz-server-side-encryption-customer-key-md5": "secret",
                "x-amz-copy-source-server-side-encryption-customer-key": "secret",
            }
        )
    )
    assert "secret" not in json.dumps(record)


def test_an_assumed_role_names_its_role_and_when_the_session_began() -> None:
    caller = dataclasses.replace(
        USER,
        type="AssumedRole",
        arn="arn:aws:sts::111122223333:assumed-role/glue/job-1",
        # As ministack keeps the session of a function: by the name of its role.
        principal_id="glue:job-1",
        access_key_id="ASIAIOSFODNN7EXAMPLE",
        name="glue",
    )
    session = Session(
        role_arn="arn:aws:iam::111122223333:role/custody/glue",
        role_id="AROACKCEVSQ6C2EXAMPLE",
        role_name="glue",
        issued_at=dt.datetime(2026, 11, 3, 4, 0, tzinfo=dt.UTC),
    )
    assert events.identity_of(caller, session) == {
        "type": "AssumedRole",
        "principalId": "AROACKCEVSQ6C2EXAMPLE:job-1",
        "arn": "arn:aws:sts::111122223333:assumed-role/glue/job-1",
        "accountId": "111122223333",
        "accessKeyId": "ASIAIOSFODNN7EXAMPLE",
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "principalId": "AROACKCEVSQ6C2EXAMPLE",
                "arn": "arn:aws:iam::111122223333:role/custody/glue",
                "accountId": "111122223333",
                "userName": "glue",
            },
            "attributes": {"creationDate": "2026-11-03T04:00:00Z", "mfaAuthenticated": "false"},
        },
    }


def test_a_service_has_only_its_name() -> None:
    identity = events.service_identity("cloudtrail.amazonaws.com")
    assert identity == {"type": "AWSService", "invokedBy": "cloudtrail.amazonaws.com"}
    assert events.notification_principal(identity) == "AWS:cloudtrail.amazonaws.com"


def test_root_has_no_user_name() -> None:
    root = dataclasses.replace(
        USER,
        type="Root",
        arn="arn:aws:iam::111122223333:root",
        principal_id="111122223333",
        name="",
    )
    identity = events.identity_of(root, None)
    assert identity["type"] == "Root"
    assert "userName" not in identity
    assert events.notification_principal(identity) == "AWS:111122223333"


@pytest.mark.parametrize(
    ("method", "status", "body", "expected"),
    [
        ("PUT", 200, b"", (None, None)),
        ("GET", 304, b"", (None, None)),
        (
            "PUT",
            403,
            b"<Error><Code>AccessDenied</Code><Message>a &lt;b&gt; &quot;c&quot;</Message></Error>",
            ("AccessDenied", 'a <b> "c"'),
        ),
        ("GET", 404, b"<Error><Code>NoSuchKey</Code></Error>", ("NoSuchKey", None)),
        ("HEAD", 403, b"", ("AccessDenied", None)),
        ("HEAD", 404, b"", ("NoSuchKey", None)),
        ("PUT", 500, b"not XML", ("500", None)),
    ],
)
def test_error_of(
    method: str, status: int, body: bytes, expected: tuple[str | None, str | None]
) -> None:
    assert events.error_of(method, status, body) == expected


@pytest.mark.parametrize(
    ("code", "message", "failed"),
    [
        ("SignatureDoesNotMatch", "…", True),
        ("InvalidAccessKeyId", "…", True),
        ("ExpiredToken", "…", True),
        ("AccessDenied", "Request has expired", True),
        ("AccessDenied", "User: x is not authorized to perform: s3:GetObject", False),
        ("AccessDenied", None, False),
        ("NoSuchKey", None, False),
        (None, None, False),
    ],
)
def test_a_failed_authentication_is_told_from_a_refusal(
    code: str | None, message: str | None, failed: bool
) -> None:
    assert events.is_authentication_failure(code, message) is failed
