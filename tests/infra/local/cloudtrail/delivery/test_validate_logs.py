"""AWS's own `aws cloudtrail validate-logs` against our digests, honest and tampered."""

from __future__ import annotations

import gzip
import itertools
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.infra.local.cloudtrail.conftest import (
    LOG_BUCKET,
    REGION,
    TRAIL_ARN,
    LocalAws,
    make_local_aws,
)
from tests.support.patience import PATIENCE_SECONDS

from localaws.access.root import root_keys
from localaws.settings import REPOSITORY

AWS_CLI = REPOSITORY / ".venvs" / "aws" / "bin" / "aws"
RAW = "raw-bucket"


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAws]:
    """Some hours of history, as far as digests know, with a kill and a stop in the middle."""
    assert AWS_CLI.exists(), f"{AWS_CLI} is missing: run `make setup`"
    aws = make_local_aws(Path(tmp_path_factory.mktemp("home")), LOCAL_CLOUDTRAIL_DIGEST_SECONDS="1")
    try:
        aws.start()
        aws.trail(f"arn:aws:s3:::{RAW}/")
        s3 = aws.root("s3")
        s3.create_bucket(Bucket=RAW)
        for number, kill in ((1, True), (2, False), (3, False)):
            s3.put_object(Bucket=RAW, Key=f"{number}.csv", Body=b"x")
            aws.flush()
            s3.put_object(Bucket=RAW, Key=f"{number} late.csv", Body=b"x")
            if number < 3:
                aws.stop(kill=kill)
                aws.start()
        aws.flush()
        aws.control("POST", "digest")
        yield aws
    finally:
        aws.stop()


def validate(aws: LocalAws, *, since: str | None = None) -> tuple[int, str]:
    keys = root_keys(aws.settings)
    first = min(aws.log_objects("CloudTrail-Digest"))
    start = since or json_of(aws, first)["digestStartTime"]
    done = subprocess.run(
        [
            str(AWS_CLI), "cloudtrail", "validate-logs", "--verbose",
            "--trail-arn", TRAIL_ARN, "--start-time", start,
        ],
        env={
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": aws.settings.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
            "AWS_CONFIG_FILE": os.devnull,
            "NO_PROXY": "*",
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def json_of(aws: LocalAws, key: str) -> dict[str, Any]:
    return aws.read_log(key)


def digests(aws: LocalAws) -> list[dict[str, Any]]:
    return [json_of(aws, key) for key in sorted(aws.log_objects("CloudTrail-Digest"))]


def overwrite(aws: LocalAws, key: str, content: bytes, **metadata: str) -> None:
    aws.root("s3").put_object(
        Bucket=LOG_BUCKET, Key=key, Body=gzip.compress(content), Metadata=metadata
    )


def put_back(aws: LocalAws, key: str) -> None:
    """Remove the newest version (or delete marker): what CloudTrail wrote shows again."""
    s3 = aws.root("s3")
    found = s3.list_object_versions(Bucket=LOG_BUCKET, Prefix=key)
    versions = [*found.get("Versions", []), *found.get("DeleteMarkers", [])]
    (latest,) = (v for v in versions if v["IsLatest"])
    s3.delete_object(Bucket=LOG_BUCKET, Key=key, VersionId=latest["VersionId"])


def test_an_honest_history_is_valid(history: LocalAws) -> None:
    code, told = validate(history)
    assert code == 0, told
    assert "INVALID" not in told
    assert "No log files were delivered" not in told  # the CLI's word for a gap in the chain
    named = [log["s3Object"] for digest in digests(history) for log in digest["logFiles"]]
    assert sorted(named) == sorted(history.log_objects())
    assert f"{len(named)}/{len(named)} log files valid" in told


def test_kills_and_stops_leave_one_chain_without_a_gap(history: LocalAws) -> None:
    chain = digests(history)
    assert chain[0]["previousDigestS3Object"] is None
    for before, after in itertools.pairwise(chain):
        assert after["previousDigestS3Object"] == before["digestS3Object"]
        assert after["digestStartTime"] == before["digestEndTime"]
    assert len(chain) > 3


def test_every_event_is_in_exactly_one_file_across_kills_and_stops(history: LocalAws) -> None:
    puts = history.records(bucketName=RAW, eventName="PutObject")
    keys = sorted(record["requestParameters"]["key"] for record in puts)
    assert keys == sorted(f"{n}{late}.csv" for n in (1, 2, 3) for late in ("", " late"))


def test_an_edited_log_file_is_invalid(history: LocalAws) -> None:
    key = history.log_objects()[0]
    document = history.read_log(key)
    document["Records"][0]["sourceIPAddress"] = "192.0.2.1"
    overwrite(history, key, json.dumps(document).encode())
    code, told = validate(history)
    put_back(history, key)
    assert code == 1
    assert f"{key}\tINVALID: hash value doesn't match" in told


def test_a_missing_log_file_is_invalid(history: LocalAws) -> None:
    key = history.log_objects()[0]
    history.root("s3").delete_object(Bucket=LOG_BUCKET, Key=key)
    code, told = validate(history)
    put_back(history, key)
    assert code == 1
    assert f"{key}\tINVALID: not found" in told


def test_an_edited_digest_is_invalid(history: LocalAws) -> None:
    key = sorted(history.log_objects("CloudTrail-Digest"))[-2]
    metadata = history.root("s3").head_object(Bucket=LOG_BUCKET, Key=key)["Metadata"]
    document = history.read_log(key)
    document["logFiles"] = []
    document["newestEventTime"] = "2030-01-01T00:00:00Z"
    overwrite(history, key, json.dumps(document).encode(), **metadata)
    code, told = validate(history)
    put_back(history, key)
    assert code == 1
    assert f"{key}\tINVALID: signature verification failed" in told
