"""Runs of DAGs, started and watched through MWAA by whoever IAM lets (`airflow:InvokeRestApi`).

MWAA signs the caller in, so the run says who asked for it. Airflow elsewhere has nothing of the
kind: there its own form starts a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NotConnected

from custody.core.formats.untrusted import Fields

ENDED: Final = frozenset({"success", "failed"})
"""The states in which a run of a DAG stays ("DAG Runs" in Airflow's documentation)."""

UNKNOWN: Final = "unknown: nobody answers"

_UNANSWERED: Final = 10
"""So often in a row nobody need answer, who may be far away, or changing networks."""


class Refused(Exception):
    """Airflow has not done what it was asked; the text says what it said."""


def is_paused(mwaa: Any, environment: str, dag_id: str) -> bool:
    """Whether the runs of a DAG wait, as somebody has paused it; raises as `start_run` does."""
    place = f"/dags/{quote(dag_id, safe='')}"
    return _asked(mwaa, environment, "GET", place).values.get("is_paused") is True


def start_run(mwaa: Any, environment: str, dag_id: str, conf: Mapping[str, str]) -> str:
    """Start a run of a DAG with parameters; returns its id.

    Raises `Refused`, `MalformedInput` for an answer that is none, or what botocore raises.
    """
    place = f"/dags/{quote(dag_id, safe='')}/dagRuns"
    body = {"logical_date": None, "conf": dict(conf)}
    return _asked(mwaa, environment, "POST", place, body).text("dag_run_id")


def states_of(
    mwaa: Any, environment: str, dag_id: str, run_id: str, wait: Callable[[], None]
) -> Iterator[str]:
    """The state of a run, asked again after each `wait` until it has ended; `UNKNOWN` where nobody
    answers, which may be so a few times.

    Raises as `start_run` does.
    """
    place = f"/dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}"
    unanswered = 0
    while True:
        try:
            state, unanswered = _asked(mwaa, environment, "GET", place).text("state"), 0
        except (HTTPClientError, NotConnected):
            unanswered += 1
            if unanswered > _UNANSWERED:
                raise
            state = UNKNOWN
        yield state
        if state in ENDED:
            return
        wait()


def _asked(
    mwaa: Any,
    environment: str,
    method: str,
    place: str,
    body: Mapping[str, object] | None = None,
) -> Fields:
    """The answer."""
    given = {} if body is None else {"Body": body}
    try:
        said = mwaa.invoke_rest_api(Name=environment, Path=place, Method=method, **given)
    except ClientError as error:
        status = error.response.get("RestApiStatusCode")
        if status is None:
            raise
        told = error.response.get("RestApiResponse") or ""
        raise Refused(f"Airflow answers {status} to {method} {place}: {told}") from error
    answer = Fields.of(said, "MWAA's answer")
    if (status := answer.count("RestApiStatusCode")) != HTTPStatus.OK:
        raise Refused(f"Airflow answers {status} to {method} {place}")
    return answer.child("RestApiResponse")
