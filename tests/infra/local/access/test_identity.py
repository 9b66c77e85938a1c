"""The gate in front of everything, and IAM in front of the services we serve ourselves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.infra.local.conftest import ACCOUNT, Server

from localaws.access.root import root_keys

CALLS = [
    ("s3", "list_buckets"),
    ("sqs", "list_queues"),
    ("iam", "list_users"),
    ("sts", "get_caller_identity"),
    ("glue", "get_databases"),
    ("cloudformation", "list_stacks"),
    ("lambda", "list_functions"),
    ("cloudtrail", "list_public_keys"),  # one of ours
]


def refusal(client: Any, operation: str, **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**parameters)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 403)
    return str(refused.value.response["Error"]["Code"])


@pytest.mark.parametrize(("service", "operation"), CALLS)
@pytest.mark.parametrize("key", ["test", ACCOUNT, "000000000000", "AKIANOBODY"])
def test_ministacks_root_keys_are_nobodys(
    server: Server, service: str, operation: str, key: str
) -> None:
    client = server.client(service, server.session(key, "test"))
    assert refusal(client, operation) in {
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "UnrecognizedClientException",
    }


@pytest.mark.parametrize(("service", "operation"), CALLS)
def test_root_is_asked_for_its_secret(server: Server, service: str, operation: str) -> None:
    key = root_keys(server.settings).access_key_id
    client = server.client(service, server.session(key, "a guess"))
    assert refusal(client, operation) in {"SignatureDoesNotMatch", "InvalidSignatureException"}
    getattr(server.root(service), operation)()


@pytest.mark.parametrize(
    "path", ["/", "/bucket/key", "/_ministack/health", "/_ministack/reset", "/_localstack/health"]
)
def test_nothing_is_served_unsigned(server: Server, path: str) -> None:
    status, body = server.get(path)
    assert status == 403
    assert b"AccessDenied" in body or b"MissingAuthenticationToken" in body


def test_ministacks_administration_is_closed_to_root_too(server: Server) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        server.root("s3").get_object(Bucket="_ministack", Key="health")


def test_a_presigned_link_of_root_works_until_it_is_changed(server: Server) -> None:
    keys = root_keys(server.settings)
    signing = server.session(keys.access_key_id, keys.secret_access_key).client(
        "s3", endpoint_url=server.settings.endpoint, config=Config(signature_version="s3v4")
    )
    signing.create_bucket(Bucket="presigned-links")
    signing.put_object(Bucket="presigned-links", Key="a b+ü", Body=b"hello")
    link = signing.generate_presigned_url(
        "get_object", Params={"Bucket": "presigned-links", "Key": "a b+ü"}
    ).removeprefix(server.settings.endpoint)
    assert server.get(link) == (200, b"hello")
    assert server.get(link + "0")[0] == 403
    late = signing.generate_presigned_url(
        "get_object", Params={"Bucket": "presigned-links", "Key": "a b+ü"}, ExpiresIn=0
    ).removeprefix(server.settings.endpoint)
    assert server.get(late)[0] == 403


def test_loopback_counts_as_tls(server: Server) -> None:
    s3 = server.client("s3")
    s3.create_bucket(Bucket="only-over-tls")
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "arn:aws:s3:::only-over-tls/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = {"Version": "2012-10-17", "Statement": [deny]}
    s3.put_bucket_policy(Bucket="only-over-tls", Policy=json.dumps(policy))
    s3.put_object(Bucket="only-over-tls", Key="k", Body=b"x")


def test_our_own_services_ask_iam(server: Server) -> None:
    iam = server.client("iam")
    iam.create_user(UserName="reader")
    made = iam.create_access_key(UserName="reader")["AccessKey"]
    keys = server.session(made["AccessKeyId"], made["SecretAccessKey"])
    cloudtrail = server.client("cloudtrail", keys)
    assert refusal(cloudtrail, "list_public_keys") == "AccessDeniedException"
    allow = {"Effect": "Allow", "Action": "cloudtrail:ListPublicKeys", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [allow]}
    iam.put_user_policy(UserName="reader", PolicyName="p", PolicyDocument=json.dumps(policy))
    cloudtrail.list_public_keys()
    wrong = server.client("cloudtrail", server.session(made["AccessKeyId"], "a guess"))
    assert refusal(wrong, "list_public_keys") == "InvalidSignatureException"


def test_a_role_session_is_known_with_its_token_only(server: Server) -> None:
    iam, sts = server.client("iam"), server.client("sts")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam.create_role(RoleName="watcher", AssumeRolePolicyDocument=json.dumps(trust))
    allow = {"Effect": "Allow", "Action": "cloudtrail:*", "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [allow]}
    iam.put_role_policy(RoleName="watcher", PolicyName="p", PolicyDocument=json.dumps(policy))
    made = sts.assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/watcher", RoleSessionName="night")[
        "Credentials"
    ]
    keys = made["AccessKeyId"], made["SecretAccessKey"]
    server.client("cloudtrail", server.session(*keys, made["SessionToken"])).list_public_keys()
    for token in (None, "a guess"):
        without = server.client("cloudtrail", server.session(*keys, token))
        assert refusal(without, "list_public_keys") in {
            "InvalidClientTokenId",
            "UnrecognizedClientException",
        }
