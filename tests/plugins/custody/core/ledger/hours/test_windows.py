"""Windows cover every hour once, and read every partition that can hold what happened in them."""

import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.core.ledger.hours.windows import (
    BadWindow,
    Window,
    after_beginning,
    audit_window,
    dataset_day,
    reconcile_window,
)
from custody.core.runs.chain import Reached
from custody.core.runs.whole_hours import MAX_HOURS

HOUR = timedelta(hours=1)


def at(hour, minute=0, day=1):
    return datetime(2026, 11, day, hour, minute, tzinfo=UTC)


AS_OF = at(9, 35, day=2)


def hours(start, end, as_of=AS_OF, grace_minutes=30):
    return Window(start, end, as_of, timedelta(minutes=grace_minutes))


def asked(**others):
    return {
        "window_start": None,
        "window_end": None,
        "grace_minutes": 30,
        "delivery_hours": 48,
        "lookback_hours": 0,
    } | others


def from_interval(start, end, grace_minutes=30, lookback_hours=0, reached=None, **others):
    return reconcile_window(
        asked(grace_minutes=grace_minutes, lookback_hours=lookback_hours, **others),
        interval_start=start,
        interval_end=end,
        as_of=AS_OF,
        reached=reached,
    )


def given_as(start, end, grace_minutes=30):
    named = {"window_start": start, "window_end": end, "lookback_hours": 3}
    return reconcile_window(
        asked(grace_minutes=grace_minutes, **named),
        interval_start=None,
        interval_end=None,
        as_of=AS_OF,
        reached=Reached.nothing(at(0)),
    )


@pytest.mark.parametrize(
    ("grace_minutes", "expected"),
    [(0, at(6)), (30, at(6)), (35, at(6)), (36, at(5)), (95, at(5)), (96, at(4))],
)
def test_the_window_is_over_for_the_grace_period_when_the_interval_ends(grace_minutes, expected):
    window = from_interval(at(6, 35), at(7, 35), grace_minutes)
    assert window == hours(expected, expected + HOUR, grace_minutes=grace_minutes)


@given(
    start=st.integers(0, 500_000).map(lambda minutes: at(0) + timedelta(minutes=minutes)),
    grace=st.integers(0, 1440),
    count=st.integers(1, 20),
)
def test_intervals_that_meet_give_windows_that_meet(start, grace, count):
    windows = [from_interval(start + n * HOUR, start + (n + 1) * HOUR, grace) for n in range(count)]
    covered = [hour for window in windows for hour in window.hours]
    assert covered == [windows[0].start + n * HOUR for n in range(count)]
    assert windows[-1].end + timedelta(minutes=grace) <= start + count * HOUR


def test_the_hours_before_are_judged_once_more_but_not_before_a_window_given():
    assert from_interval(at(7, 35), at(8, 35), lookback_hours=3) == hours(at(4), at(8))
    assert given_as("2026-11-01T06:00:00Z", "2026-11-01T08:00:00Z") == hours(at(6), at(8))


def test_a_window_may_be_given_in_any_zone():
    expected = hours(at(6), at(8))
    assert given_as("2026-11-01T06:00:00Z", "2026-11-01T08:00:00+00:00") == expected
    assert given_as("2026-11-01T07:00:00+01:00", "2026-11-01T03:00:00-05:00") == expected


def test_an_interval_may_come_in_any_zone():
    zone = timezone(timedelta(hours=5))
    start, end = at(6, 35).astimezone(zone), at(7, 35).astimezone(zone)
    assert from_interval(start, end) == hours(at(6), at(7))


@pytest.mark.parametrize(
    ("start", "end", "problem"),
    [
        ("2026-11-01T06:30:00Z", "2026-11-01T08:00:00Z", "start 2026-11-01T06:30.* whole hour"),
        ("2026-11-01T06:00:00Z", "2026-11-01T08:00:01Z", "end 2026-11-01T08:00:01.* whole hour"),
        ("2026-11-01T06:00:00Z", "2026-11-01T06:00:00Z", "empty"),
        ("2026-11-01T06:00:00Z", "2026-11-01T05:00:00Z", "empty"),
        ("2026-11-01T06:00:00Z", "2026-11-05T07:00:00Z", "97 hours, more than 96"),
        ("2026-11-01T06:00:00", "2026-11-01T08:00:00Z", "window_start .* no time zone"),
        ("yesterday", "2026-11-01T08:00:00Z", "window_start is 'yesterday'"),
        ("2026-11-01T06:00:00Z", None, "together, or neither"),
        (None, "2026-11-01T06:00:00Z", "together, or neither"),
        (None, None, "no data interval"),
    ],
)
def test_a_window_that_cannot_be_is_refused(start, end, problem):
    with pytest.raises(BadWindow, match=problem):
        given_as(start, end)


@pytest.mark.parametrize("grace_minutes", [-1, 1441])
def test_a_grace_period_has_bounds(grace_minutes):
    with pytest.raises(BadWindow, match="grace_minutes"):
        from_interval(at(6), at(7), grace_minutes)


@pytest.mark.parametrize("delivery_hours", [-1, 49])
def test_so_has_the_time_in_which_an_event_may_come(delivery_hours):
    with pytest.raises(BadWindow, match="delivery_hours"):
        from_interval(at(6), at(7), delivery_hours=delivery_hours)


def test_hours_that_no_run_has_judged_are_owed_to_the_next():
    reached = Reached(at(3), at(3), at(1))
    assert from_interval(at(9, 35), at(10, 35), lookback_hours=2, reached=reached) == hours(
        at(1), at(10)
    )


def test_the_longest_window_fits_one_unload():
    window = hours(at(0), at(0) + MAX_HOURS * HOUR)
    assert len(window.partitions()) == MAX_HOURS < 100


def test_parameters_name_the_partitions_of_the_window():
    window = hours(at(22), at(2, day=2), as_of=at(2, 35, day=2))
    assert window.parameters() == {
        "start": "2026-11-01 22:00:00.000",
        "end": "2026-11-02 02:00:00.000",
        "as_of": "2026-11-02 02:35:00.000",
        "grace_minutes": 30,
        "delivery_minutes": 2880,
        "first_dt": "2026-11-01",
        "last_dt": "2026-11-02",
        "first_hour": "2026-11-01 22",
        "last_hour": "2026-11-02 01",
    }
    assert window.partitions() == [
        ("2026-11-01", "22"),
        ("2026-11-01", "23"),
        ("2026-11-02", "00"),
        ("2026-11-02", "01"),
    ]


def test_a_window_that_ends_at_midnight_does_not_reach_into_the_next_day():
    window = hours(at(23), at(0, day=2))
    parameters = window.parameters()
    assert parameters["last_dt"] == "2026-11-01"
    assert parameters["last_hour"] == "2026-11-01 23"
    assert window.days == (date(2026, 11, 1),)


def test_a_window_that_begins_at_midnight_reads_what_came_just_before():
    window = hours(at(0), at(1))
    assert window.record_days == (date(2026, 10, 31), date(2026, 11, 1))
    assert window.evidence().start == datetime(2026, 10, 31, 23, tzinfo=UTC)


def test_a_window_within_a_day_needs_the_records_of_that_day_alone():
    assert hours(at(8), at(12)).record_days == (date(2026, 11, 1),)
    assert hours(at(20), at(0, day=2)).record_days == (date(2026, 11, 1), date(2026, 11, 2))


def test_the_trail_is_read_until_the_records_are_written():
    window = hours(at(8), at(12))
    assert window.evidence().end == at(14)
    assert window.evidence(latest_record=at(13)).end == at(14)
    assert window.evidence(latest_record=at(20)).end == at(21)


@given(
    start=st.integers(0, 1_000).map(lambda count: at(0) + count * HOUR),
    count=st.integers(1, MAX_HOURS),
    late=st.integers(0, 10**9).map(lambda count: timedelta(milliseconds=count)),
    grace=st.integers(0, 1440),
)
def test_a_window_is_read_back_from_its_parameters(start, count, late, grace):
    end = start + count * HOUR
    window = hours(start, end, as_of=end + late, grace_minutes=grace)
    assert Window.of(json.loads(json.dumps(window.parameters()))) == window


def test_parameters_that_are_no_window_are_refused():
    parameters = hours(at(0), at(1)).parameters()
    with pytest.raises(BadWindow, match=r"window start .* whole hour"):
        Window.of(parameters | {"start": "2026-11-01 00:30:00.000"})


def test_the_day_is_the_one_given_or_the_partition_or_the_one_before_the_intervals_end():
    late = datetime(2026, 11, 2, 23, tzinfo=timezone(timedelta(hours=-3)))
    assert dataset_day("2026-11-03", None, late) == "2026-11-03"
    assert dataset_day("2026-11-03", "2026-11-03", None) == "2026-11-03"
    assert dataset_day(None, "2026-11-05", late) == "2026-11-05"
    assert dataset_day(None, None, late) == "2026-11-02"
    # Of a whole day, as runs had it; of no length, as those have it that somebody starts.
    assert dataset_day("", None, at(0, day=2)) == "2026-11-01"
    assert dataset_day("", None, at(5, day=2)) == "2026-11-01"


def test_a_run_of_one_day_builds_no_other():
    with pytest.raises(BadWindow, match="the run is for 2026-11-01: trigger a run for 2026-11-03"):
        dataset_day("2026-11-03", "2026-11-01", None)


def test_hours_are_counted_from_the_beginning_of_a_day():
    assert after_beginning("2026-11-01", 0) == at(0)
    assert after_beginning("2026-11-01", 30) == at(6, day=2)


@pytest.mark.parametrize(
    ("dt", "problem"),
    [
        ("2026-11-31", "must be a day"),
        ("20261101", "must be written 2026-11-01"),
        ("2026-11-01/../x", "must be a day"),
        (None, "give dt"),
    ],
)
def test_what_is_no_day_is_refused(dt, problem):
    with pytest.raises(BadWindow, match=problem):
        dataset_day(dt, None, None)
    with pytest.raises(BadWindow, match=problem):
        dataset_day(None, dt, None)


def test_an_audit_is_told_its_moment_its_partition_and_what_it_watches():
    order = audit_window(as_of=at(3, day=3), grace_minutes=180, sample_days=2, days=5)
    assert (order["as_of"], order["grace_minutes"]) == ("2026-11-03T03:00:00.000Z", 180)
    assert (order["sample_days"], order["days"]) == (2, 5)
    assert order["partition"] == ("2026-11-03", "03")
    assert (order["first_dt"], order["first_hour"], order["last_hour"]) == (
        "2026-11-03",
        "2026-11-03 03",
        "2026-11-03 03",
    )
    # Read on day n at the latest, and the day after if an audit was late.
    assert order["watched"] == [("2026-11-03",), ("2026-11-02",), ("2026-11-01",), ("2026-10-31",)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"sample_days": 0},
        {"sample_days": 91},
        {"days": 0},
        {"grace_minutes": -1},
        {"grace_minutes": 10_081},
    ],
)
def test_an_audit_reads_everything_within_a_quarter(wrong):
    (name,) = wrong
    with pytest.raises(BadWindow, match=f"{name.removesuffix('_minutes')} is"):
        audit_window(**{"as_of": at(3), "grace_minutes": 0, "sample_days": 1, "days": 1} | wrong)


NOW = at(9, 36, day=2)


@pytest.mark.parametrize("as_of", [NOW, NOW + timedelta(minutes=5), NOW - timedelta(days=1)])
def test_a_run_judges_as_things_stand_when_it_is_started(as_of):
    hours(at(6), at(7), as_of=as_of).check(NOW)


@pytest.mark.parametrize(
    ("window", "why"),
    [
        # Hours that have not come would pass for judged, and for closed.
        (hours(at(6), at(12), as_of=at(13, day=2)), "as_of is 2026-11-02T13:00"),
        # Whoever looks at old hours only keeps the alarm about missing runs quiet.
        (hours(at(6), at(7), as_of=at(9, 35, day=1)), "start the run anew"),
        (hours(at(6), at(7), grace_minutes=1441), "grace is 1 day, 0:01:00"),
        (hours(at(6), at(7), grace_minutes=-1), "grace is"),
        (Window(at(6), at(7), AS_OF, HOUR, 49 * HOUR), "delivery is 2 days, 1:00:00"),
    ],
)
def test_a_run_is_not_asked_for_another_time_or_for_more_patience(window, why):
    """Airflow proposes a window in an XCom, which its users edit."""
    with pytest.raises(BadWindow, match=why):
        window.check(NOW)
