"""What `LookupEvents` answers: what changed anything, trails or no trails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.infra.local.cloudtrail.conftest import TRAIL, LocalAws, make_local_aws

from localaws.cloudtrail.history import EventHistory
from localaws.protocol import AwsError


def event(number: int, **other: Any) -> dict[str, Any]:
    return {
        "eventTime": f"2026-11-03T10:00:{number:02}Z",
        "eventID": f"id-{number}",
        "eventName": "PutBucketPolicy",
        "eventSource": "s3.amazonaws.com",
        "eventCategory": "Management",
        "readOnly": False,
        "userIdentity": {"type": "IAMUser", "userName": "insider", "accessKeyId": "AKIA1"},
        **other,
    }


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """A local AWS with a trail, at home in another region than that of global services."""
    local = make_local_aws(Path(tmp_path_factory.mktemp("home")), LOCAL_AWS_REGION="eu-central-1")
    try:
        local.start()
        local.trail()
        yield local
    finally:
        local.stop()


@pytest.fixture
def history(tmp_path: Path) -> Iterator[EventHistory]:
    history = EventHistory(tmp_path / "history.sqlite")
    yield history
    history.close()


def found(history: EventHistory, **request: Any) -> list[str]:
    return [told["EventId"] for told in history.lookup(request)["Events"]]


def by(name: str, value: str) -> dict[str, Any]:
    return {"LookupAttributes": [{"AttributeKey": name, "AttributeValue": value}]}


def test_the_newest_come_first_a_page_at_a_time(history: EventHistory) -> None:
    for number in range(5):
        history.append(event(number))
    first = history.lookup({"MaxResults": 2})
    assert [told["EventId"] for told in first["Events"]] == ["id-4", "id-3"]
    assert found(history, MaxResults=2, NextToken=first["NextToken"]) == ["id-2", "id-1"]
    last = history.lookup({"MaxResults": 5})
    assert (len(last["Events"]), "NextToken" in last) == (5, False)
    assert json.loads(last["Events"][0]["CloudTrailEvent"]) == event(4)


def test_reads_and_data_events_are_not_in_it(history: EventHistory) -> None:
    history.append(event(1, readOnly=True))
    history.append(event(2, eventCategory="Data"))
    assert found(history) == []


@pytest.mark.parametrize(
    ("attribute", "value", "ids"),
    [
        ("EventName", "StopLogging", ["id-1"]),
        ("EventSource", "cloudtrail.amazonaws.com", ["id-1"]),
        ("EventId", "id-2", ["id-2"]),
        ("Username", "insider", ["id-2"]),
        ("Username", "session", ["id-1"]),
        ("Username", "root", ["id-3"]),
        ("AccessKeyId", "AKIA1", ["id-2"]),
        ("ReadOnly", "false", ["id-3", "id-2", "id-1"]),
        ("ReadOnly", "true", []),
    ],
)
def test_events_are_looked_up(
    history: EventHistory, attribute: str, value: str, ids: list[str]
) -> None:
    session = {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/admin/session"}
    source = "cloudtrail.amazonaws.com"
    stopped = event(1, eventName="StopLogging", eventSource=source, userIdentity=session)
    for each in (stopped, event(2), event(3, userIdentity={"type": "Root"})):
        history.append(each)
    assert found(history, **by(attribute, value)) == ids


def test_events_are_looked_up_by_their_time(history: EventHistory) -> None:
    for number in range(5):
        history.append(event(number))
    start = datetime(2026, 11, 3, 10, 0, 1, tzinfo=UTC).timestamp()
    assert found(history, StartTime=start, EndTime=start + 1) == ["id-2", "id-1"]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (by("ResourceName", "raw"), "InvalidLookupAttributesException"),
        ({"LookupAttributes": [{}, {}]}, "InvalidLookupAttributesException"),
        ({"MaxResults": 51}, "InvalidMaxResultsException"),
        ({"MaxResults": 0}, "InvalidMaxResultsException"),
        ({"NextToken": "x"}, "InvalidNextTokenException"),
    ],
)
def test_what_it_cannot_tell_is_an_error_and_no_empty_answer(
    history: EventHistory, request_: dict[str, Any], code: str
) -> None:
    with pytest.raises(AwsError) as refused:
        history.lookup(request_)
    assert refused.value.code == code


def test_what_is_done_while_the_trail_is_stopped_is_in_it(aws: LocalAws) -> None:
    trail, s3 = aws.root("cloudtrail"), aws.root("s3")
    s3.create_bucket(
        Bucket="looked-up",
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1"},
    )
    policy = {"Version": "2012-10-17", "Statement": []}
    trail.stop_logging(Name=TRAIL)
    try:
        s3.put_bucket_policy(Bucket="looked-up", Policy=json.dumps(policy))
    finally:
        trail.start_logging(Name=TRAIL)

    def names(service: Any, event_name: str) -> list[str]:
        pages = service.get_paginator("lookup_events").paginate(**by("EventName", event_name))
        return [
            json.loads(told["CloudTrailEvent"])["requestParameters"].get("bucketName", "")
            for page in pages
            for told in page["Events"]
        ]

    assert "looked-up" in names(trail, "PutBucketPolicy")
    assert names(trail, "StopLogging")
    assert names(aws.in_region("us-east-1", "cloudtrail"), "PutBucketPolicy") == []
