"""Which hours and days a run is of, and who asked for it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from airflow.sdk.exceptions import AirflowFailException
from tests.support.judging_dags import TRY, SealKms, dag_run
from tests.support.judging_runs import RUN
from tests.support.transparency import OTHER_SIGNER

from custody.core.runs.chain import Link, Reached
from custody.core.runs.report import asked_for


def reconcile_params(**given):
    return {
        "window_start": None,
        "window_end": None,
        "grace_minutes": 30,
        "delivery_hours": 48,
        "lookback_hours": 3,
    } | given


@pytest.fixture
def propose(runs, function):
    """`propose(params, run)`: what the task proposes, given the runs that there were."""
    task = function("provenance_reconcile", "window", s3=runs.s3, kms=SealKms())
    return lambda params, run: task(runs.judge, params, run, TRY)


def test_the_window_follows_the_interval(propose, caplog):
    run = dag_run(
        datetime(2026, 11, 1, 6, 35, tzinfo=UTC), datetime(2026, 11, 1, 7, 35, tzinfo=UTC)
    )
    window = propose(reconcile_params(), run)
    assert (window["start"], window["end"]) == (
        "2026-11-01 03:00:00.000",
        "2026-11-01 07:00:00.000",
    )
    said = "4 hours, from 2026-11-01 03:00:00+00:00 to 2026-11-01 07:00:00+00:00"
    assert caplog.messages[-1] == said


def test_hours_that_were_missed_are_proposed_first(runs, propose):
    run = dag_run(
        datetime(2026, 11, 5, 6, 35, tzinfo=UTC), datetime(2026, 11, 5, 7, 35, tzinfo=UTC)
    )
    at = datetime(2026, 11, 2, tzinfo=UTC)
    runs.state(replace(RUN, as_of=at + timedelta(minutes=35)), Link(Reached(at, at, at), None))
    later = datetime.now(UTC) + timedelta(days=1)
    planted = Link(Reached(later, later, later), None)
    runs.state(replace(RUN, id="jr_7", as_of=later), planted)
    runs.state(replace(RUN, id="jr_8", as_of=at + timedelta(days=1)), planted, OTHER_SIGNER)
    window = propose(reconcile_params(), run)
    assert (window["start"], window["end"]) == (
        "2026-11-01 21:00:00.000",
        "2026-11-05 07:00:00.000",
    )


def test_the_window_given_wins(propose):
    run = dag_run()
    params = reconcile_params(
        window_start="2026-11-01T22:00:00+00:00", window_end="2026-11-02T01:00:00Z"
    )
    window = propose(params, run)
    assert window["last_dt"] == "2026-11-02"


def test_a_run_is_told_who_asked_for_it_and_how(propose, function):
    """It signs that, as a claim: Airflow's own log is its administrator's."""
    by_hand = dag_run(run_type="manual", triggering_user_name="operator", clear_number=2)
    given = reconcile_params(
        window_start="2026-11-01T06:00:00Z", window_end="2026-11-01T07:00:00Z", grace_minutes=1440
    )
    asked = propose(given, by_hand)["asked"]
    assert asked == {
        "run": by_hand.run_id,
        "type": "manual",
        "by": "operator",
        "params": given,
        "cleared": 2,
        "try": 1,
    }
    params = {"grace_minutes": 180, "sample_days": 28, "days": 2}
    order = function("custody_audit", "window")(params, by_hand, TRY)
    assert (order["asked"]["by"], order["asked"]["params"]) == ("operator", params)
    assert json.loads(asked_for(order)) == order["asked"]


@pytest.mark.parametrize(
    ("start", "end", "why"),
    [
        (None, None, "no data interval"),
        ("2026-11-01T06:00:00Z", None, "together"),
        (None, "2026-11-01T06:00:00Z", "together"),
        ("2026-11-01T06:00:00Z", "2026-11-01T05:00:00Z", "must be later"),
        ("2026-11-01T06:00:00Z", "2026-11-05T07:00:00Z", "more than 96"),
        ("2026-02-30T06:00:00Z", "2026-11-05T07:00:00Z", "window_start is"),
    ],
)
def test_a_window_that_cannot_be_worked_on_is_not_tried_again(propose, start, end, why):
    run = dag_run()
    params = reconcile_params(window_start=start, window_end=end)
    with pytest.raises(AirflowFailException, match=why):
        propose(params, run)


def test_an_audit_that_looks_back_too_far_is_not_tried_again(function):
    params = {"grace_minutes": 180, "sample_days": 28, "days": 365}
    with pytest.raises(AirflowFailException, match="days is 365"):
        function("custody_audit", "window")(params, dag_run(), TRY)


def test_an_audit_is_of_now_and_watches_what_it_may_resolve(function, caplog):
    params = {"grace_minutes": 180, "sample_days": 28, "days": 2}
    window = json.loads(json.dumps(function("custody_audit", "window")(params, dag_run(), TRY)))
    moment = datetime.fromisoformat(window["as_of"])
    assert window["partition"] == [f"{moment:%Y-%m-%d}", f"{moment:%H}"]
    assert (window["first_dt"], window["first_hour"][-2:]) == tuple(window["partition"])
    assert len(window["watched"]) == 30
    assert (window["sample_days"], window["days"], window["grace_minutes"]) == (28, 2, 180)
    as_of = f"as of {window['as_of']}: one version in 28 is read again, 2 days are sealed"
    assert caplog.messages == [as_of]
