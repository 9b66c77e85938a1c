"""S3's lifecycle rules, night by night."""

from __future__ import annotations

import datetime as dt
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import pytest
from tests.infra.local.conftest import Server
from tests.support.patience import PATIENCE_SECONDS

from localaws.protocol import AwsError
from localaws.s3.expiration import Rule, Version

NOON = dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC)
BUCKET = "expiring"


def after(days: int, hours: int = 12) -> dt.datetime:
    """That many days after the night that follows `NOON`."""
    return NOON + dt.timedelta(days=days, hours=hours)


def ids(rule: dict[str, Any], versions: list[Version], as_of: dt.datetime) -> list[str]:
    return [version.version_id for version in Rule.of(rule).expires(versions, as_of)]


def test_an_age_is_reached_at_the_midnight_after_it() -> None:
    rule, versions = {"Expiration": {"Days": 1}}, [Version("v", NOON, is_marker=False)]
    assert ids(rule, versions, after(1, hours=11)) == []
    assert ids(rule, versions, after(1)) == ["v"]


def test_a_date_is_the_same_for_all() -> None:
    rule = {"Expiration": {"Date": "2026-11-05T00:00:00Z"}}
    versions = [Version("v", NOON, is_marker=False)]
    assert ids(rule, versions, dt.datetime(2026, 11, 4, 23, tzinfo=dt.UTC)) == []
    assert ids(rule, versions, dt.datetime(2026, 11, 5, tzinfo=dt.UTC)) == ["v"]


def test_a_version_is_as_old_as_what_took_its_place() -> None:
    rule = {"NoncurrentVersionExpiration": {"NoncurrentDays": 2}}
    versions = [
        Version("oldest", NOON - 9 * dt.timedelta(days=1), is_marker=False),
        Version("old", NOON - 5 * dt.timedelta(days=1), is_marker=False),
        Version("new", NOON, is_marker=False),
    ]
    assert ids(rule, versions, after(0)) == ["oldest"]
    assert ids(rule, versions, after(2)) == ["oldest", "old"]


def test_a_marker_goes_when_nothing_is_left_behind_it() -> None:
    lone = [Version("m", NOON, is_marker=True)]
    aged: dict[str, Any] = {"Expiration": {"Days": 1}}
    assert ids(aged, lone, after(0)) == []
    assert ids(aged, lone, after(1)) == ["m"]
    assert ids(aged, [Version("v", NOON, is_marker=False), *lone], after(9)) == []
    cleared: dict[str, Any] = {"Expiration": {"ExpiredObjectDeleteMarker": True}}
    assert ids(cleared, lone, NOON) == ["m"]
    assert ids(cleared, [Version("v", NOON, is_marker=False)], after(9)) == []


@pytest.mark.parametrize(
    "rule",
    [
        {"Filter": {"Tag": {"Key": "a", "Value": "b"}}, "Expiration": {"Days": 1}},
        {"NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 2}},
    ],
)
def test_a_rule_that_cannot_be_acted_out_is_refused(rule: dict[str, Any]) -> None:
    with pytest.raises(AwsError, match="cannot act out"):
        Rule.of(rule)


@pytest.fixture
def night(server: Server) -> Callable[[dt.datetime], Any]:
    """What S3 does in one night of a bucket whose files under `old/` expire."""
    s3 = server.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    rule = {
        "ID": "expire",
        "Status": "Enabled",
        "Filter": {"Prefix": "old/"},
        "Expiration": {"Days": 1},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
    }
    disabled = {**rule, "ID": "off", "Status": "Disabled", "Filter": {"Prefix": ""}}
    s3.put_bucket_lifecycle_configuration(
        Bucket=BUCKET, LifecycleConfiguration={"Rules": [rule, disabled]}
    )

    def run(as_of: dt.datetime) -> Any:
        return post(server, {"bucket": BUCKET, "as_of": as_of.isoformat()})

    return run


def post(server: Server, body: dict[str, str]) -> Any:
    request = urllib.request.Request(  # noqa: S310 - this machine
        f"{server.settings.endpoint}/_local/s3/expire",
        data=json.dumps(body).encode(),
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
        return json.load(answer)


def test_night_by_night_nothing_is_left(
    server: Server, night: Callable[[dt.datetime], Any]
) -> None:
    s3, now = server.client("s3"), dt.datetime.now(dt.UTC)
    s3.put_object(Bucket=BUCKET, Key="old/file", Body=b"1")
    kept = s3.put_object(Bucket=BUCKET, Key="new/file", Body=b"2")["VersionId"]
    later = now + dt.timedelta(days=3)

    assert night(now) == {"hidden": 0, "deleted": 0}
    assert night(later) == {"hidden": 1, "deleted": 0}
    found = s3.list_object_versions(Bucket=BUCKET, Prefix="old/")
    assert [marker["IsLatest"] for marker in found["DeleteMarkers"]] == [True]
    assert len(found["Versions"]) == 1
    assert night(later) == {"hidden": 0, "deleted": 1}
    assert night(later) == {"hidden": 0, "deleted": 1}
    left = s3.list_object_versions(Bucket=BUCKET)
    assert [version["VersionId"] for version in left["Versions"]] == [kept]
    assert "DeleteMarkers" not in left


@pytest.mark.parametrize(
    "body", [{"bucket": "nowhere", "as_of": "2026-11-01T00:00:00Z"}, {"bucket": BUCKET}]
)
def test_what_cannot_be_done_is_said(
    server: Server, night: Callable[[dt.datetime], Any], body: dict[str, str]
) -> None:
    with pytest.raises(urllib.error.HTTPError) as error:
        post(server, body)
    with error.value as answer:
        assert answer.code in (400, 404)
