"""Calls, callers and records for the tests of this folder."""

from __future__ import annotations

import datetime as dt
from typing import Any

from localaws.cloudtrail.place import Place
from localaws.cloudtrail.recording import events
from localaws.cloudtrail.recording.events import Actor, Outcome, Record
from localaws.cloudtrail.recording.s3calls import S3Call
from localaws.cloudtrail.trails import Trail
from localaws.protocol import Caller

PLACE = Place("111122223333", "us-east-1")
COMPLETED = dt.datetime(2026, 11, 3, 4, 5, 6, 789000, dt.UTC)

USER = Caller(
    access_key_id="AKIAIOSFODNN7EXAMPLE",
    secret_access_key="not logged",
    session_token=None,
    arn="arn:aws:iam::111122223333:user/crm-export",
    principal_id="AIDACKCEVSQ6C2EXAMPLE",
    type="IAMUser",
    account_id="111122223333",
    name="crm-export",
)


def actor(**changes: Any) -> Actor:
    values: dict[str, Any] = {
        "identity": events.identity_of(USER, None),
        "source_ip": "127.0.0.1",
        "user_agent": "[Boto3/1.43]",
        "authentication": "AuthHeader",
        "signature": "SigV4",
    }
    return Actor(**values | changes)


def outcome(**changes: Any) -> Outcome:
    values: dict[str, Any] = {
        "status": 200,
        "headers": {"etag": '"0"', "x-amz-version-id": "v1"},
        "request_id": "07D7PA6H1FSKBQ58",
        "host_id": "aG9zdA==",
        "error_code": None,
        "error_message": None,
        "bytes_in": 2143,
        "bytes_out": 0,
        "completed_at": COMPLETED,
    }
    return Outcome(**values | changes)


def call(
    event_name: str = "PutObject", key: str | None = "incoming/a.csv", **changes: Any
) -> S3Call:
    values: dict[str, Any] = {
        "bucket": "raw",
        "host": "127.0.0.1:4566",
        "query": (),
        "headers": {},
    }
    return S3Call(event_name=event_name, key=key, **values | changes)


def record(
    event_name: str = "PutObject",
    key: str | None = "incoming/a.csv",
    bucket: str = "raw",
    event_id: str = "11111111-2222-3333-4444-555555555555",
    completed_at: dt.datetime = COMPLETED,
) -> Record:
    return events.build(
        call(event_name, key, bucket=bucket),
        actor(),
        outcome(completed_at=completed_at),
        event_id=event_id,
        place=PLACE,
    )


def trail(**changes: Any) -> Trail:
    values: dict[str, Any] = {
        "arn": "arn:aws:cloudtrail:us-east-1:111122223333:trail/custody-local",
        "name": "custody-local",
        "home_region": "us-east-1",
        "multi_region": False,
        "bucket": "trail-bucket",
        "prefix": "",
        "kms_key_id": None,
        "logging": True,
        "validated": True,
        "selectors": [
            {"ReadWriteType": "All", "DataResources": [
                {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}
        ],
    }  # fmt: skip
    return Trail(**values | changes)
