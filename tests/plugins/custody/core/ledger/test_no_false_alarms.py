"""Nobody is paged for what honest people do, however late and disorderly the evidence comes.

Every property runs over days that `tests.support.honest` invents, and judges them as the
reconciliation does: logs are read, deliveries merged, envelopes verified.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.honest.drawn import histories
from tests.support.honest.evidence import LogFile, Write
from tests.support.honest.hours import (
    DAYS_LATE,
    HOURS_A_DAY,
    ONE_OF_EACH,
    PROMPT,
    Activity,
    Hour,
)
from tests.support.honest.judging import GRACE, in_order, judge_all, policy_at, written
from tests.support.honest.places import GLUE, START
from tests.support.honest.platform import live
from tests.support.thoroughness import THOROUGH

from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.verdicts import SETTLED, Verdict
from custody.core.trail.span import LATEST_DELIVERY

HONEST_HOURS = 14_000 if THOROUGH else 3_400
HONEST_WRITES = 10_000 if THOROUGH else 2_500

repeatable = settings(
    derandomize=True,
    database=None,
    deadline=None,
    # A day is much to draw, and is drawn fast enough.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def verdicts(rows: list[LedgerRow]) -> Counter[str]:
    return Counter(row.verdict for row in rows)


def test_once_everything_has_arrived_nobody_is_paged() -> None:
    """Every write is one VERIFIED row with its true writer and bytes, and there is no other row."""
    hours, writes = 0, 0

    @settings(repeatable, max_examples=-(-HONEST_HOURS // HOURS_A_DAY))
    @given(histories(DAYS_LATE))
    def holds(day: list[Hour]) -> None:
        nonlocal hours, writes
        history = live(day)
        rows = judge_all(history, policy_at(history.settled + GRACE))
        assert {row.verdict for row in rows} <= {Verdict.VERIFIED}
        assert in_order(map(written, rows)) == in_order(history.writes)
        hours += len(day)
        writes += len(history.writes)

    holds()
    assert hours >= HONEST_HOURS
    assert writes >= HONEST_WRITES


instants = st.lists(
    st.integers(0, 26 * 3600).map(lambda second: START + timedelta(seconds=second)),
    min_size=3,
    max_size=3,
).map(sorted)


@repeatable
@given(histories(PROMPT), instants)
def test_within_grace_nobody_is_paged(day: list[Hour], moments: list[datetime]) -> None:
    """At no moment, and what is once VERIFIED stays it: as the hourly run judges, which waits for
    what CloudTrail may yet amend."""
    history = live(day)
    verified: set[Write] = set()
    for at in moments:
        rows = judge_all(history, replace(policy_at(at), delivery=LATEST_DELIVERY))
        assert {row.verdict for row in rows} <= SETTLED
        now = {written(row) for row in rows if row.verdict == Verdict.VERIFIED}
        assert verified <= now <= history.writes
        verified = now


@settings(repeatable, max_examples=100 if THOROUGH else 10)
@given(histories(PROMPT), st.integers(0, 12 * 3600), instants)
def test_a_recorder_that_is_away_for_half_a_day_pages_nobody(
    day: list[Hour], away: int, moments: list[datetime]
) -> None:
    """It was told of everything, and says so of each version; of a bucket with versions, CloudTrail
    names them."""
    history = live([replace(hour, record_delay=away, version_named=True) for hour in day])
    for at in moments:
        assert {row.verdict for row in judge_all(history, policy_at(at))} <= SETTLED


def test_a_record_is_late_whichever_of_its_events_cloudtrail_tells_first() -> None:
    """The event of the write is there, that of the recorder's note is not yet: the note is."""
    hour = Hour(Activity.UPLOAD, event_delay=60, record_delay=6 * 3600, addendum_delay=5 * 3600)
    history = live([hour])
    policy = replace(policy_at(START + timedelta(hours=2)), delivery=LATEST_DELIVERY)
    assert [row.verdict for row in judge_all(history, policy)] == [Verdict.PENDING]
    without = replace(history, notes={})
    assert [row.verdict for row in judge_all(without, policy)] == [Verdict.UNRECORDED]


@settings(repeatable, max_examples=100 if THOROUGH else 25)
@given(histories(DAYS_LATE), instants)
def test_lateness_is_never_taken_for_a_lie(day: list[Hour], moments: list[datetime]) -> None:
    """A witness that is later than grace is missed, never said to contradict the other."""
    history = live(day)
    for at in moments:
        rows = judge_all(history, policy_at(at))
        assert {row.verdict for row in rows} <= {*SETTLED, Verdict.UNRECORDED, Verdict.UNWITNESSED}


@settings(repeatable, max_examples=100 if THOROUGH else 25)
@given(histories(DAYS_LATE), instants, st.integers(0, 2**32))
def test_verdicts_do_not_depend_on_the_order_of_arrival(
    day: list[Hour], moments: list[datetime], seed: int
) -> None:
    history = live(day)
    order = random.Random(seed)  # noqa: S311 - a repeatable order, no secret
    for at in moments[-1], history.settled + GRACE:
        assert sorted(map(repr, judge_all(history, policy_at(at), order))) == sorted(
            map(repr, judge_all(history, policy_at(at)))
        )


@pytest.mark.parametrize("activity", Activity)
@pytest.mark.parametrize("version_named", [True, False])
def test_each_activity_by_itself(activity: Activity, version_named: bool) -> None:
    hour = next(hour for hour in ONE_OF_EACH if hour.activity is activity)
    history = live([replace(hour, version_named=version_named)])
    rows = judge_all(history, policy_at(history.settled + GRACE))
    assert {written(row) for row in rows} == history.writes
    assert {row.verdict for row in rows} <= {Verdict.VERIFIED}


def test_a_record_that_never_comes_is_one_page() -> None:
    """The suite is not deaf: the same day with one record taken away."""
    history = live(ONE_OF_EACH)
    poorer = replace(history, records=history.records[1:])
    rows = judge_all(poorer, policy_at(history.settled + GRACE))
    assert verdicts(rows) == {Verdict.VERIFIED: len(history.writes) - 1, Verdict.UNRECORDED: 1}


def test_a_log_that_never_comes_is_a_page_for_each_write_in_it() -> None:
    history = live(ONE_OF_EACH)
    poorer = replace(history, logs=history.logs[1:])
    rows = judge_all(poorer, policy_at(history.settled + GRACE))
    assert verdicts(rows) == {Verdict.VERIFIED: len(history.writes) - 1, Verdict.UNWITNESSED: 1}


def test_a_writer_who_is_not_declared_is_a_page_for_each_of_his_writes() -> None:
    history = live(ONE_OF_EACH)
    policy = policy_at(history.settled + GRACE)
    rows = judge_all(history, replace(policy, writers={**policy.writers, "silver": ()}))
    silver = sum(write.bucket == "processed" for write in history.writes)
    # Clearing away working files is no longer a declared writer's business either, and the call
    # that clears many at once is a finding by itself.
    assert verdicts(rows) == {
        Verdict.VERIFIED: len(history.writes) - silver,
        Verdict.UNEXPECTED_PRINCIPAL: silver,
        Verdict.REMOVED: 4,
    }


def test_a_role_that_somebody_assumed_is_a_page_for_each_write_in_its_session() -> None:
    """The suite is not deaf: the same day, but for who took Glue's role."""
    history = live(ONE_OF_EACH)
    insider = {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/insider"}

    def taken(log: LogFile) -> LogFile:
        return replace(
            log,
            records=tuple(
                {**record, "userIdentity": insider}
                if record["eventName"] == "AssumeRole"
                and record["requestParameters"]["roleArn"] == GLUE
                else record
                for record in log.records
            ),
        )

    tampered = replace(history, logs=tuple(map(taken, history.logs)))
    rows = judge_all(tampered, policy_at(history.settled + GRACE))
    told = [row for row in rows if row.verdict not in SETTLED]
    assert {row.principal_arn for row in told} == {insider["arn"]}
    silver = sum(write.bucket == "processed" for write in history.writes)
    # His statement among the lineage is one more.
    assert Counter(row.verdict for row in told) == {
        Verdict.UNEXPECTED_PRINCIPAL: silver + 1,
        Verdict.REMOVED: 4,
    }


def test_a_deployment_by_somebody_who_does_not_deploy_is_a_page_for_each_change() -> None:
    """The suite is not deaf: the same day, but for who may deploy."""
    history = live(ONE_OF_EACH)
    policy = replace(policy_at(history.settled + GRACE), deployers=())
    rows = [row for row in judge_all(history, policy) if row.verdict not in SETTLED]
    assert {row.pipeline_layer for row in rows} <= {"control", "bronze"}
    # Of two deployments, what CloudFormation calls for an engineer and in its own role, and his
    # order to it.
    assert verdicts(rows) == {Verdict.CONTROL_CHANGED: 2 * (10 + 8 + 1)}


def test_a_key_that_somebody_made_for_an_uploader_is_a_page_for_itself_and_each_upload() -> None:
    """The suite is not deaf: the same day, but for who made the uploader's new key."""
    history = live(ONE_OF_EACH)
    insider = {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/insider"}
    tampered = replace(
        history,
        logs=tuple(
            replace(
                log,
                records=tuple(
                    {**record, "userIdentity": insider}
                    if record["eventName"] == "CreateAccessKey"
                    else record
                    for record in log.records
                ),
            )
            for log in history.logs
        ),
    )
    rows = judge_all(tampered, policy_at(history.settled + GRACE))
    told = [row for row in rows if row.verdict not in SETTLED]
    assert {row.principal_arn for row in told} == {insider["arn"]}
    # The key, the old one's end in its session, and one upload with it.
    assert verdicts(told) == {Verdict.CONTROL_CHANGED: 2, Verdict.UNEXPECTED_PRINCIPAL: 1}


def test_a_table_that_others_make_or_move_a_partition_of_is_a_page() -> None:
    history = live(ONE_OF_EACH)
    policy = replace(policy_at(history.settled + GRACE), catalog_writers=())
    rows = [row for row in judge_all(history, policy) if row.verdict not in SETTLED]
    # Two made a table and moved a partition: Airflow, and an engineer as Airflow.
    assert {row.pipeline_layer for row in rows} == {"catalog", "control"}
    assert verdicts(rows) == {Verdict.CONTROL_CHANGED: 2, Verdict.UNEXPECTED_PRINCIPAL: 2}
