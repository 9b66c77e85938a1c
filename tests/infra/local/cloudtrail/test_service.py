"""CloudTrail's own calls and knobs on a running local AWS."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.infra.local.cloudtrail.conftest import (
    ACCOUNT,
    LOG_BUCKET,
    REGION,
    TRAIL,
    TRAIL_ARN,
    LocalAws,
    bucket_policy,
    make_local_aws,
)
from tests.support.patience import wait_for

RAW = "raw-bucket"
DENY_THE_SERVICE = {
    "Effect": "Deny",
    "Principal": {"Service": "cloudtrail.amazonaws.com"},
    "Action": "s3:PutObject",
    "Resource": f"arn:aws:s3:::{LOG_BUCKET}/*",
}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS whose trail records one bucket."""
    local = make_local_aws(Path(tmp_path_factory.mktemp("home")), LOCAL_CLOUDTRAIL_SEED="7")
    try:
        local.start()
        local.trail(f"arn:aws:s3:::{RAW}/")
        local.root("s3").create_bucket(Bucket=RAW)
        yield local
    finally:
        local.stop()


@pytest.fixture(autouse=True)
def knobs_at_rest(aws: LocalAws) -> Iterator[None]:
    yield
    aws.control(
        "POST",
        "knobs",
        {"delay_seconds": 0, "reorder_seconds": 0, "duplicate_probability": 0},
    )


def put(aws: LocalAws, key: str) -> None:
    aws.root("s3").put_object(Bucket=RAW, Key=key, Body=b"x")


def keys_told(aws: LocalAws) -> list[str]:
    return sorted(r["requestParameters"]["key"] for r in aws.records(bucketName=RAW))


def test_public_keys_are_served_for_their_time(aws: LocalAws) -> None:
    cloudtrail = aws.root("cloudtrail")
    (key,) = cloudtrail.list_public_keys()["PublicKeyList"]
    assert hashlib.md5(key["Value"]).hexdigest() == key["Fingerprint"]  # noqa: S324
    assert base64.b64encode(key["Value"]).startswith(b"MIIBCgKCAQEA")
    now = dt.datetime.now(dt.UTC)
    assert key["ValidityStartTime"] < now < key["ValidityEndTime"]
    long_ago = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)
    old = cloudtrail.list_public_keys(StartTime=long_ago, EndTime=long_ago)
    assert old["PublicKeyList"] == []
    with pytest.raises(ClientError, match="InvalidTimeRangeException"):
        cloudtrail.list_public_keys(StartTime=now, EndTime=long_ago)


def test_calls_need_permission(aws: LocalAws) -> None:
    nobody = aws.user("nobody")
    with pytest.raises(ClientError, match="AccessDenied"):
        nobody("cloudtrail").list_public_keys()


def test_the_lost_event_is_the_only_one_missing(aws: LocalAws) -> None:
    aws.control("POST", "drop", {"event_name": "PutObject", "bucket": RAW, "key": "lost ü.csv"})
    for key in ("kept 1.csv", "lost ü.csv", "kept 2.csv"):
        put(aws, key)
    told = keys_told(aws)
    assert {"kept 1.csv", "kept 2.csv"} <= set(told)
    assert "lost ü.csv" not in told
    assert aws.control("GET", "")["knobs"]["drops_waiting"] == []


def test_a_duplicate_shares_its_event_id(aws: LocalAws) -> None:
    aws.control("POST", "duplicate", {"key": "twice.csv"})
    put(aws, "twice.csv")
    first, second = aws.records(bucketName=RAW, key="twice.csv")
    assert first == second


def test_a_delayed_event_waits_until_flushed(aws: LocalAws) -> None:
    aws.control("POST", "knobs", {"delay_seconds": 3600})
    put(aws, "late.csv")
    assert aws.control("GET", "")["pending_events"] == 1
    assert aws.flush() != []
    assert "late.csv" in keys_told(aws)
    assert aws.control("GET", "")["pending_events"] == 0


def test_flush_answers_when_everything_is_there(aws: LocalAws) -> None:
    put(aws, "flushed.csv")
    aws.flush()
    delivered = [aws.read_log(key) for key in aws.log_objects()]
    told = [r["requestParameters"].get("key") for log in delivered for r in log["Records"]]
    assert told.count("flushed.csv") == 1


def test_unasked_delivery_happens_by_itself(aws: LocalAws) -> None:
    before = len(aws.log_objects())
    put(aws, "by itself.csv")
    wait_for(lambda: len(aws.log_objects()) > before)


def test_an_unknown_knob_is_refused(aws: LocalAws) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        aws.control("POST", "knobs", {"speed": 1})
    with refused.value as error:
        assert error.code == 400
        assert "speed" in json.load(error)["message"]


def test_a_bucket_that_refuses_shows_in_the_trails_status(aws: LocalAws) -> None:
    s3, cloudtrail = aws.root("s3"), aws.root("cloudtrail")
    policy = bucket_policy()
    refusing = {**policy, "Statement": [*policy["Statement"], DENY_THE_SERVICE]}
    s3.put_bucket_policy(Bucket=LOG_BUCKET, Policy=json.dumps(refusing))
    put(aws, "refused.csv")
    with pytest.raises(urllib.error.HTTPError) as refused:
        aws.flush()
    with refused.value as error:
        assert error.code == 409
        assert f"{TRAIL_ARN}: AccessDenied" in json.load(error)["message"]
    assert cloudtrail.get_trail_status(Name=TRAIL)["LatestDeliveryError"] == "AccessDenied"
    s3.put_bucket_policy(Bucket=LOG_BUCKET, Policy=json.dumps(policy))
    assert "refused.csv" in keys_told(aws)
    status = cloudtrail.get_trail_status(Name=TRAIL_ARN)
    assert "LatestDeliveryError" not in status
    assert status["IsLogging"] is True
    assert status["LatestDeliveryTime"] is not None


def test_a_trail_that_does_not_exist_has_no_status(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="TrailNotFoundException"):
        aws.root("cloudtrail").get_trail_status(Name="no-such-trail")


def test_a_stopped_trail_records_nothing(aws: LocalAws) -> None:
    cloudtrail = aws.root("cloudtrail")
    cloudtrail.stop_logging(Name=TRAIL)
    put(aws, "while stopped.csv")
    cloudtrail.start_logging(Name=TRAIL)
    put(aws, "started again.csv")
    told = keys_told(aws)
    assert "started again.csv" in told
    assert "while stopped.csv" not in told


def test_only_selected_events_are_recorded(aws: LocalAws) -> None:
    s3 = aws.root("s3")
    s3.create_bucket(Bucket="unselected")
    s3.put_object(Bucket="unselected", Key="a", Body=b"")
    aws.root("cloudtrail").put_event_selectors(
        TrailName=TRAIL,
        AdvancedEventSelectors=[
            {
                "FieldSelectors": [
                    {"Field": "eventCategory", "Equals": ["Data"]},
                    {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
                    {"Field": "readOnly", "Equals": ["false"]},
                    {"Field": "resources.ARN", "StartsWith": [f"arn:aws:s3:::{RAW}/wanted/"]},
                ]
            }
        ],
    )
    put(aws, "wanted/a")
    put(aws, "unwanted/a")
    s3.get_object(Bucket=RAW, Key="wanted/a")
    aws.select(f"arn:aws:s3:::{RAW}/")
    assert aws.records(bucketName="unselected") == []
    assert [r["eventName"] for r in aws.records(key="wanted/a")] == ["PutObject"]
    assert aws.records(key="unwanted/a") == []


def test_files_of_a_trail_with_a_key_are_encrypted_with_it(aws: LocalAws) -> None:
    kms, s3, cloudtrail = aws.root("kms"), aws.root("s3"), aws.root("cloudtrail")

    def key_policy(*statements: dict[str, Any]) -> str:
        everything = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
        return json.dumps({"Version": "2012-10-17", "Statement": [everything, *statements]})

    key = kms.create_key(Policy=key_policy())["KeyMetadata"]
    kms.create_alias(AliasName="alias/custody-local-trail", TargetKeyId=key["KeyId"])
    cloudtrail.update_trail(Name=TRAIL, KmsKeyId=key["Arn"])
    put(aws, "encrypted.csv")
    with pytest.raises(urllib.error.HTTPError) as refused:
        aws.flush()
    with refused.value as error:
        assert "AccessDenied" in json.load(error)["message"]
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "kms:GenerateDataKey*",
        "Resource": "*",
        "Condition": {
            "StringEquals": {"aws:SourceArn": TRAIL_ARN},
            "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": "arn:aws:cloudtrail:*"},
        },
    }
    before = set(aws.log_objects())  # the trail may deliver by itself as soon as it is allowed to
    kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=key_policy(allowed))
    aws.flush()
    (file,) = wait_for(lambda: set(aws.log_objects()) - before)
    head = s3.head_object(Bucket=LOG_BUCKET, Key=file)
    assert head["ServerSideEncryption"] == "aws:kms"
    assert head["SSEKMSKeyId"] == key["Arn"]
    cloudtrail.update_trail(Name=TRAIL, KmsKeyId="")


def test_digests_can_be_asked_for(aws: LocalAws) -> None:
    put(aws, "digested.csv")
    aws.flush()
    logged = set(aws.log_objects())
    (uri,) = aws.control("POST", "digest")["digests"]
    key = uri.removeprefix(f"s3://{LOG_BUCKET}/")
    digests = {name: aws.read_log(name) for name in aws.log_objects("CloudTrail-Digest")}
    # One that was due by itself a moment before may have named the log file already.
    named = {log["s3Object"] for digest in digests.values() for log in digest["logFiles"]}
    assert named >= logged
    assert digests[key]["awsAccountId"] == ACCOUNT
    assert f"/CloudTrail-Digest/{REGION}/" in uri
