"""Our own validator on the local CloudTrail: accepts what AWS's does, finds what that misses."""

from __future__ import annotations

import datetime as dt
import functools
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.infra.local.cloudtrail.conftest import (
    ACCOUNT,
    LOG_BUCKET,
    REGION,
    TRAIL,
    TRAIL_ARN,
    LocalAws,
    make_local_aws,
)
from tests.infra.local.cloudtrail.delivery.test_validate_logs import overwrite, put_back, validate

from custody.aws.trail.checking import Part
from custody.aws.trail.state import fetch_digest_keys, read_trail_state
from custody.aws.trail.store import S3TrailStore
from custody.aws.trail.validation import Pace, validate_trail
from custody.core.trail.defects import TrailDefect, TrailDefectKind
from custody.core.trail.layout import TrailLayout
from custody.core.trail.report import Head, TrailReport

RAW = "raw-bucket"
LAYOUT = TrailLayout(LOG_BUCKET, ACCOUNT, REGION, TRAIL, REGION)
K = TrailDefectKind


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """Five digests, with a log file each."""
    aws = make_local_aws(Path(tmp_path_factory.mktemp("home")))
    try:
        aws.start()
        aws.trail(f"arn:aws:s3:::{RAW}/")
        aws.root("s3").create_bucket(Bucket=RAW)
        for number in range(5):
            deliver(aws, f"{number}.csv")
        yield aws
    finally:
        aws.stop()


def deliver(aws: LocalAws, name: str) -> None:
    aws.root("s3").put_object(Bucket=RAW, Key=name, Body=b"x")
    aws.flush()
    aws.control("POST", "digest")


def ours(aws: LocalAws, *, head: Head | None = None) -> TrailReport:
    cloudtrail = aws.root("cloudtrail")
    return TrailReport.merged(
        validate_trail(
            S3TrailStore(aws.root("s3"), LOG_BUCKET),
            LAYOUT,
            functools.partial(fetch_digest_keys, cloudtrail),
            state=read_trail_state(cloudtrail, TRAIL_ARN),
            as_of=dt.datetime.now(dt.UTC),
            part=Part(head),
            pace=Pace(skew=dt.timedelta(0), workers=4),
        )
    )


def only(report: TrailReport) -> TrailDefect:
    (defect,) = report.defects
    return defect


def digests(aws: LocalAws) -> list[str]:
    return sorted(aws.log_objects("CloudTrail-Digest"))


def version(aws: LocalAws, key: str) -> str:
    found = aws.root("s3").list_object_versions(Bucket=LOG_BUCKET, Prefix=key)
    every = [*found.get("Versions", []), *found.get("DeleteMarkers", [])]
    return next(str(v["VersionId"]) for v in every if v["IsLatest"])


def test_both_validators_accept_an_honest_history(history: LocalAws) -> None:
    code, told = validate(history)
    report = ours(history)
    assert (code, report.defects) == (0, ()), told
    logs = history.log_objects()
    assert sorted(log.version.key for log in report.logs_verified) == sorted(logs)
    assert report.digests_verified == len(digests(history))
    assert f"{len(logs)}/{len(logs)} log files valid" in told
    assert report.head is not None
    assert report.head.key == digests(history)[-1]
    assert ours(history, head=report.head).defects == ()


def test_an_overwritten_log_is_named_with_its_version(history: LocalAws) -> None:
    key = sorted(history.log_objects())[1]
    overwrite(history, key, b'{"Records":[]}')
    found, offending = only(ours(history)), version(history, key)
    put_back(history, key)
    assert (found.kind, found.key, found.version_id) == (K.LOG_ALTERED, key, offending)


def test_a_log_with_a_second_member(history: LocalAws) -> None:
    key = sorted(history.log_objects())[1]
    s3 = history.root("s3")
    body = s3.get_object(Bucket=LOG_BUCKET, Key=key)["Body"].read()
    s3.put_object(Bucket=LOG_BUCKET, Key=key, Body=body + gzip.compress(b'{"Records":[]}'))
    found = only(ours(history))
    put_back(history, key)
    assert (found.kind, found.key) == (K.LOG_ALTERED, key)


@pytest.mark.parametrize("kind", ["CloudTrail", "CloudTrail-Digest"])
def test_a_deleted_object_is_named_with_its_delete_marker(history: LocalAws, kind: str) -> None:
    key = sorted(history.log_objects(kind))[2]
    marker = history.root("s3").delete_object(Bucket=LOG_BUCKET, Key=key)["VersionId"]
    found = only(ours(history))
    put_back(history, key)
    expected = K.LOG_MISSING if kind == "CloudTrail" else K.DIGEST_MISSING
    assert (found.kind, found.key, found.version_id) == (expected, key, marker)


def test_an_edited_digest_hides_no_log(history: LocalAws) -> None:
    key = digests(history)[2]
    metadata = history.root("s3").head_object(Bucket=LOG_BUCKET, Key=key)["Metadata"]
    overwrite(history, key, b"{}", **metadata)
    report = ours(history)
    put_back(history, key)
    assert (only(report).kind, only(report).key) == (K.DIGEST_ALTERED, key)
    assert len(report.logs_verified) == len(history.log_objects())


def test_what_the_aws_cli_misses(history: LocalAws) -> None:
    """After what needs digests: they do not come back from it."""
    s3 = history.root("s3")
    head = ours(history).head
    assert head is not None

    key = min(history.log_objects())
    injected = key[: -len("0123456789abcdef.json.gz")] + "injected00000000.json.gz"
    s3.put_object(Bucket=LOG_BUCKET, Key=injected, Body=gzip.compress(b'{"Records":[]}'))
    history.control("POST", "digest")
    assert validate(history)[0] == 0
    found = only(ours(history))
    assert (found.kind, found.key) == (K.INJECTED, injected)
    s3.delete_object(Bucket=LOG_BUCKET, Key=injected, VersionId=version(history, injected))

    for gone in [key for key in digests(history) if key >= head.key]:
        remove(s3, gone)
    assert validate(history)[0] == 0
    found = only(ours(history, head=head))
    assert (found.kind, found.key) == (K.ROLLED_BACK, head.key)

    for gone in digests(history):
        remove(s3, gone)
    assert only(ours(history, head=head)).kind is K.NO_DIGESTS


def test_stopping_and_missing_validation_are_seen(history: LocalAws) -> None:
    cloudtrail = history.root("cloudtrail")
    cloudtrail.update_trail(Name=TRAIL, EnableLogFileValidation=False)
    off = read_trail_state(cloudtrail, TRAIL_ARN)
    cloudtrail.update_trail(Name=TRAIL, EnableLogFileValidation=True)
    on = read_trail_state(cloudtrail, TRAIL_ARN)
    assert off is not None
    assert on is not None
    assert (off.validated, on.validated, on.logging) == (False, True, True)
    assert (on.bucket, on.prefix) == (LOG_BUCKET, "")
    assert read_trail_state(cloudtrail, TRAIL_ARN + "-2") is None


def remove(s3: Any, key: str) -> None:
    found = s3.list_object_versions(Bucket=LOG_BUCKET, Prefix=key)
    for one in [*found.get("Versions", []), *found.get("DeleteMarkers", [])]:
        s3.delete_object(Bucket=LOG_BUCKET, Key=key, VersionId=one["VersionId"])
