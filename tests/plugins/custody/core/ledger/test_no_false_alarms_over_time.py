"""Nobody is paged while runs judge again and again, some days late, and every hour is closed.

The runs follow the chain (`custody.core.ledger.hours.chain`), and each reads what its window needs
(`Window.evidence`) of what has arrived by then: CloudTrail may be two days late, and Airflow away
for half a day and more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plugins.custody.core.ledger.test_no_false_alarms import (
    GRACE,
    ledger,
    policy_at,
    repeatable,
    written,
)
from tests.support.honest_history import (
    HOURS_A_DAY,
    PROMPT,
    START,
    UPLOADERS,
    Activity,
    History,
    Hour,
    LogFile,
    histories,
    live,
)
from tests.support.thoroughness import THOROUGH

from custody.core.ledger.facts import day_filed
from custody.core.ledger.hours.chain import DIGEST_DUE, SWEPT_EVERY, Reached
from custody.core.ledger.hours.whole_hours import HOUR, floor_hour
from custody.core.ledger.hours.windows import Window
from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.verdicts import SETTLED, Verdict
from custody.core.trail.digests.document import LogFile as NamedLogFile
from custody.core.trail.span import LATEST_DELIVERY, Span

LOOKBACK = 3 * HOUR
RETIRED = START + 12 * HOUR
JUDGED_HOURS = 10_000 if THOROUGH else 360

away = st.lists(st.sampled_from([1, 1, 1, 2, 5, 12, 30, 100]), min_size=1, max_size=8)
"""Hours between two runs of the first days; then they come every six hours."""


def may_hold(log: LogFile, span: Span) -> bool:
    """Whether a run reads a log file, by what its digest says."""
    times = [datetime.fromisoformat(str(record["eventTime"])) for record in log.records]
    named = NamedLogFile("trail", log.name, "0" * 64, min(times), max(times))
    return span.may_hold(named) and log.delivered <= span.delivered_until


def evidence(history: History, window: Window) -> History:
    """What a run reads of a history for its window."""
    span = window.evidence()
    return replace(
        history,
        logs=tuple(log for log in history.logs if may_hold(log, span)),
        records=tuple(r for r in history.records if day_filed(r.stored.key) in window.record_days),
    )


def judge(history: History, window: Window, reached: Reached) -> list[LedgerRow]:
    policy = policy_at(window.as_of)
    policy = replace(
        policy,
        # One of them leaves the list in the middle of the first day.
        writers={**policy.writers, "bronze": UPLOADERS[1:]},
        retired={UPLOADERS[0]: RETIRED},
        delivery=window.delivery,
        recorded=reached.recorded,
        closed=reached.closed,
    )
    rows = ledger(evidence(history, window), policy)
    return [row for row in rows if window.start <= row.event_time < window.end]


def run_until_closed(history: History, hours: int, gaps: Iterable[int]) -> list[LedgerRow]:
    """Judge the hours run by run until they are closed; what the table says of them then."""
    reached, now = Reached.nothing(START), START
    end = START + hours * HOUR
    table: dict[datetime, list[LedgerRow]] = {}
    waits = iter([*gaps, *[6] * 100])
    while reached.closed < end:
        now += next(waits) * HOUR + timedelta(minutes=35)
        start, until = reached.owed(floor_hour(now - GRACE), LOOKBACK)
        window = Window(start, until, now, GRACE)
        found = judge(history, window, reached)
        assert {row.verdict for row in found} <= SETTLED, window
        for hour in window.hours:
            table[hour] = [row for row in found if floor_hour(row.event_time) == hour]
        reached = reached.after(
            start, until, as_of=now, grace=window.grace, delivery=window.delivery
        )
    assert now < end + sum(gaps) * HOUR + LATEST_DELIVERY + DIGEST_DUE + SWEPT_EVERY + 10 * HOUR
    return [row for rows in table.values() for row in rows]


def of_his_time(number: int, hour: Hour) -> Hour:
    """The uploader who left the list does nothing any more."""
    return replace(hour, who=1) if START + (number + 1) * HOUR > RETIRED else hour


def test_nobody_is_paged_however_late_cloudtrail_is_and_airflow_was_away() -> None:
    """And in the end all that was done is VERIFIED."""
    judged = 0

    @settings(repeatable, max_examples=-(-JUDGED_HOURS // HOURS_A_DAY))
    @given(histories(PROMPT, events=timedelta(hours=47)), away)
    def holds(day: list[Hour], gaps: list[int]) -> None:
        nonlocal judged
        history = live(of_his_time(number, hour) for number, hour in enumerate(day))
        rows = run_until_closed(history, len(day), gaps)
        assert {row.verdict for row in rows} <= {Verdict.VERIFIED}
        assert sorted(map(repr, map(written, rows))) == sorted(map(repr, history.writes))
        judged += len(day)

    holds()
    assert judged >= JUDGED_HOURS


def test_a_backfill_of_thirty_days_pages_nobody() -> None:
    hour = Hour(
        activity=Activity.SPARK,
        who=1,
        key=0,
        layer="processed",
        second=0,
        event_delay=40 * 3600,
        record_delay=60,
        addendum_delay=0,
        deliveries=1,
        notifications=1,
        version_named=True,
        late=(),
        dialect=0,
    )
    history = live(replace(hour, second=60 * day, key=day % 3) for day in range(30))
    rows = run_until_closed(history, 30, [1, 12, 100])
    assert {row.verdict for row in rows} == {Verdict.VERIFIED}
    assert len(rows) == len(history.writes) == 90


def test_an_event_that_never_comes_is_a_page_once_the_hour_is_closed() -> None:
    """The suite is not deaf: the same, but for one log file."""
    day = [
        Hour(Activity.UPLOAD, 1, n % 3, "processed", 0, 60, 2, 0, 1, 1, True, (), 0)
        for n in range(3)
    ]
    history = live(day)
    poorer = replace(history, logs=history.logs[2:])
    now = START + 3 * HOUR + LATEST_DELIVERY
    window = Window(START, START + 3 * HOUR, now, GRACE)
    nothing = Reached.nothing(START)
    early = judge(poorer, replace(window, as_of=now - 4 * HOUR), nothing)
    assert {row.verdict for row in early} == {Verdict.PENDING, Verdict.VERIFIED}
    late = {row.verdict for row in judge(poorer, window, nothing)}
    assert late == {Verdict.UNWITNESSED, Verdict.VERIFIED}
    # Who then asks for more time is given none.
    closed = Reached(window.end, window.end, window.end)
    asking = replace(window, as_of=now - 4 * HOUR, delivery=LATEST_DELIVERY)
    assert {row.verdict for row in judge(poorer, asking, closed)} == late
