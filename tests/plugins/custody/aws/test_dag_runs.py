"""Runs of DAGs are started and watched through MWAA; what Airflow refuses is told in its words."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from botocore.stub import Stubber

from custody.aws.dag_runs import UNKNOWN, Refused, is_paused, start_run, states_of
from custody.core.formats.untrusted import MalformedInput

ENVIRONMENT, DAG = "custody-dev", "medallion_orders"
RUN = "manual__2026-11-01T06:00:00+00:00"


def answer(document: Any, status: int = 200) -> dict[str, Any]:
    return {"RestApiStatusCode": status, "RestApiResponse": document}


def test_a_run_is_started_with_its_parameters(mwaa: Any, stub: Stubber) -> None:
    asked = {
        "Name": ENVIRONMENT,
        "Path": "/dags/medallion_orders/dagRuns",
        "Method": "POST",
        "Body": {"logical_date": None, "conf": {"dt": "2026-11-01"}},
    }
    stub.add_response("invoke_rest_api", answer({"dag_run_id": RUN}), asked)
    assert start_run(mwaa, ENVIRONMENT, DAG, {"dt": "2026-11-01"}) == RUN


def test_a_run_is_watched_until_it_has_ended(mwaa: Any, stub: Stubber) -> None:
    waited: list[None] = []
    asked = {
        "Name": ENVIRONMENT,
        "Path": "/dags/medallion_orders/dagRuns/manual__2026-11-01T06%3A00%3A00%2B00%3A00",
        "Method": "GET",
    }
    for state in ("queued", "running", "failed"):
        stub.add_response("invoke_rest_api", answer({"state": state}), asked)
    found = states_of(mwaa, ENVIRONMENT, DAG, RUN, lambda: waited.append(None))
    assert list(found) == ["queued", "running", "failed"]
    assert len(waited) == 2


def test_it_is_asked_whether_its_runs_would_wait(mwaa: Any, stub: Stubber) -> None:
    asked = {"Name": ENVIRONMENT, "Path": "/dags/medallion_orders", "Method": "GET"}
    for told, paused in (({"is_paused": True}, True), ({"is_paused": False}, False), ({}, False)):
        stub.add_response("invoke_rest_api", answer(told), asked)
        assert is_paused(mwaa, ENVIRONMENT, DAG) is paused


@pytest.mark.parametrize("lost", [EndpointConnectionError, ReadTimeoutError])
def test_a_lost_connection_ends_no_watch(lost: type[Exception]) -> None:
    said: list[Any] = [answer({"state": "running"}), *[lost(endpoint_url="u")] * 10]
    said += [answer({"state": "running"}), lost(endpoint_url="u"), answer({"state": "success"})]
    mwaa = Mock(invoke_rest_api=Mock(side_effect=said))
    found = list(states_of(mwaa, ENVIRONMENT, DAG, RUN, lambda: None))
    assert found == ["running", *[UNKNOWN] * 10, "running", UNKNOWN, "success"]
    mwaa = Mock(invoke_rest_api=Mock(side_effect=lost(endpoint_url="u")))
    with pytest.raises(lost):
        list(states_of(mwaa, ENVIRONMENT, DAG, RUN, lambda: None))


def test_what_airflow_refuses_is_told(mwaa: Any, stub: Stubber) -> None:
    refused = {"RestApiStatusCode": 404, "RestApiResponse": {"detail": "no such DAG"}}
    stub.add_client_error("invoke_rest_api", "RestApiClientException", modeled_fields=refused)
    with pytest.raises(Refused, match=r"answers 404 to POST /dags/.*no such DAG"):
        start_run(mwaa, ENVIRONMENT, DAG, {})
    stub.add_response("invoke_rest_api", answer({}, status=302))
    with pytest.raises(Refused, match="302"):
        start_run(mwaa, ENVIRONMENT, DAG, {})
    for told in ({"run": 1}, []):
        stub.add_response("invoke_rest_api", answer(told))
        with pytest.raises(MalformedInput):
            start_run(mwaa, ENVIRONMENT, DAG, {})


def test_who_may_not_ask_is_told_so_by_aws(mwaa: Any, stub: Stubber) -> None:
    stub.add_client_error("invoke_rest_api", "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        start_run(mwaa, ENVIRONMENT, DAG, {})
