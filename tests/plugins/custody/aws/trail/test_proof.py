"""Proving a deployment's trail: from a moment on, or from the head remembered."""

from dataclasses import replace
from typing import Any

import boto3
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.support.moto_aws import REGION, answer, make_bucket
from tests.support.trail_history import (
    HOUR,
    LAYOUT,
    NOON,
    PRIVATE_KEY,
    History,
    MemoryStore,
    fingerprint,
)

from custody.aws.trail.proof import ProvenTrail, prove_onward, prove_recent
from custody.settings import Settings

SETTINGS = Settings.parse(
    {
        "trail_bucket": LAYOUT.bucket,
        "account_id": LAYOUT.account_id,
        "region": LAYOUT.region,
        "trail_name": LAYOUT.trail,
        "digest_seconds": "3600",
    }
)
HOURS = 6


@pytest.fixture
def history(s3: Any) -> History:
    """Six hours of a trail, in S3."""
    made = History(MemoryStore()).hours(HOURS)
    make_bucket(s3, LAYOUT.bucket)
    for key, (stored,) in made.store.objects.items():
        s3.put_object(
            Bucket=LAYOUT.bucket, Key=key, Body=stored.body, Metadata=dict(stored.metadata)
        )
    return made


@pytest.fixture
def cloudtrail(s3: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A CloudTrail that knows the trail and its key; S3 dates objects now, so skew is no matter."""
    client = boto3.client("cloudtrail", region_name=REGION)
    key = PRIVATE_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    public = {"Fingerprint": fingerprint(PRIVATE_KEY), "Value": key}
    trail = {
        "Name": LAYOUT.trail,
        "S3BucketName": LAYOUT.bucket,
        "HomeRegion": LAYOUT.home_region,
        "LogFileValidationEnabled": True,
    }
    answers = {
        "ListPublicKeys": {"PublicKeyList": [public]},
        "DescribeTrails": {"trailList": [trail]},
        "GetTrail": {"Trail": trail},
        "GetTrailStatus": {"IsLogging": True, "StartLoggingTime": NOON},
    }
    for operation, told in answers.items():
        client.meta.events.register(
            f"before-call.cloudtrail.{operation}", lambda told=told, **_: answer(told)
        )
    return client


def onward(s3: Any, cloudtrail: Any, history: History, remembered: bytes | None) -> ProvenTrail:
    return prove_onward(
        s3,
        cloudtrail,
        SETTINGS,
        as_of=history.end,
        since=history.end - HOUR,
        remembered=remembered,
    )


def digests(proven: ProvenTrail) -> int:
    return proven.report.digests_verified


def test_the_trail_is_proven_as_far_back_as_its_events_need(s3, cloudtrail, history):
    since = history.end - HOUR
    proven = prove_recent(s3, cloudtrail, SETTINGS, as_of=history.end, since=since)
    assert proven.report.defects == ()
    assert (proven.trouble, digests(proven)) == (None, 3)
    assert [log.version.key for log in proven.logs] == history.logs[-1]
    assert {log.digest_key for log in proven.logs} == {history.digests[-1]}


def test_without_a_head_everything_is_proven(s3, cloudtrail, history):
    proven = onward(s3, cloudtrail, history, None)
    assert (proven.report.defects, proven.trouble) == ((), None)
    assert (digests(proven), len(proven.report.logs_verified)) == (HOURS, 2 * HOURS)
    assert [log.version.key for log in proven.logs] == history.logs[-1]


def test_a_head_is_gone_on_from(s3, cloudtrail, history):
    head = onward(s3, cloudtrail, history, None).report.head
    for prefix in (LAYOUT.digest_prefix, LAYOUT.log_prefix):
        # moto leaves out the first key behind the one a listing begins at, unless that is there.
        s3.put_object(Bucket=LAYOUT.bucket, Key=f"{prefix}2026/11/01", Body=b"x")
    proven = onward(s3, cloudtrail, history, head.to_json().encode())
    assert (proven.report.defects, proven.trouble) == ((), None)
    # Those from `since` on are proven anew, the older ones are not.
    assert {log.key for log in proven.report.logs_verified} == set(history.logs[-1])
    assert [log.digest_key for log in proven.logs] == [history.digests[-1]] * len(proven.logs)


def test_a_head_that_cannot_be_used_is_told_and_everything_proven(s3, cloudtrail, history):
    head = onward(s3, cloudtrail, history, None).report.head
    foreign = replace(head, bucket="another-bucket").to_json()
    unknown = replace(head, key="x").to_json()
    for remembered, trouble in (
        (b"{", "not JSON"),
        (foreign.encode(), "it is of another trail"),
        (unknown.encode(), "it is of another trail"),
    ):
        proven = onward(s3, cloudtrail, history, remembered)
        assert trouble in proven.trouble
        assert (digests(proven), proven.report.defects) == (HOURS, ())
