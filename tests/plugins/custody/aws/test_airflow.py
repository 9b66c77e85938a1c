"""Airflow's audit log is read through MWAA, and a run goes on without it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.parsers import ResponseParserError
from botocore.stub import ANY, Stubber

from custody.aws.airflow import airflow_log

SINCE = datetime(2026, 11, 1, 6, 25, tzinfo=UTC)
UNTIL = SINCE + timedelta(hours=1)
ENVIRONMENT = "custody-dev"


def entries(first: int, count: int) -> list[dict[str, Any]]:
    return [
        {
            "event_log_id": n,
            "when": "2026-11-01T07:00:00Z",
            "event": "patch_dag",
            "owner": f"user {n}",
            "extra": '{"is_paused": true}',
        }
        for n in range(first, first + count)
    ]


def answer(found: list[dict[str, Any]], total: int, status: int = 200) -> dict[str, Any]:
    body = {"event_logs": found, "total_entries": total}
    return {"RestApiStatusCode": status, "RestApiResponse": body}


def asked(offset: int) -> dict[str, Any]:
    return {
        "Name": ENVIRONMENT,
        "Path": "/eventLogs",
        "Method": "GET",
        "QueryParameters": {
            "after": "2026-11-01T06:25:00+00:00",
            "excluded_events": ANY,
            "limit": 100,
            "offset": offset,
            "order_by": "event_log_id",
        },
    }


def read(mwaa: Any) -> Any:
    return airflow_log(mwaa, ENVIRONMENT, since=SINCE, until=UNTIL)


def test_the_log_is_read_to_its_end(mwaa: Any, stub: Stubber) -> None:
    stub.add_response("invoke_rest_api", answer(entries(0, 100), 101), asked(0))
    stub.add_response("invoke_rest_api", answer(entries(100, 1), 101), asked(100))
    log = read(mwaa)
    assert [act.number for act in log.acts] == list(range(101))
    assert (log.since, log.until, log.unread, log.trouble) == (SINCE, UNTIL, 0, "")


def test_where_nobody_did_anything_nothing_is_told(mwaa: Any, stub: Stubber) -> None:
    stub.add_response("invoke_rest_api", answer([], 0), asked(0))
    log = read(mwaa)
    assert (log.acts, log.unread, log.trouble) == ((), 0, "")


def test_of_a_log_without_end_the_rest_is_counted(mwaa: Any, stub: Stubber) -> None:
    for offset in range(0, 2000, 100):
        stub.add_response("invoke_rest_api", answer(entries(offset, 100), 9000), asked(offset))
    log = read(mwaa)
    assert log.unread == 7000
    assert len(log.acts) + sum(log.left_out.values()) == 2000


def refuse(code: str, **response: Any) -> Callable[[Stubber], None]:
    def refused(stub: Stubber) -> None:
        stub.add_client_error(
            "invoke_rest_api", code, "https://secret.airflow.amazonaws.com", modeled_fields=response
        )

    return refused


@pytest.mark.parametrize(
    ("refused", "told"),
    [
        (refuse("ResourceNotFoundException"), "ResourceNotFoundException"),
        (refuse("AccessDeniedException"), "AccessDeniedException"),
        (
            refuse("RestApiClientException", RestApiStatusCode=403),
            "RestApiClientException: Airflow answers 403",
        ),
        (
            lambda stub: stub.add_response("invoke_rest_api", answer([], 0, status=302)),
            "Airflow answers 302",
        ),
        (
            lambda stub: stub.add_response(
                "invoke_rest_api", {"RestApiStatusCode": 200, "RestApiResponse": ["no log"]}
            ),
            "MWAA's answer.RestApiResponse: must be an object, not a list",
        ),
        (
            lambda stub: stub.add_response("invoke_rest_api", {}),
            "MWAA's answer.RestApiStatusCode: is missing",
        ),
        (
            lambda stub: stub.add_response(
                "invoke_rest_api", answer([{**entries(0, 1)[0], "when": "?"}], 1)
            ),
            "event_logs[0].when: '?': must be a UTC time such as 2026-11-01T06:00:00.000Z",
        ),
    ],
)
def test_a_log_that_cannot_be_read_is_told_and_raises_nothing(
    mwaa: Any, stub: Stubber, refused: Callable[[Stubber], None], told: str
) -> None:
    refused(stub)
    log = read(mwaa)
    assert (log.acts, log.trouble) == ((), told)


def test_what_was_read_before_is_told_as_well(mwaa: Any, stub: Stubber) -> None:
    stub.add_response("invoke_rest_api", answer(entries(0, 100), 101), asked(0))
    stub.add_client_error("invoke_rest_api", "InternalServerException")
    log = read(mwaa)
    assert (len(log.acts), log.trouble) == (100, "InternalServerException")


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://secret.airflow.amazonaws.com"),
        ResponseParserError("no JSON: secret"),
    ],
)
def test_an_airflow_out_of_reach_is_told(mwaa: Any, error: Exception) -> None:
    def unreachable(**_: object) -> None:
        raise error

    mwaa.meta.events.register("before-call.mwaa.InvokeRestApi", unreachable)
    assert read(mwaa).trouble == type(error).__name__


def test_an_older_boto3_is_told() -> None:
    assert read(object()).trouble == "this version of boto3 knows no InvokeRestApi"
