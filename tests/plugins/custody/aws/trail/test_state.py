"""What CloudTrail says of a trail and of its keys, read as the rules take it."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from moto import mock_aws
from tests.support.moto_aws import REGION, answer, make_bucket, refusal
from tests.support.trail_history import ANOTHER_KEY, NOON, PRIVATE_KEY

from custody.aws.trail.state import (
    KeysRefused,
    enabled_regions,
    fetch_digest_keys,
    read_trail_state,
)

ARN = f"arn:aws:cloudtrail:{REGION}:123456789012:trail/custody-test"


@pytest.fixture
def cloudtrail() -> Iterator[Any]:
    with mock_aws():
        make_bucket(boto3.client("s3", region_name=REGION), "trail-bucket")
        client = boto3.client("cloudtrail", region_name=REGION)
        client.create_trail(
            Name="custody-test",
            S3BucketName="trail-bucket",
            S3KeyPrefix="audit",
            EnableLogFileValidation=True,
            IsMultiRegionTrail=True,
        )
        yield client


def test_a_trail_that_is_on(cloudtrail):
    cloudtrail.start_logging(Name="custody-test")
    state = read_trail_state(cloudtrail, ARN)
    assert (state.bucket, state.prefix) == ("trail-bucket", "audit")
    assert (state.logging, state.validated, state.multi_region) == (True, True, True)
    assert state.digest_error == ""
    assert state.started_at.tzinfo is not None


def test_a_trail_that_was_stopped(cloudtrail):
    cloudtrail.start_logging(Name="custody-test")
    cloudtrail.stop_logging(Name="custody-test")
    state = read_trail_state(cloudtrail, ARN)
    assert not state.logging
    assert state.stopped_at >= state.started_at


def test_a_trail_that_logs_one_region_alone(cloudtrail):
    cloudtrail.update_trail(Name="custody-test", IsMultiRegionTrail=False)
    assert not read_trail_state(cloudtrail, ARN).multi_region


def test_the_regions_of_an_account_are_those_enabled(cloudtrail):
    told = {"Regions": [{"RegionName": "us-east-1"}, {"RegionName": "eu-west-1"}]}
    ec2 = boto3.client("ec2", region_name=REGION)
    ec2.meta.events.register("before-call.ec2.DescribeRegions", lambda **_: answer(told))
    assert enabled_regions(ec2) == {"us-east-1", "eu-west-1"}


@pytest.mark.parametrize("code", ["AccessDeniedException", "UnrecognizedClientException"])
def test_a_region_that_refuses_its_keys_says_so(cloudtrail, code):
    def refuse(**_: object) -> Any:
        return refusal(code, 400)

    cloudtrail.meta.events.register("before-call.cloudtrail.ListPublicKeys", refuse)
    with pytest.raises(KeysRefused, match=code):
        fetch_digest_keys(cloudtrail, NOON, NOON)


def test_a_trail_that_is_gone(cloudtrail):
    cloudtrail.delete_trail(Name="custody-test")
    assert read_trail_state(cloudtrail, ARN) is None


def der(key: Any, form: PublicFormat) -> str:
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, form)).decode()


def test_keys_come_page_by_page_in_either_form(cloudtrail):
    asked = []
    pages = {
        None: {
            "PublicKeyList": [{"Fingerprint": "f1", "Value": der(PRIVATE_KEY, PublicFormat.PKCS1)}],
            "NextToken": "more",
        },
        "more": {
            "PublicKeyList": [
                {
                    "Fingerprint": "f2",
                    "Value": der(ANOTHER_KEY, PublicFormat.SubjectPublicKeyInfo),
                }
            ]
        },
    }

    def list_public_keys(params: dict[str, Any], **_: object) -> Any:
        request = json.loads(params["body"])
        asked.append((request["StartTime"], request["EndTime"]))
        page = pages[request.get("NextToken")]
        decoded = [
            {**key, "Value": base64.b64decode(key["Value"])} for key in page["PublicKeyList"]
        ]
        return answer({**page, "PublicKeyList": decoded})

    cloudtrail.meta.events.register("before-call.cloudtrail.ListPublicKeys", list_public_keys)
    keys = fetch_digest_keys(cloudtrail, NOON, NOON + timedelta(hours=1))
    assert {name: key.public_numbers() for name, key in keys.items()} == {
        "f1": PRIVATE_KEY.public_key().public_numbers(),
        "f2": ANOTHER_KEY.public_key().public_numbers(),
    }
    start, end = asked[0]
    assert datetime.fromtimestamp(start, UTC) == NOON
    assert datetime.fromtimestamp(end, UTC) == NOON + timedelta(hours=3)


def test_a_key_that_is_not_rsa_is_an_error(cloudtrail):
    value = base64.b64decode(
        der(ec.generate_private_key(ec.SECP256R1()), PublicFormat.SubjectPublicKeyInfo)
    )
    cloudtrail.meta.events.register(
        "before-call.cloudtrail.ListPublicKeys",
        lambda **_: answer({"PublicKeyList": [{"Fingerprint": "f", "Value": value}]}),
    )
    with pytest.raises(ValueError, match="not an RSA key"):
        fetch_digest_keys(cloudtrail, NOON, NOON)
