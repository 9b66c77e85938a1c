"""Which log files are read, and the events in each: with the digest that vouches for it."""

import gzip
import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from tests.support.moto_aws import make_bucket
from tests.support.trail_history import LAYOUT, NOON, log_key
from tests.support.trail_records import put

from custody.aws.trail.log_reading import LogToRead, named_log, read_log_file, unnamed_logs
from custody.aws.trail.logs import NamedLog
from custody.aws.trail.store import S3TrailStore, StoredObject
from custody.core.trail.defects import TrailDefect, TrailDefectKind
from custody.core.trail.digests.document import LogFile
from custody.core.trail.report import TrailReport

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


def report(*found_wrong: tuple[str, str]) -> TrailReport:
    kind = TrailDefectKind.LOG_ALTERED
    findings = tuple(TrailDefect(kind, LAYOUT.bucket, key, "why", v) for key, v in found_wrong)
    return TrailReport(findings, None, None, 1, ())


def test_what_no_digest_names_yet_is_read_too(s3, trail):
    _, named, broken, fresh, _ = (deliver(s3, minute) for minute in (1, 2, 3, 4, 9))
    found = unnamed_logs(
        S3TrailStore(s3, trail),
        LAYOUT,
        {named[0]},
        report(broken),
        NOON + 2 * MINUTE,
        NOON + 8 * MINUTE,
    )
    (log,) = found
    assert (log.key, log.named, log.stored.current.id) == (fresh[0], None, fresh[1])
    assert not log.is_as_delivered


def listed(s3: Any, trail: str, key: str) -> StoredObject:
    (stored,) = S3TrailStore(s3, trail).list(key)
    return stored


def named_by_digest(s3: Any, trail: str, key: str, sha256: str, **times: datetime) -> LogToRead:
    log = LogFile(trail, key, sha256, **times)
    named = NamedLog(log, DIGEST, listed(s3, trail, key))
    return named_log(LAYOUT.region, named, wanted=True)


def test_an_event_names_the_digest_if_its_log_is_what_that_says(s3, trail):
    key, _ = deliver(s3, 1)
    read = read_log_file(S3TrailStore(s3, trail), named_by_digest(s3, trail, key, SHA256))
    (event,) = read.content.events
    assert (event.log, event.digest, event.proven, read.defect) == (key, DIGEST, True, None)


def test_an_event_of_a_log_that_no_digest_names_yet_is_not_proven(s3, trail):
    key, _ = deliver(s3, 1)
    log = LogToRead(LAYOUT.region, trail, key, None, listed(s3, trail, key))
    read = read_log_file(S3TrailStore(s3, trail), log)
    (event,) = read.content.events
    assert (event.digest, event.proven, read.defect) == (None, False, None)


def test_a_log_that_is_not_what_its_digest_says_gives_no_event_and_a_defect(s3, trail):
    key, version = deliver(s3, 1)
    times = {"oldest": NOON, "newest": NOON + MINUTE}
    log = named_by_digest(s3, trail, key, "0" * 64, **times)
    read = read_log_file(S3TrailStore(s3, trail), log)
    assert read.content is None
    assert (read.defect.kind, read.defect.version_id) == (TrailDefectKind.LOG_ALTERED, version)
    # It is dated by its events, so that whoever judges that time again looks at it again.
    assert (read.defect.period_start, read.defect.period_end) == (NOON, NOON + MINUTE)


def test_a_log_that_was_replaced_still_tells_what_cloudtrail_wrote(s3, trail):
    key, _ = deliver(s3, 1)
    deliver(s3, 1, b"{}")
    read = read_log_file(S3TrailStore(s3, trail), named_by_digest(s3, trail, key, SHA256))
    (event,) = read.content.events
    assert (event.proven, read.defect.kind) == (True, TrailDefectKind.LOG_ALTERED)


def test_a_log_that_is_only_to_be_checked_is_not_read(s3, trail):
    key, _ = deliver(s3, 1)
    log = replace(named_by_digest(s3, trail, key, SHA256), wanted=False)
    read = read_log_file(S3TrailStore(s3, trail), log)
    assert (read.content, read.defect) == (None, None)


@pytest.mark.parametrize("named", [True, False])
def test_a_log_that_cannot_be_read_tells_that(s3, trail, named):
    key, _ = deliver(s3, 1, b"[]")
    log = (
        named_by_digest(s3, trail, key, hashlib.sha256(b"[]").hexdigest())
        if named
        else LogToRead(LAYOUT.region, trail, key, None, listed(s3, trail, key))
    )
    content = read_log_file(S3TrailStore(s3, trail), log).content
    assert content.events == ()
    assert len(content.problems) == 1


def test_a_log_that_vanishes_before_it_is_read_is_no_reason_to_fail(s3, trail):
    key, version = deliver(s3, 1)
    log = LogToRead(LAYOUT.region, trail, key, None, listed(s3, trail, key))
    s3.delete_object(Bucket=trail, Key=key, VersionId=version)
    content = read_log_file(S3TrailStore(s3, trail), log).content
    assert (content.events, len(content.problems)) == ((), 1)
