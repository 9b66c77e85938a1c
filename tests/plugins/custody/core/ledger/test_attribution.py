"""Who is behind a session, and behind an outage of the trail."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.management_records import (
    ACCOUNT,
    INSIDER,
    ROLE,
    call,
    partition_moved,
    role_taken,
    service,
    session,
    switched,
)
from tests.support.trail_records import USER, put

from custody.core.ledger.attribution import attribute, calls_of, concerns, who_switched
from custody.core.ledger.kinds.defects import Outage
from custody.core.ledger.policy import Policy
from custody.core.trail.events import TrailEvent
from custody.core.trail.log_files import read_log
from custody.core.trail.management_events import ManagementEvent

ENGINEER = {**INSIDER, "arn": f"arn:aws:iam::{ACCOUNT}:user/engineer", "accessKeyId": "AKIAENG"}
AS_OF = datetime(2026, 11, 1, 12, tzinfo=UTC)
POLICY = Policy(
    as_of=AS_OF,
    grace=timedelta(minutes=30),
    layers={"raw": "bronze", "trail": "trail"},
    writers={},
    recorders=(),
    assumed_by={f"{ROLE}glue": (), f"{ROLE}airflow": (ENGINEER["arn"],)},
    trail="custody-local",
    database="custody_local",
    catalog_writers=(f"{ROLE}airflow",),
)


def calls(*records: Any, proven: bool = True) -> tuple[ManagementEvent, ...]:
    content = read_log(json.dumps({"Records": records}).encode(), log="log", proven=proven)
    assert content.problems == ()
    return content.calls


def write(key: str, role: str = "glue") -> TrailEvent:
    record = put(userIdentity=session(role, key))
    return read_log(json.dumps({"Records": [record]}).encode(), log="log", proven=True).events[0]


def behind(event: TrailEvent, deliveries: Sequence[ManagementEvent]) -> TrailEvent:
    return attribute(event, calls_of(deliveries, POLICY)[1])


def test_calls_in_a_session_are_attributed_to_whoever_assumed_the_role() -> None:
    found = behind(write("ASIA1"), calls(role_taken("glue", "ASIA1", INSIDER)))
    assert (found.who.arn, found.who.type, found.proven) == (INSIDER["arn"], "IAMUser", True)
    assert not found.who.is_one_of([f"{ROLE}glue"])
    assert found.who.described == f"{INSIDER['arn']} (as {session('glue', '')['arn']})"


@pytest.mark.parametrize(
    ("role", "who", "key"),
    [
        ("glue", service("glue"), "ASIA1"),
        ("airflow", ENGINEER, "ASIA1"),
        ("glue", INSIDER, "ASIAOTHER"),
        ("of-somebody-else", INSIDER, "ASIA1"),
    ],
    ids=["by a service", "by one who may", "another session", "another role"],
)
def test_other_sessions_stay_the_roles_own(role: str, who: dict[str, Any], key: str) -> None:
    event = write("ASIA1", role)
    assert behind(event, calls(role_taken(role, key, who))) is event


def test_of_sessions_started_in_each_other_the_first_principal_counts() -> None:
    first = role_taken("airflow", "ASIA1", INSIDER)
    second = role_taken("glue", "ASIA2", session("airflow", "ASIA1"), eventID="m2")
    for records in itertools.permutations([first, second]):
        found = behind(write("ASIA2"), calls(*records))
        assert (found.who.arn, found.who.acting_as) == (INSIDER["arn"], write("ASIA2").who.arn)


def test_sessions_that_claim_to_have_started_each_other_end_somewhere() -> None:
    records = (
        role_taken("glue", "ASIA1", session("glue", "ASIA2")),
        role_taken("glue", "ASIA2", session("glue", "ASIA1"), eventID="m2"),
    )
    assert behind(write("ASIA1"), calls(*records)).who.acting_as is not None


def test_an_unproven_assumption_of_a_role_leaves_the_call_unproven() -> None:
    """What hangs on it waits for a digest; a proven one counts before it."""
    forged = calls(role_taken("glue", "ASIA1", USER, eventID="m2"), proven=False)
    assert not behind(write("ASIA1"), forged).proven
    both = [*forged, *calls(role_taken("glue", "ASIA1", INSIDER))]
    for some in itertools.permutations(both):
        found = behind(write("ASIA1"), some)
        assert (found.who.arn, found.proven) == (INSIDER["arn"], True)


def test_management_calls_are_attributed_too() -> None:
    taken = role_taken("airflow", "ASIA1", INSIDER, eventID="m0")
    found, _ = calls_of(calls(taken, partition_moved(session("airflow", "ASIA1"))), POLICY)
    assert {each.who.arn for each in found} == {INSIDER["arn"]}


def test_only_the_platforms_own_concerns_it() -> None:
    table = {"databaseName": "other", "name": "t"}
    assert not any(
        concerns(each, POLICY)
        for each in calls(
            role_taken("of-somebody-else", "A", INSIDER),
            switched("StopLogging", INSIDER, "06:00:00", name="other"),
            call("glue", "DeleteTable", INSIDER, table),
        )
    )


# --- The trail ------------------------------------------------------------------------------------


def at(clock: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-01T{clock}:00Z")


def switched_by(outage: Outage, *records: Any) -> tuple[str, str] | None:
    """Who and what explains an outage, in whatever order the calls are read."""
    known = list(calls(*records))
    found = who_switched(outage, known, POLICY)
    for seed in range(3):
        random.Random(seed).shuffle(known)  # noqa: S311 - a repeatable order, no secret
        assert who_switched(outage, known, POLICY) == found
    return (found.who.arn.rpartition("/")[2], found.name) if found else None


STOPPED = switched("StopLogging", INSIDER, "05:59:30")
STARTED = switched("StartLogging", ENGINEER, "06:20:00")
OFF = switched("UpdateTrail", INSIDER, "05:59:30", enableLogFileValidation=False)
ON = switched("UpdateTrail", INSIDER, "06:19:59", enableLogFileValidation=True)
GAP = Outage(at("06:00"), at("06:20"))
LASTS = Outage(None, None)


@pytest.mark.parametrize("outage", [GAP, LASTS], ids=["a gap", "it lasts"])
def test_who_had_it_log_one_region_alone_is_behind_what_the_others_lack(outage: Outage) -> None:
    narrowed = switched("UpdateTrail", INSIDER, "05:59:30", isMultiRegionTrail=False)
    assert switched_by(outage, narrowed) == ("insider", "UpdateTrail")
    again = switched("UpdateTrail", ENGINEER, "05:59:59", isMultiRegionTrail=True, eventID="m9")
    assert switched_by(LASTS, narrowed, again) is None


def test_who_stopped_the_trail_is_behind_its_gap_whoever_started_it_again() -> None:
    assert switched_by(GAP, STOPPED, STARTED) == ("insider", "StopLogging")


def test_who_stopped_the_trail_is_behind_its_being_off() -> None:
    assert switched_by(LASTS, STOPPED) == ("insider", "StopLogging")
    assert switched_by(LASTS, OFF) == ("insider", "UpdateTrail")
    moved = switched("UpdateTrail", INSIDER, "06:00:00", s3BucketName="elsewhere")
    assert switched_by(LASTS, moved) == ("insider", "UpdateTrail")


def test_who_had_it_deliver_under_a_prefix_is_behind_what_is_missing() -> None:
    moved = switched("UpdateTrail", INSIDER, "05:59:30", s3KeyPrefix="elsewhere")
    assert switched_by(LASTS, moved) == ("insider", "UpdateTrail")
    back = switched("UpdateTrail", ENGINEER, "06:19:59", s3KeyPrefix="", eventID="m9")
    assert switched_by(GAP, moved, back) == ("insider", "UpdateTrail")
    before = switched("UpdateTrail", ENGINEER, "05:59:59", s3KeyPrefix="", eventID="m9")
    assert switched_by(LASTS, moved, before) is None


def test_what_was_undone_before_is_not_behind_it() -> None:
    """An engineer stopped and started the trail; later it was off by no call that is proven."""
    maintenance = switched("StopLogging", ENGINEER, "05:30:00")
    done = switched("StartLogging", ENGINEER, "05:31:00")
    assert switched_by(GAP, maintenance, done) is None
    assert switched_by(LASTS, maintenance, done) is None
    assert switched_by(GAP, maintenance, done, STOPPED) == ("insider", "StopLogging")


def test_switching_one_thing_on_does_not_undo_another() -> None:
    """A deployment sets validation to true again, as always."""
    deployed = switched("UpdateTrail", ENGINEER, "05:59:50", enableLogFileValidation=True)
    assert switched_by(GAP, STOPPED, deployed) == ("insider", "StopLogging")


def test_whoever_switched_it_on_again_is_not_accused_of_having_switched_it_off() -> None:
    repaired = switched("StartLogging", ENGINEER, "06:19:59")
    assert switched_by(GAP, repaired) is None
    assert switched_by(GAP, ON) is None
    assert switched_by(LASTS, ON) is None


def test_what_lies_far_away_explains_nothing() -> None:
    long_ago = switched("StopLogging", ENGINEER, "03:00:00")
    long_after = switched("StartLogging", ENGINEER, "09:00:00")
    assert switched_by(GAP, long_ago, long_after) is None
    assert switched_by(GAP) is None


def test_an_unproven_call_names_nobody() -> None:
    assert who_switched(GAP, calls(STOPPED, proven=False), POLICY) is None


TIMES = st.integers(0, 12 * 3600 - 1).map(lambda second: AS_OF - timedelta(seconds=second + 1))


@given(st.lists(st.tuples(TIMES, st.booleans()), max_size=6), TIMES, st.booleans())
def test_whoever_is_named_switched_something_that_explains_it(
    switches: list[tuple[datetime, bool]], since: datetime, lasts: bool
) -> None:
    (stop,), (start,) = calls(STOPPED), calls(STARTED)
    known = [
        replace(start if on else stop, time=time, event_id=f"e{n}")
        for n, (time, on) in enumerate(switches)
    ]
    found = who_switched(Outage(None, None) if lasts else Outage(since, AS_OF), known, POLICY)
    if found is None:
        return
    assert found.name == "StopLogging"
    if lasts:
        assert not any(c.name == "StartLogging" and c.time > found.time for c in known)
    else:
        assert found.time >= since - timedelta(hours=1)


UPLOADER = {**USER, "accessKeyId": "AKIANEW"}
UPLOADER_ROLE = f"arn:aws:iam::{ACCOUNT}:role/web-shop"
OURS = replace(
    POLICY,
    deployment="custody-local",
    writers={"bronze": (USER["arn"], UPLOADER_ROLE)},
    named={
        "user": frozenset({USER["arn"].rpartition("/")[2]}),
        "role": frozenset({"web-shop"}),
    },
)


def key_made(who: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Somebody makes an access key of the uploader."""
    name = USER["arn"].rpartition("/")[2]
    made = {"accessKey": {"userName": name, "accessKeyId": "AKIANEW", "status": "Active"}}
    return call("iam", "CreateAccessKey", who, {"userName": name}, made, **changes)


def session_token(who: dict[str, Any], **changes: Any) -> dict[str, Any]:
    answer = {"credentials": {"accessKeyId": "ASIATOKEN", "sessionToken": "x"}}
    return call("sts", "GetSessionToken", who, None, answer, **changes)


def write_as(who: dict[str, Any]) -> TrailEvent:
    record = put(userIdentity=who)
    return read_log(json.dumps({"Records": [record]}).encode(), log="log", proven=True).events[0]


def behind_ours(event: TrailEvent, *records: Any) -> TrailEvent:
    return attribute(event, calls_of(calls(*records), OURS)[1])


def test_what_is_done_with_a_key_is_done_by_whoever_made_it_for_another() -> None:
    found = behind_ours(write_as(UPLOADER), key_made(INSIDER))
    assert (found.who.arn, found.who.acting_as) == (INSIDER["arn"], USER["arn"])
    # Also in a session that was got with it.
    token = {**USER, "accessKeyId": "ASIATOKEN"}
    later = session_token(UPLOADER, eventID="m2", eventTime="2026-11-01T06:01:00Z")
    assert behind_ours(write_as(token), key_made(INSIDER), later).who.arn == INSIDER["arn"]
    # Also in the same second, in which CloudTrail tells no order.
    at_once = session_token(UPLOADER, eventID="m0")
    assert behind_ours(write_as(token), key_made(INSIDER), at_once).who.arn == INSIDER["arn"]


@pytest.mark.parametrize(
    "record",
    [
        key_made({**USER, "accessKeyId": "AKIAOLD"}),
        key_made({**USER, "accessKeyId": "AKIAOLD"}, requestParameters={"x": 1}),
        session_token(USER),
    ],
    ids=["by himself", "by himself, without a name", "a session of his own"],
)
def test_a_user_uses_what_he_made_himself(record: dict[str, Any]) -> None:
    for who in (UPLOADER, {**USER, "accessKeyId": "ASIATOKEN"}):
        event = write_as(who)
        assert behind_ours(event, record) is event


def test_an_uploaders_role_is_his_who_takes_it_after_opening_it() -> None:
    session_of_his = {
        **session("x", "ASIA7"),
        "sessionContext": {"sessionIssuer": {"arn": UPLOADER_ROLE}},
    }
    asked = {"roleArn": UPLOADER_ROLE, "roleSessionName": "session"}
    answer = {"credentials": {"accessKeyId": "ASIA7"}}
    taken = call("sts", "AssumeRole", INSIDER, asked, answer, eventTime="2026-11-01T06:10:00Z")
    trust = {"roleName": "web-shop", "policyDocument": "{}"}
    opened = call("iam", "UpdateAssumeRolePolicy", INSIDER, trust, eventID="m2")
    assert behind_ours(write_as(session_of_his), taken, opened).who.arn == INSIDER["arn"]
    event = write_as(session_of_his)
    assert behind_ours(event, taken) is event  # whom it trusts is not known here
    afterwards = {**opened, "eventTime": "2026-11-01T06:20:00Z"}
    assert behind_ours(event, taken, afterwards) is event


def test_what_an_addendum_tells_of_a_call_counts() -> None:
    """The answer, and with it the key, may be told later than the call."""
    late = {"originalEventID": "m1", "reason": "UPDATED_DATA", "updatedFields": "responseElements"}
    first = key_made(INSIDER, responseElements=None)
    addendum = key_made(INSIDER, eventID="m2", addendum=late)
    for some in itertools.permutations([first, addendum]):
        assert behind_ours(write_as(UPLOADER), *some).who.arn == INSIDER["arn"]
