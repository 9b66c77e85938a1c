"""What became of what was written: rules of comparing a bucket with its records."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.removals import CRM, DAY, GLUE, HOUR, INSIDER, NOON, POLICY, call

from custody.core.ledger.kinds.at_rest import (
    HeldVersion,
    ObjectAtRest,
    Reading,
    RecordedVersion,
    Removers,
    altered_file_rows,
    identity_of,
    is_in_sample,
    recorded_version,
    row_of_reading,
    rows_at_rest,
)
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import fingerprint
from custody.core.ledger.versions import ObjectHistory, rows_of
from custody.core.records.checking import ReadEnvelope
from custody.core.records.model import (
    LandingEvent,
    LandingRecord,
    Recorder,
    UnreadableReason,
    UnreadableRecord,
)
from custody.core.records.names import record_id, record_key
from custody.core.runs.files import WrittenFile
from custody.core.trail.events import TrailEvent
from custody.core.trail.management_events import LifecycleSet, ManagementEvent
from custody.core.trail.principals import Principal
from custody.objects import ObjectVersion

NONCURRENT = 90 * DAY
OURS, OTHERS = "ab" * 32, "cd" * 32


def held(version: str = "v1", *, at: datetime = NOON - DAY, **changes: object) -> HeldVersion:
    fields = {"is_marker": False} | changes
    return HeldVersion(version=named(fields, version), stored_at=at, **fields)


def named(fields: dict[str, object], version_id: str) -> ObjectVersion:
    """The version that the fields are of: their `bucket` and `key`, taken out, or else ours."""
    return ObjectVersion(fields.pop("bucket", "raw"), fields.pop("key", "a.csv"), version_id)


def marker(version: str = "m1", *, at: datetime = NOON - HOUR, **changes: object) -> HeldVersion:
    return held(version, at=at, is_marker=True, **changes)


def recorded(version: str = "v1", *, at: datetime = NOON - DAY, **changes: object):
    fields = {
        "recorded_at": at + timedelta(seconds=1),
        "sha256s": frozenset({OURS}),
        "size_bytes": 9,
        "key_id": "k",
        "record_key": "p",
    } | changes
    return RecordedVersion(version=named(fields, version), written_at=at, **fields)


def judged(
    *here: HeldVersion,
    missing: tuple[RecordedVersion, ...] = (),
    unrecorded: set[str] = frozenset(),
    calls: tuple[TrailEvent, ...] = (),
    rules: tuple[ManagementEvent, ...] = (),
    policy: Policy = POLICY,
):
    first = (*here, *missing)[0].version
    found = ObjectAtRest(first.bucket, first.key, here, frozenset(unrecorded), missing)
    return list(rows_at_rest(found, Removers(calls, rules), policy, NONCURRENT))


def only(rows):
    (row,) = rows
    return row


# Presence


def test_what_is_held_and_recorded_gives_no_row():
    assert judged(held("v1"), held("v2")) == []


def test_an_unrecorded_version_is_a_row_after_its_grace():
    row = only(judged(held(), unrecorded={"v1"}))
    assert (row.verdict, row.version_id, row.event_time) == ("UNRECORDED", "v1", NOON)
    assert row.fingerprint == fingerprint("UNRECORDED", ObjectVersion("raw", "a.csv", "v1"))
    assert "2026-11-01 12:00:00" in row.verdict_reason
    assert judged(held(at=NOON - 3 * HOUR + timedelta(seconds=1)), unrecorded={"v1"}) == []
    assert judged(held(at=NOON - 3 * HOUR), unrecorded={"v1"}) != []


def test_the_reconciliation_gives_the_same_finding_the_same_fingerprint():
    """Whoever is first pages; the other is told already."""
    write = replace(
        call(CRM, key="a.csv", version="v1", at=NOON - DAY), name="PutObject", event_id="e0"
    )
    gone = call(key="a.csv", version="v1", event_id="e1")
    hidden = call(key="a.csv", version="m1", is_marker=True, event_id="e2")
    reconciled = {
        (row.verdict, row.version_id): (row.fingerprint, row.principal_arn)
        for row in rows_of(ObjectHistory("raw", "a.csv", (write, gone, hidden), ()), POLICY, {})
    }
    audited = {
        (row.verdict, row.version_id): (row.fingerprint, row.principal_arn)
        for row in judged(marker(), missing=(recorded(),), calls=(gone, hidden))
    }
    assert len(audited) == 2
    assert audited.items() <= reconciled.items()
    unrecorded = only(judged(held(), unrecorded={"v1"}))
    assert reconciled["UNRECORDED", "v1"][0] == unrecorded.fingerprint


@pytest.mark.parametrize(
    ("calls", "principal", "says"),
    [
        ((), None, "no event of the days that were read"),
        # Who called DeleteObjects may have removed anything: nobody is named, all are listed.
        ((call(),), None, f"may have: {INSIDER.arn} (last at "),
        (
            (call(), call(at=NOON - 2 * HOUR, event_id="e0")),
            None,
            f"may have: {INSIDER.arn} (last at {NOON - HOUR:%Y-%m-%d %H:%M:%S}).",
        ),
        # Before the version was there.
        ((call(at=NOON - 2 * DAY),), None, "no event"),
        # By name, whatever else there was.
        ((call(GLUE), call(key="a.csv", version="v1")), INSIDER, "called DeleteObject on it"),
        # Another version, another key.
        ((call(key="a.csv", version="v2"), call(key="b.csv", version="v1")), None, "no event"),
        ((call(GLUE, at=NOON - 2 * HOUR, event_id="e0"), call()), None, GLUE.arn),
        ((call(GLUE, at=NOON - 2 * HOUR, event_id="e0"), call()), None, INSIDER.arn),
        ((call(CRM),), None, CRM.arn),
    ],
)
def test_a_version_that_is_gone(calls, principal, says):
    row = only(judged(held("v2"), missing=(recorded(),), calls=calls))
    assert (row.verdict, row.version_id) == ("REMOVED", "v1")
    assert row.principal_arn == (principal.arn if principal else None)
    assert says in row.verdict_reason
    assert (row.sha256, row.size_bytes, row.record_key) == (OURS, 9, "p")


@pytest.mark.parametrize("key", [None, "a.csv"])
def test_an_unproven_call_names_nobody(key):
    """An invented event must not put somebody else's name on a page."""
    invented = replace(call(CRM, key=key, version=key and "v1", event_id="e2"), proven=False)
    row = only(judged(held("v2"), missing=(recorded(),), calls=(invented,)))
    assert (row.verdict, row.principal_arn, row.log_key) == ("REMOVED", None, None)
    assert CRM.arn in row.verdict_reason
    assert "no digest vouches for yet" in row.verdict_reason
    named = call(key="a.csv", version="v1")
    row = only(judged(held("v2"), missing=(recorded(),), calls=(invented, named)))
    assert row.principal_arn == INSIDER.arn
    row = only(judged(held("v2"), missing=(recorded(),), calls=(invented, call())))
    assert (row.principal_arn, CRM.arn in row.verdict_reason) == (None, False)
    row = only(judged(held(), marker(), calls=(invented,)))
    assert row.principal_arn is None


def test_what_may_be_on_its_way_is_not_yet_gone():
    late = recorded(at=NOON - 3 * HOUR + timedelta(seconds=1))
    assert judged(held("v2"), missing=(late,)) == []
    assert judged(held("v2"), missing=(recorded(at=NOON - 3 * HOUR),)) != []


def test_a_batch_delete_of_the_second_of_the_recording_may_have_been_it():
    known = NOON - HOUR + timedelta(milliseconds=700)
    gone = recorded(at=NOON - 4 * HOUR, recorded_at=known)
    row = only(judged(missing=(gone,), calls=(call(at=NOON - HOUR),)))
    assert (row.principal_arn, INSIDER.arn in row.verdict_reason) == (None, True)


@pytest.mark.parametrize("seconds", [-60, 0, 60])
def test_a_hidden_object_lists_the_calls_of_that_moment(seconds):
    near = call(at=NOON - HOUR + timedelta(seconds=seconds))
    far = call(CRM, at=NOON - HOUR + timedelta(seconds=61), event_id="e2")
    row = only(judged(held(), marker(), calls=(near, far)))
    assert (row.verdict, row.version_id, row.principal_arn) == ("REMOVED", "m1", None)
    assert "hidden behind a delete marker at 11:00:00" in row.verdict_reason
    assert (INSIDER.arn in row.verdict_reason, CRM.arn in row.verdict_reason) == (True, False)


def test_a_marker_made_after_the_audit_began_is_for_the_next_one():
    assert judged(held(), marker(at=NOON + timedelta(seconds=1))) == []
    assert only(judged(held(), marker(at=NOON))).verdict == "REMOVED"


def test_a_hidden_record_is_found_too():
    row = only(judged(marker(bucket="provenance", key="provenance/incoming/dt=2026-11-01/x.json")))
    assert (row.verdict, row.pipeline_layer) == ("REMOVED", "provenance")


SILVER = {"bucket": "processed", "key": "silver/x/part-0.parquet"}
WORKING = {"bucket": "processed", "key": "silver/x/_temporary/0/part-0.parquet"}


@pytest.mark.parametrize(
    ("calls", "pages"),
    [
        ((), False),
        ((call(GLUE),), False),
        ((call(GLUE), call(event_id="e2")), False),
        ((call(INSIDER),), True),
    ],
)
def test_working_files_are_cleared_by_who_made_them(calls, pages):
    assert bool(judged(held(**WORKING), marker(**WORKING), calls=calls)) is pages
    old = recorded(**WORKING)
    assert bool(judged(marker(**WORKING), missing=(old,), calls=calls)) is pages


# Retention


@pytest.mark.parametrize(
    ("successor", "explained"),
    [
        (held("v2", at=NOON - NONCURRENT, **SILVER), True),
        (held("v2", at=NOON - NONCURRENT + timedelta(seconds=1), **SILVER), False),
        # A version before it did not replace it.
        (held("v2", at=NOON - 201 * DAY, **SILVER), False),
    ],
)
def test_replaced_outputs_expire(successor, explained):
    gone = recorded(at=NOON - 200 * DAY, **SILVER)
    assert (judged(successor, missing=(gone,)) == []) is explained


def test_an_output_that_nothing_replaced_does_not_expire():
    assert only(judged(missing=(recorded(at=NOON - 200 * DAY, **SILVER),))).verdict == "REMOVED"


def test_of_many_generations_all_but_the_last_may_be_gone():
    ages = (300, 200, 100)
    gone = tuple(recorded(f"v{a}", at=NOON - a * DAY, **SILVER) for a in ages)
    assert judged(held("now", at=NOON - 91 * DAY, **SILVER), missing=gone) == []
    assert [r.version_id for r in judged(missing=gone)] == ["v100"]


def test_a_publication_never_expires():
    """It counts when it is hidden, too."""
    place = {"bucket": "analytics", "key": "publications/customers/dt=2026-11-01/000001.json"}
    gone = recorded(at=NOON - 2 * NONCURRENT, **place)
    rows = judged(marker(at=NOON - NONCURRENT, **place), missing=(gone,))
    assert [row.verdict for row in rows] == ["REMOVED", "REMOVED"]


def test_bronze_never_expires():
    gone = recorded(at=NOON - 900 * DAY)
    assert only(judged(held("v2", at=NOON - 800 * DAY), missing=(gone,))).verdict == "REMOVED"


# Bytes


@pytest.mark.parametrize(
    ("sha256s", "reading", "verdict"),
    [
        ({OURS}, Reading(OURS), "VERIFIED"),
        ({OURS}, Reading(OTHERS), "ALTERED"),
        ({OURS}, Reading(None, "read 8 bytes, S3 announced 9"), "ALTERED"),
        ({OURS}, Reading(None, "InvalidObjectState: archived", gone=True), "REMOVED"),
        # Which of two records is false is for the reconciliation to tell.
        ({OURS, OTHERS}, Reading(OTHERS), "VERIFIED"),
        ({OURS, OTHERS}, Reading("ef" * 32), "ALTERED"),
    ],
)
def test_bytes_are_those_on_record_or_altered(sha256s, reading, verdict):
    row = row_of_reading(recorded(sha256s=frozenset(sha256s)), reading, POLICY)
    assert row.verdict == verdict
    assert row.fingerprint == fingerprint(verdict, ObjectVersion("raw", "a.csv", "v1"))
    assert (row.record_key, row.event_time, row.principal_arn) == ("p", NOON, None)
    if reading.sha256 and verdict == "ALTERED":
        assert reading.sha256 in row.verdict_reason
        assert OURS in row.verdict_reason


def test_what_nobody_could_read_cannot_be_compared():
    assert row_of_reading(recorded(sha256s=frozenset()), Reading(OURS), POLICY) is None


# Records


CLAIM = LandingRecord(
    version=ObjectVersion("raw", "a.csv", "v1"),
    sha256=OURS,
    size_bytes=9,
    etag="e",
    sequencer="00",
    checksum=None,
    event=LandingEvent("ObjectCreated:Put", NOON - DAY, "R1", "host", "203.0.113.7", "AWS:AIDA"),
    hashed_at=NOON - DAY + timedelta(seconds=1),
    recorder=Recorder("custody-recorder", "1.0.0"),
)
IDENTITY = record_id(ObjectVersion("raw", "a.csv", "v1"))
GOOD = ReadEnvelope(ObjectVersion("provenance", "p", "r1"), NOON - DAY, "k", CLAIM, None)


def test_a_good_record_is_believed():
    assert recorded_version([GOOD], IDENTITY) == recorded()


@pytest.mark.parametrize(
    "bad",
    [
        replace(GOOD, trouble="the signature does not match"),
        replace(GOOD, claim=None, trouble="no envelope"),
        replace(GOOD, claim=replace(CLAIM, version=replace(CLAIM.version, version_id="v2"))),
    ],
)
def test_others_prove_nothing_here(bad):
    assert recorded_version([bad], IDENTITY) is None
    assert recorded_version([bad, GOOD], IDENTITY) == recorded()


def test_records_that_differ_are_all_remembered():
    other = replace(GOOD, stored=replace(GOOD.stored, key="q"), claim=replace(CLAIM, sha256=OTHERS))
    assert recorded_version([other, GOOD], IDENTITY).sha256s == {OURS, OTHERS}


def test_a_version_that_could_not_be_read_has_no_hash():
    unreadable = UnreadableRecord(
        version=ObjectVersion("raw", "a.csv", "v1"),
        size_bytes=9,
        etag="e",
        sequencer="00",
        event=CLAIM.event,
        reason=UnreadableReason.CUSTOMER_KEY,
        answer="InvalidRequest",
        tried_at=CLAIM.hashed_at,
        recorder=CLAIM.recorder,
    )
    found = recorded_version([replace(GOOD, claim=unreadable)], IDENTITY)
    assert found.sha256s == frozenset()


def test_a_records_name_gives_the_version_it_is_about():
    place = record_key(NOON, IDENTITY)
    assert identity_of(place) == held().identity == IDENTITY
    assert identity_of(place.removesuffix(".json") + f".conflict-{OURS[:16]}.json") == IDENTITY
    assert identity_of("provenance/incoming/dt=2026-11-01/notes.json") is None


# Sampling


@given(
    st.binary(min_size=1).map(lambda raw: hashlib.sha256(raw).hexdigest()),
    st.dates(date(2026, 1, 1), date(2099, 1, 1)),
    st.integers(1, 90),
)
def test_in_so_many_days_everything_has_its_turn_once(identity, first, days):
    turns = [is_in_sample(identity, first + n * DAY, days) for n in range(days)]
    assert Counter(turns)[True] == 1


def test_each_days_share_is_about_the_same():
    identities = [hashlib.sha256(b"%d" % n).hexdigest() for n in range(28_000)]
    share = sum(is_in_sample(each, NOON.date(), 28) for each in identities)
    assert 900 < share < 1100


# Order


VERSIONS = st.permutations([held("v2"), held("v3"), marker("m1"), marker("m2", at=NOON - 2 * HOUR)])
CALLS = st.permutations(
    [
        call(event_id="e1"),
        call(CRM, event_id="e2"),
        call(at=NOON - 2 * HOUR, event_id="e3"),
        call(key="a.csv", version="m1", is_marker=True, event_id="e4"),
    ]
)


@given(VERSIONS, CALLS, st.permutations([recorded("v0"), recorded("v1")]))
def test_the_order_of_what_is_listed_does_not_matter(versions, calls, missing):
    def rows(some_held, some_calls, some_missing):
        return judged(
            *some_held, missing=tuple(some_missing), unrecorded={"v3"}, calls=tuple(some_calls)
        )

    assert rows(versions, calls, missing) == rows(
        sorted(versions, key=repr), sorted(calls, key=repr), sorted(missing, key=repr)
    )


@given(st.lists(st.integers(0, 400), min_size=1, max_size=8, unique=True), st.data())
def test_an_honest_lifecycle_never_pages(ages, data):
    """Versions written on some days, expired as late as S3 likes after they may, the last kept."""
    written = sorted((NOON - age * DAY for age in ages), reverse=True)
    here, missing = [], []
    for n, at in enumerate(written):
        may_be_gone = n > 0 and written[n - 1] + NONCURRENT <= NOON
        if may_be_gone and data.draw(st.booleans()):
            missing.append(recorded(f"v{n}", at=at, **SILVER))
        else:
            here.append(held(f"v{n}", at=at, **SILVER))
    assert judged(*here, missing=tuple(missing)) == []


# Lifecycle rules


def rules_set(who: Principal = INSIDER, *, at: datetime = NOON - DAY, proven: bool = True):
    return ManagementEvent(
        event_id=f"{who.arn} at {at}",
        name="PutBucketLifecycle",
        time=at,
        who=who,
        request_id="R",
        source_ip="203.0.113.9",
        user_agent="aws-cli",
        log="log",
        proven=proven,
        digest="digest" if proven else None,
        amended=False,
        about=LifecycleSet("raw"),
    )


def test_of_what_no_call_removed_whoever_set_the_rules_last_is_told_and_nobody_is_accused():
    """Setting rules, as each deployment does, is not removing this version."""
    rules = (rules_set(at=NOON - HOUR), rules_set(CRM, at=NOON - DAY))
    row = only(judged(missing=(recorded(),), rules=rules))
    assert (row.verdict, row.principal_arn, row.event_id) == ("REMOVED", None, None)
    assert f"without an event; {INSIDER.arn} set them" in row.verdict_reason
    # The rules that came after a marker did not make it.
    hidden = only(judged(held(at=NOON - 2 * DAY), marker(at=NOON - 2 * HOUR), rules=rules))
    assert hidden.principal_arn is None
    assert f"without an event; {CRM.arn} set them" in hidden.verdict_reason


def test_rules_explain_nothing_that_a_call_does_and_unproven_ones_name_nobody():
    mine = call(CRM, key="a.csv", version="v1")
    row = only(judged(missing=(recorded(),), calls=(mine,), rules=(rules_set(),)))
    assert row.principal_arn == CRM.arn
    row = only(judged(missing=(recorded(),), rules=(rules_set(proven=False),)))
    assert (row.principal_arn, row.verdict) == (None, "REMOVED")
    assert row.verdict_reason.endswith("no event of the days that were read shows who did it.")


def test_a_file_with_other_bytes_than_its_run_named_is_altered_by_nobody() -> None:
    file = WrittenFile("record_checks/dt=2026-11-01/x.parquet", "v1", OURS)
    (row,) = altered_file_rows([file], "analytics", time=NOON, policy=POLICY)
    assert (row.verdict, row.principal_arn, row.event_time) == ("ALTERED", None, NOON)
    assert row.object_version == ObjectVersion("analytics", file.key, "v1")
    assert OURS in row.verdict_reason
