"""Which statements have let a request through."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError
from tests.infra.local.conftest import ACCOUNT, Server

from localaws.access.grants import FILE


def test_a_statement_that_let_a_request_through_is_noted_once_and_no_other(server: Server) -> None:
    iam = server.client("iam")
    iam.create_user(UserName="granted")
    statements = [
        {"Sid": "Used", "Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"},
        {"Sid": "Spare", "Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_user_policy(UserName="granted", PolicyName="p", PolicyDocument=policy)
    made = iam.create_access_key(UserName="granted")["AccessKey"]
    s3 = server.client("s3", server.session(made["AccessKeyId"], made["SecretAccessKey"]))
    s3.list_buckets()
    s3.list_buckets()

    lines = [json.loads(line) for line in (server.settings.logs / FILE).read_text().splitlines()]
    mine = [line for line in lines if line[0] == f"arn:aws:iam::{ACCOUNT}:user/granted"]
    assert mine == [[f"arn:aws:iam::{ACCOUNT}:user/granted", "Used", "s3:ListAllMyBuckets"]]

    # Without its statement the request is refused: what was noted is what was needed.
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements[1:]})
    iam.put_user_policy(UserName="granted", PolicyName="p", PolicyDocument=policy)
    with pytest.raises(ClientError, match="s3:ListAllMyBuckets"):
        s3.list_buckets()
