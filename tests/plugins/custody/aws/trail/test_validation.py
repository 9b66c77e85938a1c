"""Each way to tamper with a trail is found once, under its own name, at the right object."""

import gzip
import hashlib
import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.trail_history import (
    ANOTHER_KEY,
    HOUR,
    KEYS,
    LAYOUT,
    MINUTE,
    NOON,
    History,
    MemoryStore,
    document_of,
    fingerprint,
    iso,
    log_key,
    sign,
)

from custody.aws.trail.checking import Part
from custody.aws.trail.logs import NamedLog
from custody.aws.trail.validation import Pace, validate_trail
from custody.core.formats.untrusted import MalformedInput
from custody.core.trail.defects import TrailDefect, TrailDefectKind
from custody.core.trail.log_files import MAX_LOG_BYTES, read_log
from custody.core.trail.report import Head, TrailReport
from custody.core.trail.state import TrailState

HOURS = 6
ON = TrailState(LAYOUT.bucket, "", logging=True, validated=True, started_at=NOON)
PACE = Pace(workers=2)
K = TrailDefectKind


def validate(
    store: MemoryStore,
    as_of: datetime,
    *,
    state: TrailState | None = ON,
    head: Head | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    leave: Callable[[NamedLog], None] | None = None,
    pace: Pace = PACE,
    keys: Any = KEYS,
) -> TrailReport:
    return TrailReport.merged(
        validate_trail(
            store,
            LAYOUT,
            lambda _start, _end: keys,
            state=state,
            as_of=as_of,
            part=Part(head, since, until, leave),
            pace=pace,
        )
    )


@pytest.fixture
def history() -> History:
    return History(MemoryStore()).hours(HOURS)


def only(report: TrailReport) -> TrailDefect:
    (defect,) = report.defects
    return defect


def kinds(report: TrailReport) -> list[tuple[TrailDefectKind, str]]:
    return sorted((defect.kind, defect.key) for defect in report.defects)


# Honest trails


def test_an_honest_trail_is_proven_whole(history):
    report = validate(history.store, history.end + 90 * MINUTE)
    assert report.defects == ()
    assert report.digests_verified == HOURS
    assert [log.version.key for log in report.logs_verified] == list(itertools.chain(*history.logs))
    assert report.head == report.tip
    assert report.head.key == history.digests[-1]
    assert report.head.end == history.end
    assert {log.digest_key for log in report.logs_verified} == set(history.digests)


def test_a_proven_log_is_named_with_the_hash_and_the_version_that_were_read(history):
    report = validate(history.store, history.end)
    log = report.logs_verified[0]
    stored = history.store.current(log.version.key)
    named = document_of(history.store.current(history.digests[0]))["logFiles"][0]
    assert (log.version.bucket, log.version.version_id, log.sha256) == (
        LAYOUT.bucket,
        stored.id,
        named["hashValue"],
    )


def named(key: str, raw: bytes) -> dict[str, str]:
    """A log file as a digest names it."""
    sha256 = hashlib.sha256(raw).hexdigest()
    times = {"newestEventTime": iso(NOON), "oldestEventTime": iso(NOON)}
    place = {"s3Bucket": LAYOUT.bucket, "s3Object": key}
    return {**place, "hashValue": sha256, "hashAlgorithm": "SHA-256", **times}


def test_a_log_too_long_to_be_read_is_not_proven(history):
    key = log_key(history.end + MINUTE)
    raw = b'{"Records": []}'.ljust(MAX_LOG_BYTES + 1)
    with pytest.raises(MalformedInput, match="longer than"):
        read_log(raw, log=key, proven=True)
    history.store.put(key, gzip.compress(raw, 1), history.end + MINUTE)
    history.logs_per_hour = 0
    history.hour(logFiles=[named(key, raw)])
    report = validate(history.store, history.end)
    assert kinds(report) == [(K.LOG_ALTERED, key)]
    assert key not in {log.version.key for log in report.logs_verified}


def test_a_log_too_long_to_be_fetched_is_not_proven(history, monkeypatch):
    raw = b'{"Records": []}'
    empty_blocks = b"\x00\x00\x00\xff\xff" * 1000  # gzip that unpacks to nothing
    packed = gzip.compress(raw)
    key = log_key(history.end + MINUTE)
    history.store.put(key, packed[:10] + empty_blocks + packed[10:], history.end + MINUTE)
    history.logs_per_hour = 0
    history.hour(logFiles=[named(key, raw)])
    assert validate(history.store, history.end).defects == ()
    monkeypatch.setattr("custody.aws.trail.logs.MAX_LOG_BYTES", 1000)
    assert kinds(validate(history.store, history.end)) == [(K.LOG_ALTERED, key)]


def test_hours_without_any_log_are_proven_too():
    history = History(MemoryStore(), logs_per_hour=0).hours(3)
    assert validate(history.store, history.end).defects == ()


def test_logs_that_no_digest_can_name_yet_are_left_alone(history):
    history.log(history.end + 30 * MINUTE)
    report = validate(history.store, history.end + 90 * MINUTE)
    assert report.defects == ()


def test_a_new_trail_has_no_digest_yet():
    store = MemoryStore()
    History(store).log(NOON + MINUTE)
    assert validate(store, NOON + 119 * MINUTE).defects == ()


def test_several_versions_of_the_same_bytes_are_no_defect(history):
    for key in (history.digests[2], history.logs[2][0]):
        stored = history.store.current(key)
        history.store.put(key, stored.body, history.end, stored.metadata)
    assert validate(history.store, history.end).defects == ()


def test_a_log_delivered_long_after_its_name_says_is_named_later(history):
    late = log_key(NOON + 10 * MINUTE, "late000000000000")
    entry = history.log(NOON + 10 * MINUTE) | {"s3Object": late}
    body = history.store.objects.pop(log_key(NOON + 10 * MINUTE))[0].body
    history.store.put(late, body, history.end + 10 * MINUTE)
    assert validate(history.store, history.end + 30 * MINUTE).defects == ()
    history.hour(logFiles=[entry])
    history.store.purge(*history.logs.pop())
    assert validate(history.store, history.end).defects == ()


# Tampering: (what is done, as a function of the history) -> the one defect


def digest_altered_in_place(h: History) -> tuple[TrailDefectKind, str]:
    document = document_of(h.store.current(h.digests[2])) | {"logFiles": []}
    h.store.rewrite(h.digests[2], gzip.compress(json.dumps(document).encode()))
    return K.DIGEST_ALTERED, h.digests[2]


def first_digest_altered(h: History) -> tuple[TrailDefectKind, str]:
    h.store.rewrite(h.digests[0], b"not gzip")
    return K.DIGEST_ALTERED, h.digests[0]


def newest_digest_altered(h: History) -> tuple[TrailDefectKind, str]:
    h.store.rewrite(h.digests[-1], gzip.compress(b"{}"))
    return K.DIGEST_ALTERED, h.digests[-1]


def digest_with_a_second_member(h: History) -> tuple[TrailDefectKind, str]:
    stored = h.store.current(h.digests[2])
    h.store.rewrite(h.digests[2], stored.body + gzip.compress(b"{}"))
    return K.DIGEST_ALTERED, h.digests[2]


def digest_without_its_signature(h: History) -> tuple[TrailDefectKind, str]:
    h.store.rewrite(h.digests[2], h.store.current(h.digests[2]).body, signature="")
    return K.DIGEST_ALTERED, h.digests[2]


def digest_resigned_with_an_unknown_key(h: History) -> tuple[TrailDefectKind, str]:
    document = document_of(h.store.current(h.digests[2]))
    document |= {"logFiles": [], "digestPublicKeyFingerprint": fingerprint(ANOTHER_KEY)}
    raw = json.dumps(document).encode()
    signature = sign(ANOTHER_KEY, document, raw)
    h.store.rewrite(h.digests[2], gzip.compress(raw), signature=signature)
    return K.DIGEST_UNKNOWN_KEY, h.digests[2]


def digest_resigned_under_the_known_fingerprint(h: History) -> tuple[TrailDefectKind, str]:
    document = document_of(h.store.current(h.digests[2])) | {"logFiles": []}
    raw = json.dumps(document).encode()
    signature = sign(ANOTHER_KEY, document, raw)
    h.store.rewrite(h.digests[2], gzip.compress(raw), signature=signature)
    return K.DIGEST_ALTERED, h.digests[2]


def digest_replaced_by_an_older_one(h: History) -> tuple[TrailDefectKind, str]:
    older = h.store.current(h.digests[1])
    h.store.rewrite(h.digests[2], older.body, **older.metadata)
    return K.DIGEST_MOVED, h.digests[2]


def digest_deleted(h: History) -> tuple[TrailDefectKind, str]:
    h.store.purge(h.digests[2])
    return K.DIGEST_MISSING, h.digests[2]


def first_digest_deleted(h: History) -> tuple[TrailDefectKind, str]:
    h.store.purge(h.digests[0])
    return K.DIGEST_MISSING, h.digests[0]


def newest_digest_deleted(h: History) -> tuple[TrailDefectKind, str]:
    h.store.purge(h.digests[-1])
    return K.DIGEST_MISSING, h.digests[-1]


def digest_deleted_with_a_marker(h: History) -> tuple[TrailDefectKind, str]:
    h.store.mark_deleted(h.digests[2], h.end)
    return K.DIGEST_MISSING, h.digests[2]


def digest_refused(h: History) -> tuple[TrailDefectKind, str]:
    h.store.refused.add(h.digests[2])
    return K.UNREADABLE, h.digests[2]


def log_altered(h: History) -> tuple[TrailDefectKind, str]:
    h.store.rewrite(h.logs[2][1], gzip.compress(b'{"Records":[]}'))
    return K.LOG_ALTERED, h.logs[2][1]


def log_with_trailing_bytes(h: History) -> tuple[TrailDefectKind, str]:
    h.store.rewrite(h.logs[2][1], h.store.current(h.logs[2][1]).body + b"\0")
    return K.LOG_ALTERED, h.logs[2][1]


def log_with_a_second_member(h: History) -> tuple[TrailDefectKind, str]:
    more = gzip.compress(b'{"Records":[]}')
    h.store.rewrite(h.logs[2][1], h.store.current(h.logs[2][1]).body + more)
    return K.LOG_ALTERED, h.logs[2][1]


def log_cut_off(h: History) -> tuple[TrailDefectKind, str]:
    h.store.rewrite(h.logs[2][1], h.store.current(h.logs[2][1]).body[:-5])
    return K.LOG_ALTERED, h.logs[2][1]


def log_deleted(h: History) -> tuple[TrailDefectKind, str]:
    h.store.purge(h.logs[2][0])
    return K.LOG_MISSING, h.logs[2][0]


def log_deleted_with_a_marker(h: History) -> tuple[TrailDefectKind, str]:
    h.store.mark_deleted(h.logs[2][0], h.end)
    return K.LOG_MISSING, h.logs[2][0]


def log_refused(h: History) -> tuple[TrailDefectKind, str]:
    h.store.refused.add(h.logs[2][0])
    return K.UNREADABLE, h.logs[2][0]


def log_injected(h: History) -> tuple[TrailDefectKind, str]:
    key = log_key(NOON + 150 * MINUTE, "injected00000000")
    h.store.put(key, gzip.compress(b'{"Records":[]}'), NOON + 150 * MINUTE)
    return K.INJECTED, key


def log_injected_with_an_old_name(h: History) -> tuple[TrailDefectKind, str]:
    key = log_key(NOON + 10 * MINUTE, "injected00000000")
    h.store.put(key, gzip.compress(b'{"Records":[]}'), NOON + 150 * MINUTE)
    return K.INJECTED, key


def log_injected_with_a_name_of_the_future(h: History) -> tuple[TrailDefectKind, str]:
    key = log_key(NOON + 50 * 365 * 24 * HOUR, "injected00000000")
    h.store.put(key, gzip.compress(b'{"Records":[]}'), NOON + 150 * MINUTE)
    return K.INJECTED, key


def log_injected_again_and_again(h: History) -> tuple[TrailDefectKind, str]:
    key = log_key(NOON + 150 * MINUTE, "injected00000000")
    for hours in range(2, 7):
        h.store.put(key, gzip.compress(b'{"Records":[]}'), NOON + hours * HOUR + 30 * MINUTE)
    return K.INJECTED, key


def anything_among_the_logs(h: History) -> tuple[TrailDefectKind, str]:
    key = f"{LAYOUT.log_prefix}2026/11/02/more.json"
    h.store.put(key, b'{"Records":[]}', h.end)
    return K.INJECTED, key


def anything_among_the_digests(h: History) -> tuple[TrailDefectKind, str]:
    key = f"{LAYOUT.digest_prefix}2026/11/02/more.json"
    h.store.put(key, b"{}", h.end)
    return K.INJECTED, key


def digest_of_the_year_one(h: History) -> tuple[TrailDefectKind, str]:
    key = h.digests[0].replace("20261102T13", "00010101T00")
    h.store.put(key, b"{}", h.end)
    return K.INJECTED, key


def digest_forged_between_two(h: History) -> tuple[TrailDefectKind, str]:
    key = LAYOUT.digest_key(NOON + 150 * MINUTE)
    h.store.put(key, gzip.compress(b"{}"), h.end)
    return K.DIGEST_ALTERED, key


def digest_forged_for_the_year_9999(h: History) -> tuple[TrailDefectKind, str]:
    key = h.digests[0].replace("20261102T130000", "99991231T235959")
    h.store.put(key, gzip.compress(b"{}"), h.end)
    return K.DIGEST_ALTERED, key


TAMPERING = (
    digest_altered_in_place,
    first_digest_altered,
    newest_digest_altered,
    digest_with_a_second_member,
    digest_without_its_signature,
    digest_resigned_with_an_unknown_key,
    digest_resigned_under_the_known_fingerprint,
    digest_replaced_by_an_older_one,
    digest_deleted,
    first_digest_deleted,
    newest_digest_deleted,
    digest_deleted_with_a_marker,
    digest_refused,
    log_altered,
    log_with_trailing_bytes,
    log_with_a_second_member,
    log_cut_off,
    log_deleted,
    log_deleted_with_a_marker,
    log_refused,
    log_injected,
    log_injected_with_an_old_name,
    log_injected_with_a_name_of_the_future,
    log_injected_again_and_again,
    anything_among_the_logs,
    anything_among_the_digests,
    digest_of_the_year_one,
    digest_forged_between_two,
    digest_forged_for_the_year_9999,
)


@pytest.mark.parametrize("tamper", TAMPERING, ids=lambda tamper: tamper.__name__)
@pytest.mark.parametrize("remembered", [False, True], ids=["whole", "from a head"])
def test_each_tampering_is_one_defect(
    history: History, tamper: Callable[[History], tuple[TrailDefectKind, str]], remembered: bool
):
    head = validate(History(MemoryStore()).hours(2).store, NOON + 2 * HOUR).head
    kind, key = tamper(history)
    # The newest digest is due, the next one is not.
    report = validate(
        history.store, history.end + HOUR, head=head if remembered and "first" not in str(tamper)
        else None
    )  # fmt: skip
    found = only(report)
    assert (found.kind, found.key, found.bucket) == (kind, key, LAYOUT.bucket)
    assert found.reason.endswith(".")
    if key in history.store.objects:
        assert found.version_id == history.store.current(key).id
    else:
        assert found.version_id is None


def test_several_at_once_are_named_apart(history):
    for one in (history.digests[1], history.digests[3]):
        history.store.purge(one)
    for logs in (history.logs[0], history.logs[4]):
        history.store.purge(logs[0])
    report = validate(history.store, history.end)
    assert kinds(report) == sorted(
        [
            (K.DIGEST_MISSING, history.digests[1]),
            (K.DIGEST_MISSING, history.digests[3]),
            (K.LOG_MISSING, history.logs[0][0]),
            (K.LOG_MISSING, history.logs[4][0]),
        ]
    )


def test_two_adjacent_deleted_digests_are_named_apart(history):
    history.store.purge(history.digests[2], history.digests[3])
    report = validate(history.store, history.end)
    assert kinds(report) == [(K.DIGEST_MISSING, key) for key in history.digests[2:4]]
    assert {(f.period_start, f.period_end) for f in report.defects} == {
        (NOON + 2 * HOUR, NOON + 3 * HOUR),
        (NOON + 3 * HOUR, NOON + 4 * HOUR),
    }
    assert {defect.digest_key for defect in report.defects} == {history.digests[4]}


def test_swapped_digests_are_both_named(history):
    history.store.swap(history.digests[2], history.digests[3])
    report = validate(history.store, history.end)
    assert kinds(report) == [(K.DIGEST_MOVED, key) for key in history.digests[2:4]]
    assert history.digests[3] in report.defects[0].reason


def test_swapped_logs_are_both_named(history):
    history.store.swap(history.logs[2][0], history.logs[2][1])
    report = validate(history.store, history.end)
    assert kinds(report) == [(K.LOG_ALTERED, key) for key in history.logs[2]]


def test_a_missing_tail_is_one_defect_for_each_digest_that_is_due(history):
    as_of = history.end + 3 * HOUR + 30 * MINUTE
    report = validate(history.store, as_of)
    assert kinds(report) == [
        (K.DIGEST_MISSING, LAYOUT.digest_key(history.end + HOUR)),
        (K.DIGEST_MISSING, LAYOUT.digest_key(history.end + 2 * HOUR)),
    ]


def test_the_reason_says_what_stopped_cloudtrail(history):
    state = replace(ON, digest_error="AccessDenied")
    report = validate(history.store, history.end + 2 * HOUR, state=state)
    assert "AccessDenied" in only(report).reason


def test_a_long_hole_does_not_make_a_thousand_defects(history):
    report = validate(history.store, history.end + 1000 * HOUR)
    assert len(report.defects) == 49
    rest = report.defects[-1]
    assert (rest.period_start, rest.period_end) == (history.end, history.end + 951 * HOUR)


def test_the_first_digests_altered_hide_nothing_and_add_nothing(history):
    for key in history.digests[:2]:
        history.store.rewrite(key, b"")
    report = validate(history.store, history.end)
    assert kinds(report) == [(K.DIGEST_ALTERED, key) for key in history.digests[:2]]
    assert report.head is None


def test_an_old_version_still_proves_the_logs_of_an_altered_digest(history):
    altered = history.store.put(history.digests[2], gzip.compress(b"{}"), history.end)
    deleted = history.store.mark_deleted(history.digests[4], history.end)
    report = validate(history.store, history.end)
    assert [(f.kind, f.key, f.version_id) for f in report.defects] == [
        (K.DIGEST_ALTERED, history.digests[2], altered),
        (K.DIGEST_MISSING, history.digests[4], deleted),
    ]
    assert len(report.logs_verified) == 2 * HOURS
    assert report.head.key == history.digests[1]
    assert report.tip.key == history.digests[-1]


def test_what_was_forged_and_deleted_again_is_no_loss(history):
    at = NOON + 150 * MINUTE
    for key in (LAYOUT.digest_key(at), log_key(at, "x" * 16)):
        history.store.put(key, b"forged", at)
        history.store.mark_deleted(key, history.end)
    assert validate(history.store, history.end).defects == ()


def test_an_unproven_log_is_not_among_the_proven(history):
    history.store.rewrite(history.logs[1][0], b"")
    report = validate(history.store, history.end)
    proven = {log.version.key for log in report.logs_verified}
    assert history.logs[1][0] not in proven
    assert len(proven) == 2 * HOURS - 1


def test_an_old_version_of_a_log_still_proves_its_events(history):
    kept, hidden = history.logs[1][0], history.logs[2][0]
    honest = {key: history.store.current(key).id for key in (kept, hidden)}
    altered = history.store.put(kept, gzip.compress(b'{"Records":[]}'), history.end)
    deleted = history.store.mark_deleted(hidden, history.end)
    report = validate(history.store, history.end)
    assert [(f.kind, f.key, f.version_id) for f in report.defects] == [
        (K.LOG_ALTERED, kept, altered),
        (K.LOG_MISSING, hidden, deleted),
    ]
    proven = {log.version.key: log.version.version_id for log in report.logs_verified}
    assert honest.items() <= proven.items()
    assert len(proven) == 2 * HOURS
    assert report.head.key == history.digests[0]


def test_forged_versions_under_a_log_prove_nothing(history):
    key = history.logs[1][0]
    history.store.rewrite(key, gzip.compress(b"forged"))
    history.store.put(key, gzip.compress(b"forged again"), history.end)
    report = validate(history.store, history.end)
    assert kinds(report) == [(K.LOG_ALTERED, key)]
    assert key not in {log.version.key for log in report.logs_verified}


# Gaps


def test_a_chain_that_begins_anew_leaves_a_gap():
    history = History(MemoryStore()).hours(3)
    history.restart(4 * HOUR)
    history.log(NOON + 5 * HOUR)
    history.hours(2)
    report = validate(history.store, history.end)
    gap = only(report)
    assert (gap.kind, gap.key, gap.digest_key) == (K.GAP, history.digests[2], history.digests[3])
    assert (gap.period_start, gap.period_end) == (NOON + 3 * HOUR, NOON + 7 * HOUR)
    assert report.head.key == history.digests[2]


def test_a_chain_that_is_signed_with_a_gap_leaves_a_gap(history):
    history.hour(digestStartTime="2026-11-02T18:30:00Z")
    assert only(validate(history.store, history.end)).kind is K.GAP


def test_logging_that_has_just_been_started_again_is_a_gap_and_no_missing_digests(history):
    started = history.end + 4 * HOUR
    as_of = started + 30 * MINUTE
    report = validate(history.store, as_of, state=replace(ON, started_at=started))
    gap = only(report)
    assert (gap.kind, gap.key, gap.period_end) == (K.GAP, history.digests[-1], started)


def test_starting_a_trail_that_runs_is_no_gap(history):
    state = replace(ON, started_at=history.end + 10 * MINUTE)
    assert validate(history.store, history.end + 90 * MINUTE, state=state).defects == ()


def test_logs_from_before_the_first_digest_are_one_gap(history):
    for minutes in (100, 200):
        history.log(NOON - minutes * MINUTE)
    gap = only(validate(history.store, history.end))
    assert (gap.kind, gap.key) == (K.GAP, history.digests[0])
    assert (gap.period_start, gap.period_end) == (NOON - 200 * MINUTE, NOON)


# Logging switched off


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (None, "does not exist"),
        (replace(ON, logging=False), "stopped"),
        (replace(ON, validated=False), "validation"),
        (replace(ON, bucket="elsewhere"), "s3://elsewhere/"),
        (replace(ON, prefix="p"), "s3://trail-bucket/p"),
    ],
    ids=["gone", "stopped", "unvalidated", "other bucket", "other prefix"],
)
def test_a_trail_that_is_off_is_one_defect(history, state, told):
    found = only(validate(history.store, history.end + 9 * HOUR, state=state))
    assert (found.kind, found.key) == (K.TRAIL_OFF, LAYOUT.digest_prefix)
    assert told in found.reason


def test_digests_from_before_logging_was_stopped_are_still_due(history):
    stopped = replace(ON, logging=False, stopped_at=history.end + 10 * MINUTE)
    history.store.purge(history.digests[-1])
    report = validate(history.store, history.end + 9 * HOUR, state=stopped)
    assert kinds(report) == [
        (K.DIGEST_MISSING, history.digests[-1]),
        (K.TRAIL_OFF, LAYOUT.digest_prefix),
    ]


def test_no_digest_at_all_is_one_defect(history):
    history.store.purge(*history.digests)
    found = only(validate(history.store, history.end))
    assert (found.kind, found.key) == (K.NO_DIGESTS, LAYOUT.digest_prefix)


def test_no_digest_at_all_and_validation_off_is_one_defect(history):
    history.store.purge(*history.digests)
    report = validate(history.store, history.end, state=replace(ON, validated=False))
    assert only(report).kind is K.TRAIL_OFF


# Chains that are signed but not one chain


def test_a_digest_its_successor_does_not_vouch_for(history):
    for name in ("HashValue", "Signature"):
        history.previous[name] = "0" * len(history.previous[name])
        history.hour()
        found = validate(history.store, history.end).defects[-1]
        assert (found.kind, found.key) == (K.DIGEST_UNCHAINED, history.digests[-2])
        assert found.digest_key == history.digests[-1]


def test_a_fork_names_the_digest_that_is_left_out(history):
    before = dict(history.previous)
    history.hour()
    history.previous = before
    history.hour()
    found = only(validate(history.store, history.end))
    assert (found.kind, found.key) == (K.DIGEST_UNCHAINED, history.digests[-2])


# The remembered head


def proven(history: History) -> Head:
    head = validate(history.store, history.end).head
    assert head is not None
    return head


def test_only_what_is_new_is_read(history):
    head = proven(history)
    history.store.reads.clear()
    history.hours(2)
    report = validate(history.store, history.end, head=head, pace=replace(PACE, lookback=HOUR))
    assert report.defects == ()
    assert report.head.key == history.digests[-1]
    new = [*history.digests[4:], *itertools.chain(*history.logs[6:])]
    assert sorted(history.store.reads) == sorted(new)
    assert {log.version.key for log in report.logs_verified} == set(
        itertools.chain(*history.logs[6:])
    )


@pytest.mark.parametrize("lookback", [HOUR, 24 * HOUR])
def test_what_was_delivered_since_is_proven_anew(history, lookback):
    """Whoever reads these logs must know that they are proven, whenever that was."""
    head, pace = proven(history), replace(PACE, lookback=lookback)
    since = NOON + 2 * HOUR
    report = validate(history.store, history.end, head=head, since=since, pace=pace)
    assert (report.head, report.defects) == (head, ())
    assert {log.version.key for log in report.logs_verified} == set(
        itertools.chain(*history.logs[2:])
    )

    log_altered(history)
    altered = validate(history.store, history.end, head=head, since=since, pace=pace)
    assert only(altered).kind is K.LOG_ALTERED
    assert validate(history.store, history.end, head=head, pace=pace).defects == ()


def test_nothing_new_keeps_the_head(history):
    head = proven(history)
    report = validate(history.store, history.end + HOUR, head=head)
    assert (report.head, report.tip, report.defects) == (head, head, ())


def test_a_trail_as_it_was_before_is_rolled_back(history):
    head = proven(history)
    history.store.purge(history.digests[-1], *history.logs[-1])
    found = only(validate(history.store, history.end + HOUR, head=head))
    assert (found.kind, found.key) == (K.ROLLED_BACK, head.key)
    assert found.digest_key == history.digests[-2]


def test_a_trail_rolled_back_further_names_every_digest_that_is_gone(history):
    head = proven(history)
    history.store.purge(*history.digests[-3:])
    report = validate(history.store, history.end + HOUR, head=head)
    assert kinds(report) == [
        (K.DIGEST_MISSING, history.digests[-3]),
        (K.DIGEST_MISSING, history.digests[-2]),
        (K.ROLLED_BACK, history.digests[-1]),
    ]
    assert report.head == head


def test_a_trail_of_which_nothing_is_left(history):
    head = proven(history)
    history.store.purge(*history.digests)
    found = only(validate(history.store, history.end, head=head))
    assert found.kind is K.NO_DIGESTS
    assert head.key in found.reason


def test_another_signed_digest_in_the_place_of_the_head(history):
    head = proven(history)
    history.store.purge(history.digests[-1])
    replace(history, digests=history.digests[:-1], previous={}, logs_per_hour=0).hour()
    report = validate(history.store, history.end, head=head)
    assert (K.ROLLED_BACK, head.key) in kinds(report)


def test_a_head_that_was_deleted_before_others_came_is_missing(history):
    head = proven(history)
    history.hours(2)
    history.store.purge(head.key)
    found = only(validate(history.store, history.end, head=head))
    assert (found.kind, found.key) == (K.DIGEST_MISSING, head.key)


def test_a_chain_begun_anew_does_not_hide_a_rollback(history):
    head = proven(history)
    history.store.purge(*history.digests[-2:])
    history.restart(2 * HOUR)
    history.hours(2)
    report = validate(history.store, history.end, head=head)
    assert kinds(report) == sorted(
        [
            (K.DIGEST_MISSING, history.digests[4]),
            (K.ROLLED_BACK, head.key),
            (K.GAP, history.digests[3]),
        ]
    )


def test_what_is_put_among_proven_logs_is_found_within_the_lookback(history):
    head = proven(history)
    log_injected(history)
    pace = replace(PACE, lookback=4 * HOUR)
    assert only(validate(history.store, history.end, head=head, pace=pace)).kind is K.INJECTED


def test_what_is_older_than_the_lookback_is_left_to_a_whole_validation(history):
    head = proven(history)
    log_injected(history)
    pace = replace(PACE, lookback=HOUR)
    assert validate(history.store, history.end, head=head, pace=pace).defects == ()
    assert only(validate(history.store, history.end)).kind is K.INJECTED


def test_a_defect_holds_the_head_back_until_it_is_dealt_with(history):
    history.store.rewrite(history.logs[3][0], b"")
    first = validate(history.store, history.end)
    assert first.head.key == history.digests[2]
    history.hours(2)
    again = validate(history.store, history.end, head=first.head)
    assert only(again) == only(first)
    accepted = validate(history.store, history.end, head=again.tip)
    assert accepted.defects == ()
    assert accepted.head == again.tip


def test_a_head_of_another_trail_is_refused(history):
    head = proven(history)
    for other in (replace(head, bucket="b" * 3), replace(head, key=history.logs[0][0])):
        with pytest.raises(ValueError, match="no digest of this trail"):
            validate(history.store, history.end, head=other)


def test_a_validation_that_was_stopped_goes_on_from_its_last_head(history):
    pace = replace(PACE, digests_per_step=2, lookback=HOUR)
    steps = validate_trail(
        history.store,
        LAYOUT,
        lambda _start, _end: KEYS,
        state=ON,
        as_of=history.end,
        pace=pace,
    )
    done = list(itertools.islice(steps, 2))
    steps.close()
    assert done[-1].head.key == history.digests[1]
    rest = validate(history.store, history.end, head=done[-1].head, pace=pace)
    assert rest.defects == ()
    assert rest.head.key == history.digests[-1]
    logs = [log.version.key for log in (*done[-1].logs_verified, *rest.logs_verified)]
    assert logs == list(itertools.chain(*history.logs))


# A part of a trail


def test_a_part_of_a_trail_needs_nothing_from_before(history):
    history.store.purge(*history.digests[:2], *history.logs[0])
    report = validate(history.store, history.end, since=NOON + 150 * MINUTE)
    assert report.defects == ()
    assert report.head.key == history.digests[-1]


def test_a_part_of_a_trail_needs_every_digest_of_it(history):
    history.store.purge(history.digests[2], history.digests[3])
    report = validate(history.store, history.end, since=NOON + 150 * MINUTE)
    assert kinds(report) == [(K.DIGEST_MISSING, key) for key in history.digests[2:4]]


# Backfill


def test_backfilled_digests_are_a_chain_of_their_own(history):
    filled = History(history.store, start=NOON - 9 * HOUR, backfill=True).hours(3)
    report = validate(history.store, history.end)
    assert report.defects == ()
    assert report.digests_verified == HOURS + 3
    assert report.head.key == history.digests[-1]
    history.store.purge(filled.digests[1])
    found = only(validate(history.store, history.end))
    assert (found.kind, found.key) == (K.DIGEST_MISSING, filled.digests[1])


# What is not an object's fault


def test_keys_are_asked_for_the_time_of_the_digests(history):
    asked = []

    def keys(start: datetime, end: datetime) -> Any:
        asked.append((start, end))
        return KEYS

    list(validate_trail(history.store, LAYOUT, keys, state=ON, as_of=history.end, pace=PACE))
    assert asked == [(NOON, history.end)]


def test_a_failure_that_is_not_an_objects_fault_stops_the_validation(history):
    def broken(*_: Any) -> Any:
        raise ConnectionError("no network")

    history.store.read = broken
    with pytest.raises(ConnectionError):
        validate(history.store, history.end)


# Properties


@settings(max_examples=60, deadline=None)
@given(
    gone=st.sets(st.integers(1, 9), max_size=5),
    altered=st.sets(st.integers(1, 9), max_size=3),
    logs_altered=st.sets(st.tuples(st.integers(0, 9), st.integers(0, 1)), max_size=4),
    injected=st.sets(st.integers(6, 590), max_size=3),
    step=st.integers(1, 11),
)
def test_whatever_is_done_each_cause_is_found_once(gone, altered, logs_altered, injected, step):
    history = History(MemoryStore()).hours(11)
    expected = set()
    for n in gone:
        history.store.purge(history.digests[n])
        expected.add((K.DIGEST_MISSING, history.digests[n]))
    for n in altered - gone:
        history.store.rewrite(history.digests[n], b"")
        expected.add((K.DIGEST_ALTERED, history.digests[n]))
    unproven = gone | altered
    for n, m in logs_altered:
        history.store.rewrite(history.logs[n][m], b"")
        if n not in unproven:
            expected.add((K.LOG_ALTERED, history.logs[n][m]))
    for minutes in injected:
        at = NOON + minutes * MINUTE
        key = log_key(at, "injected00000000")
        history.store.put(key, b"{}", at)
        if not {(minutes + skew) // 60 for skew in (-6, 0, 6)} & unproven:
            expected.add((K.INJECTED, key))
    pace = replace(PACE, digests_per_step=step)
    report = validate(history.store, history.end, pace=pace)
    assert len(report.defects) == len(set(report.defects))
    assert set(kinds(report)) - near_holes(history, unproven) == expected - near_holes(
        history, unproven
    )
    clean = min((n for n in [*unproven, *(n for n, _ in logs_altered)]), default=11)
    assert (report.head.key if report.head else None) == (
        history.digests[clean - 1] if clean else None
    )


def near_holes(history: History, unproven: set[int]) -> set[tuple[TrailDefectKind, str]]:
    """Injected logs so near to a hole that either answer is right."""
    edges = [NOON + (n + side) * HOUR for n in unproven for side in (0, 1)]
    return {
        (K.INJECTED, key)
        for key, versions in history.store.objects.items()
        if any(abs(versions[0].at - edge) <= 6 * MINUTE for edge in edges)
    }
