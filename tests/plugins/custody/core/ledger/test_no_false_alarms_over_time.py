"""Nobody is paged while runs judge again and again, some days late, and every hour is closed.

The runs follow the chain (`custody.core.runs.chain`), and each reads what its window needs
(`Window.evidence`) of what has arrived by then. CloudTrail may be two days late, the recorder's key
away for half a day, and Airflow for longer; deployments replace a key and change who may upload.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.plugins.custody.core.ledger.test_no_false_alarms import repeatable
from tests.support.honest.drawn import histories, seasons
from tests.support.honest.evidence import History
from tests.support.honest.hours import HOURS_A_DAY, PROMPT, Activity, Hour, hours_of
from tests.support.honest.judging import (
    GRACE,
    in_order,
    judge_window,
    runs,
    written,
)
from tests.support.honest.places import START
from tests.support.honest.platform import live
from tests.support.honest.seasons import CALM, NEVER, Season
from tests.support.honest.witnesses import LOG_SLOT
from tests.support.thoroughness import THOROUGH

from custody.core.ledger.hours.windows import Window
from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.verdicts import SETTLED, Verdict
from custody.core.runs.chain import DIGEST_DUE, SWEPT_EVERY, Reached
from custody.core.runs.whole_hours import HOUR, floor_hour
from custody.core.trail.span import LATEST_DELIVERY

DAYS: int = 3
JUDGED_HOURS = 10_080 if THOROUGH else 432

away = st.lists(st.sampled_from([1, 1, 1, 2, 5, 12, 30, 100]), min_size=1, max_size=60)
"""Hours between two runs of the first days; then they come every six hours."""


def table_of(
    history: History, hours: int, gaps: Sequence[int], season: Season = CALM
) -> list[LedgerRow]:
    """What the table says of the hours once they are closed, where no run paged anybody."""
    table: dict[object, list[LedgerRow]] = {}
    now = START
    for run in runs(history, hours, gaps, season):
        paged = [row for row in run.rows if row.verdict not in SETTLED]
        assert not paged, (run.window, paged)
        for hour in run.window.hours:
            table[hour] = [row for row in run.rows if floor_hour(row.event_time) == hour]
        now = run.window.as_of
    patience = LATEST_DELIVERY + DIGEST_DUE + SWEPT_EVERY + (season.kms_hours + 10) * HOUR
    assert now < START + (hours + sum(gaps)) * HOUR + len(gaps) * HOUR + patience
    return [row for rows in table.values() for row in rows]


def met_with(
    days: list[Hour], gaps: list[int], season: Season, history: History
) -> Iterator[tuple[str, bool]]:
    """What may page somebody without need, and whether it is in a history."""
    done = [hour for hour in days if hour.activity is not Activity.NOTHING]
    late = any(hour.event_delay > 40 * 3600 for hour in done)
    yield "CloudTrail is nearly two days late", late
    yield "Airflow is away for half a day", max(gaps) >= 12
    yield "KMS is away for hours", season.kms_hours >= 6
    yield "the recorder notes that a record is late", bool(history.notes)
    yield "a key and people are replaced, each by a deployment", len(season.deployments) == 3
    yield "thirty days are built anew", season.backfill != NEVER
    for activity in Activity:
        yield activity, any(hour.activity is activity for hour in days)


def test_nobody_is_paged_however_late_cloudtrail_is_and_airflow_was_away() -> None:
    """And in the end all that was done is VERIFIED."""
    judged, met = 0, dict[str, bool]()

    @settings(repeatable, max_examples=-(-JUDGED_HOURS // (DAYS * HOURS_A_DAY)))
    @given(histories(PROMPT, events=LATEST_DELIVERY - LOG_SLOT, days=DAYS), away, seasons(DAYS))
    def holds(days: list[Hour], gaps: list[int], season: Season) -> None:
        nonlocal judged
        history = live(days, season)
        rows = table_of(history, len(days), gaps, season)
        assert {row.verdict for row in rows} <= {Verdict.VERIFIED}
        assert in_order(map(written, rows)) == in_order(history.writes)
        judged += len(days)
        for name, is_met in met_with(days, gaps, season, history):
            met[name] = is_met or met.get(name, False)

    holds()
    assert judged >= JUDGED_HOURS
    assert all(met.values()), met


def test_a_backfill_of_thirty_days_pages_nobody() -> None:
    """Airflow was away for all of them, and judges them window by window, the oldest first."""
    days = 30
    busy = hours_of(Activity.SPARK, days * HOURS_A_DAY, event_delay=40 * 3600)
    history = live(
        replace(hour, activity=Activity.NOTHING) if number % HOURS_A_DAY else hour
        for number, hour in enumerate(busy)
    )
    rows = table_of(history, len(busy), [len(busy), *[1] * days])
    assert {row.verdict for row in rows} == {Verdict.VERIFIED}
    assert in_order(map(written, rows)) == in_order(history.writes)
    # Who then asks for them once more, by hand, finds the same.
    now = START + (len(busy) + 100) * HOUR
    closed = Reached(now, now, START + len(busy) * HOUR)
    again = [
        row
        for day in range(0, days, 3)
        for row in judge_window(
            history,
            Window(START + day * 24 * HOUR, START + (day + 3) * 24 * HOUR, now, GRACE),
            closed,
        )
    ]
    assert sorted(map(repr, again)) == sorted(map(repr, rows))


def test_an_event_that_never_comes_is_a_page_once_the_hour_is_closed() -> None:
    """The suite is not deaf: the same, but for one log file."""
    history = live(hours_of(Activity.UPLOAD, 3, deliveries=1))
    poorer = replace(history, logs=history.logs[2:])
    now = START + 3 * HOUR + LATEST_DELIVERY
    window = Window(START, START + 3 * HOUR, now, GRACE)
    nothing = Reached.nothing(START)
    early = judge_window(poorer, replace(window, as_of=now - 4 * HOUR), nothing)
    assert {row.verdict for row in early} == {Verdict.PENDING, Verdict.VERIFIED}
    late = {row.verdict for row in judge_window(poorer, window, nothing)}
    assert late == {Verdict.UNWITNESSED, Verdict.VERIFIED}
    # Who then asks for more time is given none.
    closed = Reached(window.end, window.end, window.end)
    asking = replace(window, as_of=now - 4 * HOUR, delivery=LATEST_DELIVERY)
    assert {row.verdict for row in judge_window(poorer, asking, closed)} == late
