"""Which log files are read, and the events in each: with the digest that vouches for it."""

import gzip
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from tests.support.moto_aws import make_bucket
from tests.support.trail_history import LAYOUT, NOON, log_key
from tests.support.trail_records import put

from custody.aws.trail.log_reading import LogToRead, logs_to_read, read_log_file
from custody.aws.trail.store import S3TrailStore
from custody.core.trail.defects import TrailDefect, TrailDefectKind
from custody.core.trail.report import ProvenLog, TrailReport
from custody.objects import ObjectVersion

RAW = json.dumps({"Records": [put()]}).encode()
SHA256 = hashlib.sha256(RAW).hexdigest()
MINUTE = timedelta(minutes=1)
DIGEST = LAYOUT.digest_key(NOON)


@pytest.fixture
def trail(s3: Any) -> str:
    return make_bucket(s3, LAYOUT.bucket)


def deliver(s3: Any, minute: int, body: bytes = RAW) -> tuple[str, str]:
    key = log_key(NOON + minute * MINUTE)
    stored = s3.put_object(Bucket=LAYOUT.bucket, Key=key, Body=gzip.compress(body))
    return key, stored["VersionId"]


def report(*, proven: Any = (), found_wrong: Any = ()) -> TrailReport:
    logs = tuple(
        ProvenLog(ObjectVersion(LAYOUT.bucket, key, v), SHA256, DIGEST) for key, v in proven
    )
    kind = TrailDefectKind.LOG_ALTERED
    findings = tuple(TrailDefect(kind, LAYOUT.bucket, key, "why", v) for key, v in found_wrong)
    return TrailReport(findings, None, None, 1, logs)


def test_a_log_is_read_with_the_digest_that_proves_it(s3, trail):
    early, proven, broken, fresh = (deliver(s3, minute) for minute in (1, 2, 3, 4))
    found = logs_to_read(
        S3TrailStore(s3, trail),
        LAYOUT,
        report(proven=[early, proven], found_wrong=[broken]),
        NOON + 2 * MINUTE,
    )
    assert list(found) == [
        LogToRead(ObjectVersion(trail, *proven), SHA256, DIGEST),
        LogToRead(ObjectVersion(trail, *fresh), None, None),
    ]


@pytest.mark.parametrize(
    ("sha256", "digest_key", "proven"),
    [(SHA256, DIGEST, DIGEST), (None, None, None), ("0" * 64, DIGEST, None)],
    ids=["proven", "not yet", "changed meanwhile"],
)
def test_an_event_names_the_digest_if_its_log_is_what_that_says(
    s3, trail, sha256, digest_key, proven
):
    key, version_id = deliver(s3, 1)
    content = read_log_file(
        s3, LogToRead(ObjectVersion(trail, key, version_id), sha256, digest_key)
    )
    (event,) = content.events
    assert (event.log, event.digest, event.proven) == (key, proven, proven is not None)


def test_a_log_that_cannot_be_read_tells_that(s3, trail):
    key, version_id = deliver(s3, 1, b"[]")
    content = read_log_file(s3, LogToRead(ObjectVersion(trail, key, version_id), None, None))
    assert content.events == ()
    assert len(content.problems) == 1
