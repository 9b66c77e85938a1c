"""Condition keys that a policy asks for, with the values AWS gives them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from ministack.core.iam_evaluator import EvalContext
from tests.infra.local.conftest import ACCOUNT, Server

from localaws.access.conditions import principal_arn

BUCKET = "under-conditions"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/team/writer"


@pytest.fixture(scope="module")
def bucket(server: Server) -> Callable[[dict[str, Any]], None]:
    """A bucket; gives what sets the condition under which its policy denies writes."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket=BUCKET)

    def deny_if(condition: dict[str, Any]) -> None:
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{BUCKET}/*",
            "Condition": condition,
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": statement})
        s3.put_bucket_policy(Bucket=BUCKET, Policy=policy)

    return deny_if


def refused(s3: Any, **how: Any) -> bool:
    try:
        s3.put_object(Bucket=BUCKET, Key="k", Body=b"", **how)
    except ClientError as error:
        return bool(error.response["Error"]["Code"] == "AccessDenied")
    return False


@pytest.fixture(scope="module")
def writer(server: Server) -> Any:
    """S3, as a session of a role with a path."""
    iam, sts = server.client("iam"), server.client("sts")
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    may = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    iam.create_role(
        RoleName="writer", Path="/team/", AssumeRolePolicyDocument=json.dumps({"Statement": trust})
    )
    iam.put_role_policy(
        RoleName="writer", PolicyName="p", PolicyDocument=json.dumps({"Statement": may})
    )
    keys = sts.assume_role(RoleArn=ROLE, RoleSessionName="session")["Credentials"]
    session = server.session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    return server.client("s3", session)


def test_a_roles_session_has_the_arn_of_the_role(
    bucket: Callable[[dict[str, Any]], None], writer: Any, server: Server
) -> None:
    bucket({"ArnNotLike": {"aws:PrincipalArn": ROLE}})
    assert (refused(writer), refused(server.client("s3"))) == (False, True)
    bucket({"ArnLike": {"aws:PrincipalArn": f"arn:aws:sts::{ACCOUNT}:assumed-role/*"}})
    assert not refused(writer)


def test_a_service_has_no_arn_of_a_principal() -> None:
    context = EvalContext("s3.amazonaws.com", "Service", ACCOUNT, "sqs:SendMessage", "*", "")
    assert principal_arn(context) is None


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("s3:if-none-match", {"IfNoneMatch": "*"}),
        (
            "s3:x-amz-server-side-encryption-aws-kms-key-id",
            {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "k"},
        ),
        (
            "s3:x-amz-server-side-encryption-customer-algorithm",
            {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "k" * 32},
        ),
    ],
)
def test_a_write_says_what_it_asks_for(
    bucket: Callable[[dict[str, Any]], None], server: Server, name: str, how: dict[str, Any]
) -> None:
    s3 = server.client("s3")
    s3.delete_object(Bucket=BUCKET, Key="k")
    bucket({"Null": {name: "false"}})
    assert (refused(s3, **how), refused(s3)) == (True, False)


def test_a_part_asks_for_what_its_upload_asked_for(
    bucket: Callable[[dict[str, Any]], None], server: Server
) -> None:
    s3, where = server.client("s3"), {"Bucket": BUCKET, "Key": "parts"}
    own = {"s3:x-amz-server-side-encryption-aws-kms-key-id": "ours"}
    bucket({"Null": {"s3:x-amz-server-side-encryption": "false"}, "StringNotEquals": own})
    upload = s3.create_multipart_upload(
        **where, ServerSideEncryption="aws:kms", SSEKMSKeyId="ours"
    )["UploadId"]
    part = s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"x")
    parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
    s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload={"Parts": parts})
