"""Whoever reads or writes encrypted data needs its key."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.infra.local.conftest import ACCOUNT, REGION, Server

BUCKET = "under-a-key"
_names = itertools.count()

Clients = Callable[[str], Any]


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    """A key whose policy leaves it to IAM, but only through S3 and SNS; and a bucket under it."""
    through = {
        "StringEquals": {"kms:ViaService": [f"{s}.{REGION}.amazonaws.com" for s in ("s3", "sns")]}
    }
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    statements = [
        {
            "Effect": "Allow",
            "Principal": root,
            "Action": "kms:*",
            "Resource": "*",
            "Condition": through,
        },
        {
            "Effect": "Allow",
            "Principal": root,
            "Action": ["kms:Describe*", "kms:Put*"],
            "Resource": "*",
        },
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    arn: str = server.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]
    s3 = server.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": arn}
    s3.put_bucket_encryption(
        Bucket=BUCKET,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": default}]
        },
    )
    return arn


@pytest.fixture
def somebody(server: Server, key: str) -> Callable[..., Clients]:
    """Makes users who may do everything in S3 and SNS, and some things with the key."""

    def make(*kms_actions: str) -> Clients:
        iam, name = server.client("iam"), f"somebody-{next(_names)}"
        iam.create_user(UserName=name)
        statements = [{"Effect": "Allow", "Action": ["s3:*", "sns:*"], "Resource": "*"}]
        if kms_actions:
            statements.append({"Effect": "Allow", "Action": list(kms_actions), "Resource": key})
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
        made = iam.create_access_key(UserName=name)["AccessKey"]
        keys = server.session(made["AccessKeyId"], made["SecretAccessKey"])
        return lambda service: server.client(service, keys)

    return make


def refused(call: Callable[[], Any], action: str) -> None:
    with pytest.raises(ClientError) as error:
        call()
    assert error.value.response["Error"]["Code"] in ("AccessDenied", "AuthorizationError")
    assert f"not authorized to perform: {action} on resource: arn:aws:kms" in str(error.value)


def test_writing_needs_a_data_key_and_reading_needs_decryption(
    somebody: Callable[..., Clients],
) -> None:
    both = somebody("kms:GenerateDataKey", "kms:Decrypt")("s3")
    stored = both.put_object(Bucket=BUCKET, Key="k", Body=b"x")
    assert stored["ServerSideEncryption"] == "aws:kms"
    assert both.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"x"
    writer = somebody("kms:GenerateDataKey")("s3")
    writer.put_object(Bucket=BUCKET, Key="k", Body=b"y")
    refused(lambda: writer.get_object(Bucket=BUCKET, Key="k"), "kms:Decrypt")
    refused(
        lambda: writer.get_object(Bucket=BUCKET, Key="k", VersionId=stored["VersionId"]),
        "kms:Decrypt",
    )
    reader = somebody("kms:Decrypt")("s3")
    assert reader.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"y"
    refused(lambda: reader.put_object(Bucket=BUCKET, Key="k", Body=b"z"), "kms:GenerateDataKey")
    assert both.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"y"


def test_without_the_key_there_is_nothing_but_names(somebody: Callable[..., Clients]) -> None:
    s3 = somebody()("s3")
    somebody("kms:*")("s3").put_object(Bucket=BUCKET, Key="named", Body=b"x")
    assert s3.head_object(Bucket=BUCKET, Key="named")["ContentLength"] == 1
    s3.list_objects_v2(Bucket=BUCKET)
    refused(lambda: s3.get_object(Bucket=BUCKET, Key="named"), "kms:Decrypt")
    # Not under the key: nobody is asked.
    s3.put_object(Bucket=BUCKET, Key="open", Body=b"x", ServerSideEncryption="AES256")
    assert s3.get_object(Bucket=BUCKET, Key="open")["Body"].read() == b"x"


def test_a_copy_reads_and_writes(somebody: Callable[..., Clients]) -> None:
    somebody("kms:*")("s3").put_object(Bucket=BUCKET, Key="a ü+", Body=b"x")
    source = {"Bucket": BUCKET, "Key": "a ü+"}
    writer = somebody("kms:GenerateDataKey")("s3")
    refused(lambda: writer.copy_object(Bucket=BUCKET, Key="copy", CopySource=source), "kms:Decrypt")
    reader = somebody("kms:Decrypt")("s3")
    refused(
        lambda: reader.copy_object(Bucket=BUCKET, Key="copy", CopySource=source),
        "kms:GenerateDataKey",
    )
    somebody("kms:*")("s3").copy_object(Bucket=BUCKET, Key="copy", CopySource=source)


def test_a_multipart_upload_needs_both(somebody: Callable[..., Clients]) -> None:
    for actions, missing in (
        (("kms:GenerateDataKey",), "kms:Decrypt"),
        (("kms:Decrypt",), "kms:GenerateDataKey"),
    ):
        s3 = somebody(*actions)("s3")
        refused(lambda: s3.create_multipart_upload(Bucket=BUCKET, Key="m"), missing)  # noqa: B023
    s3 = somebody("kms:*")("s3")
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="m")["UploadId"]
    part = s3.upload_part(Bucket=BUCKET, Key="m", UploadId=upload, PartNumber=1, Body=b"x")
    s3.complete_multipart_upload(
        Bucket=BUCKET,
        Key="m",
        UploadId=upload,
        MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]},
    )
    assert s3.get_object(Bucket=BUCKET, Key="m")["Body"].read() == b"x"


def test_the_keys_own_policy_counts(
    server: Server, somebody: Callable[..., Clients], key: str
) -> None:
    """It lets the key be used through S3 only, whatever an identity may do."""
    with pytest.raises(ClientError, match="AccessDenied"):
        server.client("kms").encrypt(KeyId=key, Plaintext=b"x")
    somebody("kms:*")("s3").put_object(Bucket=BUCKET, Key="through", Body=b"x")


def test_a_topic_under_a_key_takes_pages_only_from_who_may_use_it(
    server: Server, somebody: Callable[..., Clients], key: str
) -> None:
    topic = server.client("sns").create_topic(
        Name="secret-pages", Attributes={"KmsMasterKeyId": key}
    )["TopicArn"]
    somebody("kms:*")("sns").publish(TopicArn=topic, Message="m")
    sns = somebody("kms:Decrypt")("sns")
    refused(lambda: sns.publish(TopicArn=topic, Message="m"), "kms:GenerateDataKey")
