"""Bucket and key policies, put to ministack's evaluator with the service as the caller."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ministack.core.responses import get_account_id
from ministack.services import kms, s3
from tests.infra.local.cloudtrail.samples import PLACE, trail

from localaws.cloudtrail.delivery import permissions
from localaws.cloudtrail.delivery.permissions import DeliveryError

BUCKET_ARN = "arn:aws:s3:::trail-bucket"
KEY = "AWSLogs/111122223333/CloudTrail/x.json.gz"
KMS_KEY = "arn:aws:kms:us-east-1:111122223333:key/k"
SOURCE = {"StringEquals": {"aws:SourceArn": trail().arn}}
SERVICE = {"Service": "cloudtrail.amazonaws.com"}

# The bucket policy AWS's CloudTrail user guide gives.
READ_ACL = {
    "Effect": "Allow", "Principal": SERVICE, "Action": "s3:GetBucketAcl",
    "Resource": BUCKET_ARN, "Condition": SOURCE,
}  # fmt: skip
WRITE = {
    "Effect": "Allow", "Principal": SERVICE, "Action": "s3:PutObject",
    "Resource": f"{BUCKET_ARN}/AWSLogs/111122223333/*",
    "Condition": {"StringEquals": {
        "s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": trail().arn}},
}  # fmt: skip
TLS_ONLY = {
    "Effect": "Deny", "Principal": "*", "Action": "s3:*",
    "Resource": [BUCKET_ARN, f"{BUCKET_ARN}/*"],
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}  # fmt: skip
NOBODY_WRITES = {
    "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": f"{BUCKET_ARN}/*",
}  # fmt: skip
OTHERS_DO_NOT_WRITE = {
    **NOBODY_WRITES,
    "Condition": {"StringNotEquals": {"aws:PrincipalServiceName": "cloudtrail.amazonaws.com"}},
}
PEOPLE_DO_NOT_WRITE = {
    **NOBODY_WRITES, "Condition": {"BoolIfExists": {"aws:PrincipalIsAWSService": "false"}},
}  # fmt: skip


@pytest.fixture
def policies(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Policies by resource ARN, where ministack would keep them; None for a missing resource."""
    held: dict[str, Any] = {}

    def look_up(arn: str) -> tuple[str, str] | None:
        assert get_account_id() == PLACE.account_id
        statements = held.get(arn)
        if statements is None:
            return None
        return json.dumps({"Version": "2012-10-17", "Statement": statements}), PLACE.account_id

    monkeypatch.setattr(s3, "bucket_policy_for_arn", look_up)
    monkeypatch.setattr(kms, "key_policy_for_arn", look_up)
    before = get_account_id()
    yield held
    assert get_account_id() == before


def check(kms_key_id: str | None = None) -> None:
    permissions.check(
        trail_arn=trail().arn, bucket="trail-bucket", key=KEY, kms_key_id=kms_key_id, place=PLACE
    )


@pytest.mark.parametrize(
    "statements",
    [
        [READ_ACL, WRITE],
        [READ_ACL, WRITE, TLS_ONLY],
        [READ_ACL, WRITE, PEOPLE_DO_NOT_WRITE, OTHERS_DO_NOT_WRITE],
    ],
)
def test_aws_documented_policy_lets_it_write(
    policies: dict[str, Any], statements: list[dict[str, Any]]
) -> None:
    policies[BUCKET_ARN] = statements
    check()


@pytest.mark.parametrize(
    ("statements", "missing"),
    [
        ([], "s3:GetBucketAcl"),
        ([WRITE], "s3:GetBucketAcl"),
        ([READ_ACL], "s3:PutObject"),
        ([READ_ACL, {**WRITE, "Principal": {"Service": "config.amazonaws.com"}}], "s3:PutObject"),
        ([READ_ACL, {**WRITE, "Resource": f"{BUCKET_ARN}/AWSLogs/444455556666/*"}], "s3:PutObject"),
        (
            [READ_ACL, {**WRITE, "Condition": {"StringEquals": {"aws:SourceArn": "another"}}}],
            "s3:PutObject",
        ),
        ([READ_ACL, WRITE, NOBODY_WRITES], "s3:PutObject"),
    ],
)
def test_a_policy_that_forgets_it_is_named(
    policies: dict[str, Any], statements: list[dict[str, Any]], missing: str
) -> None:
    policies[BUCKET_ARN] = statements
    with pytest.raises(DeliveryError, match=f"trail-bucket .*{missing}"):
        check()


def test_a_bucket_that_does_not_exist_is_left_to_the_write(policies: dict[str, Any]) -> None:
    assert BUCKET_ARN not in policies
    check()


def test_the_key_must_let_it_encrypt(policies: dict[str, Any]) -> None:
    policies[BUCKET_ARN] = [READ_ACL, WRITE]
    with pytest.raises(DeliveryError, match="kms:GenerateDataKey"):
        check(KMS_KEY)
    policies[KMS_KEY] = [
        {
            "Effect": "Allow",
            "Principal": SERVICE,
            "Action": "kms:GenerateDataKey*",
            "Resource": "*",
            "Condition": {
                "StringEquals": {"aws:SourceArn": trail().arn},
                "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": "arn:aws:cloudtrail:*"},
            },
        }
    ]
    check(KMS_KEY)
