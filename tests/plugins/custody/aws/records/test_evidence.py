"""Which log files are read, and what each tells: with the digest that vouches for it."""

import gzip
import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.moto_aws import answer, make_bucket, refusal
from tests.support.trail_history import LAYOUT, NOON, log_key
from tests.support.trail_records import put

from custody.aws.records.evidence import (
    LogToRead,
    StoredVersion,
    logs_to_read,
    read_log_file,
    read_record,
)
from custody.aws.trail.store import S3TrailStore
from custody.core.trail.defects import TrailDefect, TrailDefectKind
from custody.core.trail.report import ProvenLog, TrailReport

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
    logs = tuple(ProvenLog(LAYOUT.bucket, key, v, SHA256, DIGEST) for key, v in proven)
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
        LogToRead(trail, *proven, SHA256, DIGEST),
        LogToRead(trail, *fresh, None, None),
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
    content = read_log_file(s3, LogToRead(trail, key, version_id, sha256, digest_key))
    (event,) = content.events
    assert (event.log, event.digest, event.proven) == (key, proven, proven is not None)


def test_a_log_that_cannot_be_read_tells_that(s3, trail):
    key, version_id = deliver(s3, 1, b"[]")
    content = read_log_file(s3, LogToRead(trail, key, version_id, None, None))
    assert content.events == ()
    assert len(content.problems) == 1


SSE_C = "The object was stored using a form of Server Side Encryption."
PLANTED = StoredVersion("provenance", "provenance/incoming/dt=2026-11-01/x.json", "v1", NOON)


def get_object_says(s3: Any, code: str, message: str = "") -> None:
    s3.meta.events.register(
        "before-call.s3.GetObject", lambda **_: refusal(code, 400, message), unique_id="get"
    )


def encrypted_with(s3: Any, key: str | None) -> None:
    head = {"SSEKMSKeyId": key} if key else {}
    s3.meta.events.register("before-call.s3.HeadObject", lambda **_: answer(head))


@pytest.mark.parametrize(
    ("code", "message", "key"),
    [
        ("InvalidRequest", SSE_C, None),
        ("InvalidObjectState", "", None),
        ("AccessDenied", "", "arn:aws:kms:us-east-1:999999999999:key/theirs"),
    ],
    ids=["a customer's key", "archived", "a KMS key of somebody's"],
)
def test_a_record_that_nobody_can_read_is_not_to_be_believed(s3, code, message, key):
    get_object_says(s3, code, message)
    encrypted_with(s3, key)
    found = read_record(s3, PLANTED, {})
    assert (found.place, found.version_id, found.claim) == (PLANTED.key, "v1", None)
    assert (found.trouble, found.was_read) == (f"S3 does not hand it out ({code})", False)


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchVersion", "InvalidRequest", "SlowDown"])
def test_what_is_not_the_records_fault_is_raised(s3, code):
    get_object_says(s3, code)
    encrypted_with(s3, None)
    with pytest.raises(ClientError, match=code):
        read_record(s3, PLANTED, {})
