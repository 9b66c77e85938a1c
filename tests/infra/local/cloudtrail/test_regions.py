"""A trail of all regions: each has its own log files, its own digests and its own key."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.infra.local.cloudtrail.conftest import ACCOUNT, TRAIL, LocalAws, make_local_aws

from localaws.cloudtrail.place import region_of_call

HOME, GLOBAL, QUIET = REGIONS = ("eu-central-1", "us-east-1", "eu-west-1")
TRAIL_ARN = f"arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/{TRAIL}"
MANAGEMENT = {"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """An account at home in another region than that of global services, after a digest."""
    home = Path(tmp_path_factory.mktemp("home"))
    made = make_local_aws(home, LOCAL_AWS_REGION=HOME, LOCAL_CLOUDTRAIL_DELIVERY_SECONDS="3600")
    try:
        made.start()
        made.trail(multi_region=True)
        made.root("cloudtrail").put_event_selectors(
            TrailName=TRAIL, AdvancedEventSelectors=[MANAGEMENT]
        )
        made.flush()
        made.root("iam").create_user(UserName="somebody")
        made.in_region(GLOBAL, "sts").get_caller_identity()
        made.root("sts").get_caller_identity()
        made.root("sqs").create_queue(QueueName="q")
        made.flush()
        made.control("POST", "digest")
        yield made
    finally:
        made.stop()


def region_in(key: str) -> str:
    return key.split("/")[3]


def test_the_account_has_the_regions_that_are_played(aws: LocalAws) -> None:
    told = aws.root("ec2").describe_regions()["Regions"]
    assert [region["RegionName"] for region in told] == list(REGIONS)


def test_global_services_are_logged_in_their_own_region(aws: LocalAws) -> None:
    for name, regions in (
        ("CreateUser", [GLOBAL]),
        ("GetCallerIdentity", [HOME, GLOBAL]),
        ("CreateQueue", [HOME]),
    ):
        assert sorted(r["awsRegion"] for r in aws.records(eventName=name)) == regions, name
    for key in aws.log_objects():
        assert {r["awsRegion"] for r in aws.read_log(key)["Records"]} == {region_in(key)}


def test_every_region_has_a_chain_and_a_key_of_its_own(aws: LocalAws) -> None:
    digests = [aws.read_log(key) for key in aws.log_objects("CloudTrail-Digest")]
    assert Counter(region_in(d["digestS3Object"]) for d in digests) == dict.fromkeys(REGIONS, 1)
    for digest in digests:
        region = region_in(digest["digestS3Object"])
        (key,) = aws.in_region(region, "cloudtrail").list_public_keys()["PublicKeyList"]
        assert digest["digestPublicKeyFingerprint"] == key["Fingerprint"]
        assert f"_{TRAIL}_{HOME}_" in digest["digestS3Object"]
        assert digest["previousDigestS3Object"] is None
        named = {region_in(log["s3Object"]) for log in digest["logFiles"]}
        assert named == (set() if region == QUIET else {region})
    assert len({digest["digestPublicKeyFingerprint"] for digest in digests}) == len(REGIONS)


def test_a_region_that_is_not_enabled_publishes_no_keys(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        aws.in_region("ap-south-1", "cloudtrail").list_public_keys()


def test_each_region_tells_of_its_own_deliveries(aws: LocalAws) -> None:
    for region, delivers in ((HOME, True), (GLOBAL, True), (QUIET, False)):
        status = aws.in_region(region, "cloudtrail").get_trail_status(Name=TRAIL_ARN)
        assert status["IsLogging"] is True
        assert ("LatestDeliveryTime" in status) is delivers
        assert "LatestDigestDeliveryTime" in status


def test_a_trail_of_one_region_has_no_global_events_elsewhere(aws: LocalAws) -> None:
    cloudtrail, iam = aws.root("cloudtrail"), aws.root("iam")
    cloudtrail.update_trail(Name=TRAIL, IsMultiRegionTrail=False)
    iam.create_user(UserName="unseen")
    cloudtrail.update_trail(Name=TRAIL, IsMultiRegionTrail=True)
    iam.create_user(UserName="seen")
    told = json.dumps(aws.records(eventName="CreateUser"))
    assert len(aws.records(eventName="CreateUser")) == 2, told


@pytest.mark.parametrize(
    ("service", "signed_for", "logged_in"),
    [
        ("iam", HOME, GLOBAL),
        ("sts", GLOBAL, GLOBAL),
        ("sts", HOME, HOME),
        ("kms", QUIET, QUIET),
        ("s3", GLOBAL, HOME),  # every bucket is at home
        ("kms", "ap-south-1", HOME),  # which AWS would refuse
    ],
)
def test_the_region_of_a_call(service: str, signed_for: str, logged_in: str) -> None:
    assert region_of_call(service, signed_for, REGIONS) == logged_in


def test_signing_for_somebody_elsewhere_is_seen(aws: LocalAws) -> None:
    """Whoever takes a role at the global endpoint is in that region's log files alone."""
    trust: dict[str, Any] = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    role = aws.root("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))
    arn = role["Role"]["Arn"]
    aws.in_region(GLOBAL, "sts").assume_role(RoleArn=arn, RoleSessionName="me")
    (taken,) = aws.records(eventName="AssumeRole")
    assert (taken["awsRegion"], taken["requestParameters"]["roleArn"]) == (GLOBAL, arn)
