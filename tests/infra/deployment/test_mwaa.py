"""Airflow on MWAA: what it is told, and what is told of it."""

from __future__ import annotations

from typing import Any, cast

import pytest
from infra.deployment.errors import DeployError
from infra.deployment.mwaa import Environment
from infra.deployment.session import Session
from infra.deployment.smoke import Smoke

FAILED: dict[str, Any] = {
    "Status": "FAILED",
    "Error": {"ErrorCode": "INCORRECT_CONFIGURATION", "ErrorMessage": "no such plugins.zip"},
}


class Mwaa:
    """Answers with the environments it is given, one for each look, and with Airflow's answers."""

    def __init__(self, *looks: dict[str, Any], answers: dict[str, list[Any]] | None = None) -> None:
        self._looks = list(looks)
        self._answers = answers or {}

    def client(self, service: str) -> Mwaa:
        assert service == "mwaa"
        return self

    def get_environment(self, *, Name: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        assert Name == "custody-dev"
        return {"Environment": self._looks.pop(0)}

    def invoke_rest_api(self, **arguments: str) -> dict[str, Any]:
        assert arguments["Method"] == "GET"
        return {"RestApiResponse": self._answers[arguments["Path"]].pop(0)}


def environment(mwaa: Mwaa, said: list[str]) -> Environment:
    return Environment(cast("Session", mwaa), "custody-dev", said.append, lambda _seconds: None)


def test_waits_with_progress_until_it_is_available() -> None:
    said: list[str] = []
    looks = ({"Status": "CREATING"}, {"Status": "UPDATING"}, {"Status": "AVAILABLE"})
    environment(Mwaa(*looks), said).wait()
    assert said == [
        "custody-dev: CREATING for 0 min (20 to 60 are usual)",
        "custody-dev: UPDATING for 0 min (20 to 60 are usual)",
    ]


@pytest.mark.parametrize(
    "last",
    [
        {"Status": "AVAILABLE", "LastUpdate": FAILED},
        {"Status": "UPDATE_FAILED", "LastUpdate": FAILED},
    ],
)
def test_an_update_that_failed_is_told_in_mwaas_words(last: dict[str, Any]) -> None:
    with pytest.raises(
        DeployError, match=r"INCORRECT_CONFIGURATION: no such plugins\.zip"
    ) as raised:
        environment(Mwaa({"Status": "UPDATING"}, last), []).wait()
    assert "airflow-custody-dev-Scheduler" in str(raised.value)


def test_an_environment_that_was_not_made_is_no_success() -> None:
    with pytest.raises(DeployError, match="custody-dev is CREATE_FAILED"):
        environment(Mwaa({"Status": "CREATE_FAILED"}), []).wait()


def smoke(mwaa: Mwaa) -> list[str]:
    said: list[str] = []
    looks = Smoke(cast("Session", mwaa), {}, said.append, lambda _seconds: None)
    looks.airflow(environment(mwaa, said))
    return said


def test_airflow_must_have_read_the_dags() -> None:
    dags = [{"dag_id": "b", "is_paused": True}, {"dag_id": "a", "is_paused": False}]
    none, two = {"dags": []}, {"dags": dags}
    answers = {"/importErrors": [{"import_errors": []}] * 2, "/dags": [none, two]}
    assert smoke(Mwaa(answers=answers)) == [
        "Airflow has read a, b",
        "paused, until somebody switches them on there: b",
    ]


def test_a_dag_that_cannot_be_read_fails_with_its_error() -> None:
    error = {"filename": "dags/custody_audit.py", "stack_trace": "ModuleNotFoundError: custody"}
    answers = {"/importErrors": [{"import_errors": [error]}]}
    with pytest.raises(DeployError, match=r"custody_audit\.py: ModuleNotFoundError: custody"):
        smoke(Mwaa(answers=answers))
