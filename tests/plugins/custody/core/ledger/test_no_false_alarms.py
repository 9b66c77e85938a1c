"""Nobody is paged for what honest people do, however late and disorderly the evidence comes.

Every property runs over days that `honest_history` invents, and judges them as the reconciliation
does: logs are read, deliveries merged, envelopes verified.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.honest_history import (
    AIRFLOW,
    DAYS_LATE,
    DEPLOYMENT,
    ENGINEER,
    GLUE,
    HOURS_A_DAY,
    LAYERS,
    PROMPT,
    PROVENANCE,
    RECORDER,
    START,
    UPLOADERS,
    Activity,
    History,
    Hour,
    LogFile,
    Write,
    histories,
    live,
)
from tests.support.thoroughness import THOROUGH

from custody.core.ledger.attribution import attribute, calls_of
from custody.core.ledger.kinds.control_changes import control_rows
from custody.core.ledger.kinds.defects import malformed_record_row
from custody.core.ledger.kinds.lineage import is_statement, rows_of_statements
from custody.core.ledger.kinds.undeclared import batch_rows, catalog_rows, unread_record_rows
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.stored_records import found_records, is_notable_write, noted_late
from custody.core.ledger.verdicts import SETTLED, Verdict
from custody.core.ledger.versions import histories as objects_of
from custody.core.ledger.versions import rows_of
from custody.core.lineage.model import LINEAGE_PREFIX
from custody.core.records.names import LATE_PREFIX
from custody.core.trail.events import TrailEvent, merge
from custody.core.trail.log_files import read_log
from custody.core.trail.management_events import ManagementEvent
from custody.core.trail.principals import Principal, better_known

GRACE = timedelta(minutes=30)
HONEST_HOURS = 14_000 if THOROUGH else 3_400
HONEST_WRITES = 10_000 if THOROUGH else 2_500

repeatable = settings(
    derandomize=True,
    database=None,
    deadline=None,
    # A day is much to draw, and is drawn fast enough.
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def ledger(history: History, policy: Policy, order: random.Random | None = None) -> list[LedgerRow]:
    """The ledger, judged from what has arrived by `policy.as_of` and read in some `order`."""
    at = policy.as_of
    logs = [log for log in history.logs if log.delivered <= at]
    envelopes = [envelope for envelope in history.records if envelope.stored_at <= at]
    if order:
        order.shuffle(logs)
        order.shuffle(envelopes)
    deliveries: defaultdict[str, list[TrailEvent]] = defaultdict(list)
    principals: dict[str, Principal] = {}
    told: list[ManagementEvent] = []
    for log in logs:
        read = read_log(log.content(order), log=log.name, proven=log.vouched <= at)
        assert read.problems == ()
        for event in read.events:
            deliveries[event.event_id].append(event)
        told += read.calls
        for id_, who in read.principals.items():
            principals[id_] = better_known(principals.get(id_, who), who)
    calls, taken = calls_of(told, policy)
    events = [attribute(merge(copies), taken) for copies in deliveries.values()]
    notable = (event for event in events if is_notable_write(event, policy))
    records = found_records(envelopes, notable, policy)
    rows = [malformed_record_row(record, policy) for record in records.malformed]
    for write in records.unread:
        rows += unread_record_rows(write, policy)
    noted = {late for event in events if (late := noted_late(event, policy))}
    for found in objects_of(events, records.records):
        rows += rows_of(found, policy, principals, noted)
    stated = [event for event in events if is_statement(event, policy)]
    rows += rows_of_statements([], stated, policy)  # what they say is well
    for event in events:
        rows += batch_rows(event, policy)
    for call in calls:
        rows += catalog_rows(call, policy)
    return [*rows, *control_rows(calls, policy)]


def policy_at(at: datetime) -> Policy:
    return Policy(
        as_of=at,
        grace=GRACE,
        layers={**LAYERS, PROVENANCE: "provenance"},
        writers={"bronze": UPLOADERS, "silver": (GLUE,), "gold": (GLUE,)},
        recorders=(RECORDER,),
        prefix_writers={LINEAGE_PREFIX: (GLUE,), LATE_PREFIX: (RECORDER,)},
        assumed_by={GLUE: (), RECORDER: (), AIRFLOW: (ENGINEER,), DEPLOYMENT: ()},
        trail="custody-local",
        database="custody_local",
        catalog_writers=(AIRFLOW,),
        deployment="custody-local",
        deployers=(ENGINEER, DEPLOYMENT),
        named={
            "bucket": frozenset({*LAYERS, PROVENANCE}),
            "database": frozenset({"custody_local"}),
            "user": frozenset(arn.rpartition("/")[2] for arn in (*UPLOADERS, ENGINEER)),
        },
        control_writers={("job", "runs"): (AIRFLOW,)},
    )


def written(row: LedgerRow) -> Write:
    """What a row tells of a write."""
    assert row.principal_arn is not None
    assert row.sha256 is not None
    assert row.size_bytes is not None
    return Write(
        row.bucket, row.object_key, row.version_id, row.principal_arn, row.sha256, row.size_bytes
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
        rows = ledger(history, policy_at(history.settled + GRACE))
        assert {row.verdict for row in rows} <= {Verdict.VERIFIED}
        assert sorted(map(repr, map(written, rows))) == sorted(map(repr, history.writes))
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
    """At no moment, and what is once VERIFIED stays it."""
    history = live(day)
    verified: set[Write] = set()
    for at in moments:
        rows = ledger(history, policy_at(at))
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
        assert {row.verdict for row in ledger(history, policy_at(at))} <= SETTLED


@settings(repeatable, max_examples=100 if THOROUGH else 25)
@given(histories(DAYS_LATE), instants)
def test_lateness_is_never_taken_for_a_lie(day: list[Hour], moments: list[datetime]) -> None:
    """A witness that is later than grace is missed, never said to contradict the other."""
    history = live(day)
    for at in moments:
        rows = ledger(history, policy_at(at))
        assert {row.verdict for row in rows} <= {*SETTLED, Verdict.UNRECORDED, Verdict.UNWITNESSED}


@settings(repeatable, max_examples=100 if THOROUGH else 25)
@given(histories(DAYS_LATE), instants, st.integers(0, 2**32))
def test_verdicts_do_not_depend_on_the_order_of_arrival(
    day: list[Hour], moments: list[datetime], seed: int
) -> None:
    history = live(day)
    order = random.Random(seed)  # noqa: S311 - a repeatable order, no secret
    for at in moments[-1], history.settled + GRACE:
        assert sorted(map(repr, ledger(history, policy_at(at), order))) == sorted(
            map(repr, ledger(history, policy_at(at)))
        )


DAY = [
    Hour(
        activity=activity,
        who=0,
        key=0,
        layer="processed",
        second=0,
        event_delay=60,
        record_delay=2,
        addendum_delay=120,
        deliveries=2,
        notifications=2,
        version_named=True,
        late=(),
        dialect=0,
    )
    for activity in Activity
]
"""One hour of each kind."""


@pytest.mark.parametrize("activity", Activity)
@pytest.mark.parametrize("version_named", [True, False])
def test_each_activity_by_itself(activity: Activity, version_named: bool) -> None:
    hour = next(hour for hour in DAY if hour.activity is activity)
    history = live([replace(hour, version_named=version_named)])
    rows = ledger(history, policy_at(history.settled + GRACE))
    assert {written(row) for row in rows} == history.writes
    assert {row.verdict for row in rows} <= {Verdict.VERIFIED}


def test_a_record_that_never_comes_is_one_page() -> None:
    """The suite is not deaf: the same day with one record taken away."""
    history = live(DAY)
    poorer = replace(history, records=history.records[1:])
    rows = ledger(poorer, policy_at(history.settled + GRACE))
    assert verdicts(rows) == {Verdict.VERIFIED: len(history.writes) - 1, Verdict.UNRECORDED: 1}


def test_a_log_that_never_comes_is_a_page_for_each_write_in_it() -> None:
    history = live(DAY)
    poorer = replace(history, logs=history.logs[1:])
    rows = ledger(poorer, policy_at(history.settled + GRACE))
    assert verdicts(rows) == {Verdict.VERIFIED: len(history.writes) - 1, Verdict.UNWITNESSED: 1}


def test_a_writer_who_is_not_declared_is_a_page_for_each_of_his_writes() -> None:
    history = live(DAY)
    policy = policy_at(history.settled + GRACE)
    rows = ledger(history, replace(policy, writers={**policy.writers, "silver": ()}))
    silver = sum(write.bucket == "processed" for write in history.writes)
    # Clearing away working files is no longer a declared writer's business either.
    assert verdicts(rows) == {
        Verdict.VERIFIED: len(history.writes) - silver,
        Verdict.UNEXPECTED_PRINCIPAL: silver,
        Verdict.REMOVED: 3,
    }


def test_a_role_that_somebody_assumed_is_a_page_for_each_write_in_its_session() -> None:
    """The suite is not deaf: the same day, but for who took Glue's role."""
    history = live(DAY)
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
    rows = ledger(tampered, policy_at(history.settled + GRACE))
    told = [row for row in rows if row.verdict not in SETTLED]
    assert {row.principal_arn for row in told} == {insider["arn"]}
    silver = sum(write.bucket == "processed" for write in history.writes)
    # His statement among the lineage is one more.
    assert Counter(row.verdict for row in told) == {
        Verdict.UNEXPECTED_PRINCIPAL: silver + 1,
        Verdict.REMOVED: 3,
    }


def test_a_deployment_by_somebody_who_does_not_deploy_is_a_page_for_each_change() -> None:
    """The suite is not deaf: the same day, but for who may deploy."""
    history = live(DAY)
    policy = replace(policy_at(history.settled + GRACE), deployers=())
    rows = [row for row in ledger(history, policy) if row.verdict not in SETTLED]
    assert {row.pipeline_layer for row in rows} <= {"control", "bronze"}
    # What CloudFormation calls for an engineer and in its own role, and his order to it.
    assert verdicts(rows) == {Verdict.CONTROL_CHANGED: 2 * 7 + 1}


def test_a_key_that_somebody_made_for_an_uploader_is_a_page_for_itself_and_each_upload() -> None:
    """The suite is not deaf: the same day, but for who made the uploader's new key."""
    history = live(DAY)
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
    rows = ledger(tampered, policy_at(history.settled + GRACE))
    told = [row for row in rows if row.verdict not in SETTLED]
    assert {row.principal_arn for row in told} == {insider["arn"]}
    # The key, the old one's end in its session, and one upload with it.
    assert verdicts(told) == {Verdict.CONTROL_CHANGED: 2, Verdict.UNEXPECTED_PRINCIPAL: 1}


def test_a_table_that_others_make_or_move_a_partition_of_is_a_page() -> None:
    history = live(DAY)
    policy = replace(policy_at(history.settled + GRACE), catalog_writers=())
    rows = [row for row in ledger(history, policy) if row.verdict not in SETTLED]
    # Two made a table and moved a partition: Airflow, and an engineer as Airflow.
    assert {row.pipeline_layer for row in rows} == {"catalog", "control"}
    assert verdicts(rows) == {Verdict.CONTROL_CHANGED: 2, Verdict.UNEXPECTED_PRINCIPAL: 2}
