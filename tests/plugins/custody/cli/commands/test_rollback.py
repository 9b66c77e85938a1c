"""`custody rollback`: whoever may start the DAG has an earlier run of a day shown again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.audited import ANALYTICS, DAY, PROVENANCE, SILVER_RUN, Platform

from custody.aws.publications.keeping import publish
from custody.cli.commands import rollback
from custody.console import lineages
from custody.core.publications.expiry import expiry_key
from custody.core.publications.model import Asked, Shown, Why
from custody.reading.deployment import Deployment

REASON = "the export was cut off"


class Mwaa:
    """Airflow behind MWAA, whose DAG publishes what it is asked for, or fails."""

    def __init__(self, s3: Any, *, fails: bool = False) -> None:
        self.s3 = s3
        self.fails = fails
        self.paused = False
        self.asked: list[dict[str, Any]] = []

    def invoke_rest_api(self, **call: Any) -> dict[str, Any]:
        if not call["Path"].partition("/dagRuns")[1]:
            return {"RestApiStatusCode": 200, "RestApiResponse": {"is_paused": self.paused}}
        self.asked.append(call)
        if call["Method"] == "POST":
            if not self.fails:
                show(self.s3, call["Body"]["conf"]["rollback_to"], call["Body"]["conf"]["reason"])
            return {"RestApiStatusCode": 200, "RestApiResponse": {"dag_run_id": "manual__1"}}
        state = "failed" if self.fails else "success"
        if len(self.asked) < 3:
            state = "running"
        return {"RestApiStatusCode": 200, "RestApiResponse": {"state": state}}


def show(s3: Any, run: str, reason: str | None = None) -> None:
    location = f"s3://processed/silver/customers/dt={DAY}/run={run}/"
    publish(
        s3,
        ANALYTICS,
        "customers",
        DAY,
        why=Why.ROLLBACK if reason else Why.BUILD,
        asked=Asked(f"run of {datetime.now(UTC)}", 0, "ana", reason),
        shown=[Shown("silver_customers", run, location)],
    )


@pytest.fixture
def mwaa(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> Mwaa:
    """An Airflow whose day another run is shown of, and which nobody has to wait for."""
    show(platform.s3, "jr_later")
    mwaa = Mwaa(platform.s3)
    monkeypatch.setattr(Deployment, "mwaa", lambda _: mwaa)
    monkeypatch.setattr(rollback, "_PAUSE_SECONDS", 0)
    return mwaa


def test_the_runs_of_a_day_are_listed(platform: Platform, mwaa: Mwaa) -> None:
    listed = platform.custody("rollback", "customers", DAY, "--json")
    assert listed.status == 0
    (run,) = listed.of_kind("run")
    assert (run["run"], run["shown"], run["expires"]) == (SILVER_RUN.id, False, False)
    assert run["contract"] is None
    show(platform.s3, SILVER_RUN.id)
    assert "is shown" in platform.custody("rollback", "customers", DAY).out
    assert mwaa.asked == []


def test_one_that_expires_is_listed_as_such(platform: Platform, mwaa: Mwaa) -> None:
    platform.s3.put_object(Bucket=PROVENANCE, Key=expiry_key(SILVER_RUN), Body=b"x")
    (run,) = platform.custody("rollback", "customers", DAY, "--json").of_kind("run")
    assert run["expires"]
    assert "expires" in platform.custody("rollback", "customers", DAY).out


def test_a_dataset_of_which_nothing_was_built_is_named(platform: Platform, mwaa: Mwaa) -> None:
    refused = platform.custody("rollback", "order", DAY)
    assert refused.status == 2
    assert f"nothing of {DAY} was built of a dataset 'order'" in refused.err


def test_statements_that_were_not_read_are_told(
    platform: Platform, mwaa: Mwaa, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And are left to the DAG: who plants hundreds keeps nobody from rolling back."""
    monkeypatch.setattr(lineages, "MOST_STATEMENTS", 0)
    asked = ("rollback", "customers", DAY, "--to", SILVER_RUN.id, "--reason", "r")
    done = platform.custody(*asked)
    assert (done.status, len(mwaa.asked)) == (0, 3)
    assert "more runs state something of the day than the 0 read: whether" in done.err


def test_a_dag_that_is_paused_is_not_waited_for(platform: Platform, mwaa: Mwaa) -> None:
    mwaa.paused = True
    refused = platform.custody("rollback", "customers", DAY, "--to", SILVER_RUN.id, "--reason", "r")
    assert (refused.status, mwaa.asked) == (2, [])
    assert "medallion_customers is paused" in refused.err


@pytest.mark.parametrize("answer", [{}, {"state": None}])
def test_an_answer_that_is_none_says_nothing_of_the_seal(
    platform: Platform, mwaa: Mwaa, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    started = {"dag_run_id": "manual__1"}
    monkeypatch.setattr(
        mwaa,
        "invoke_rest_api",
        lambda **call: {
            "RestApiStatusCode": 200,
            "RestApiResponse": started if call["Method"] == "POST" else answer,
        },
    )
    refused = platform.custody("rollback", "customers", DAY, "--to", SILVER_RUN.id, "--reason", "r")
    assert refused.status == 2
    assert "MWAA's answer" in refused.err
    assert "seal" not in refused.err


def test_a_day_is_shown_again_as_a_run_built_it(platform: Platform, mwaa: Mwaa) -> None:
    asked = ("rollback", "customers", DAY, "--to", SILVER_RUN.id, "--reason", REASON)
    done = platform.custody(*asked, "--json")
    assert done.status == 0, done.err
    assert done.of_kind("summary") == [
        {"kind": "summary", "airflow_run": "manual__1", "state": "success", "done": True}
    ]
    assert mwaa.asked[0] == {
        "Name": "custody-test",
        "Path": "/dags/medallion_customers/dagRuns",
        "Method": "POST",
        "Body": {
            "logical_date": None,
            "conf": {"dt": DAY, "rollback_to": SILVER_RUN.id, "reason": REASON},
        },
    }
    assert [call["Method"] for call in mwaa.asked] == ["POST", "GET", "GET"]


def test_a_dag_that_fails_is_told(platform: Platform, mwaa: Mwaa) -> None:
    mwaa.fails = True
    asked = ("rollback", "customers", DAY, "--to", SILVER_RUN.id, "--reason", REASON)
    done = platform.custody(*asked)
    assert done.status == 1
    assert "ended as failed" in done.out


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((DAY, "--to", "jr_later", "--reason", "r"), "no run jr_later has signed"),
        ((DAY, "--to", "jr_gold", "--reason", "r"), "no run jr_gold has signed"),
        ((DAY, "--to", SILVER_RUN.id), "Give --reason"),
        ((DAY, "--to", SILVER_RUN.id, "--reason", " "), "Give --reason"),
        ((DAY, "--to", SILVER_RUN.id, "--reason", "r" * 501), "501 characters, of at most 500"),
        ((DAY, "--from", "."), "leave --from out"),
    ],
)
def test_what_cannot_be_shown_starts_nothing(
    platform: Platform, mwaa: Mwaa, arguments: tuple[str, ...], why: str
) -> None:
    refused = platform.custody("rollback", "customers", *arguments)
    assert (refused.status, mwaa.asked) == (2, [])
    assert why in refused.err


def test_a_day_is_a_day(platform: Platform, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        platform.custody("rollback", "customers", "20261101x")
