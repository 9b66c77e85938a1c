"""Who may publish which metrics."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
from tests.infra.local.conftest import ACCOUNT, Server

from localaws.access.metrics import namespace_of

CALL = {"Namespace": "Custody", "MetricData": []}


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(CALL).encode(),
        urlencode({"Action": "PutMetricData", "Version": "v", "Namespace": "Custody"}).encode(),
    ],
    ids=["JSON", "query"],
)
def test_the_namespace_is_read_in_both_protocols(body: bytes) -> None:
    assert namespace_of(body) == "Custody"


def test_a_role_publishes_into_its_namespace_alone(server: Server) -> None:
    iam, sts = server.client("iam"), server.root("sts")
    root = f"arn:aws:iam::{ACCOUNT}:root"
    trust = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"}
    allowed = {
        "Effect": "Allow",
        "Action": "cloudwatch:PutMetricData",
        "Resource": "*",
        "Condition": {"StringEquals": {"cloudwatch:namespace": "Custody"}},
    }
    role = iam.create_role(
        RoleName="counter", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]})
    )["Role"]
    iam.put_role_policy(
        RoleName="counter", PolicyName="p", PolicyDocument=json.dumps({"Statement": [allowed]})
    )
    try:
        taken = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="session")["Credentials"]
        session = server.session(
            taken["AccessKeyId"], taken["SecretAccessKey"], taken["SessionToken"]
        )
        cloudwatch = server.client("cloudwatch", session)
        number = [{"MetricName": "n", "Value": 1}]
        cloudwatch.put_metric_data(Namespace="Custody", MetricData=number)
        with pytest.raises(cloudwatch.exceptions.ClientError, match="not authorized"):
            cloudwatch.put_metric_data(Namespace="AWS/Lambda", MetricData=number)
    finally:
        iam.delete_role_policy(RoleName="counter", PolicyName="p")
        iam.delete_role(RoleName="counter")
