from __future__ import annotations

import json

import pytest
from tests.infra.local.conftest import Server


def test_health_says_whose_server_it_is(server: Server) -> None:
    status, body = server.get("/_local/health")
    told = json.loads(body)
    assert (status, told["status"], told["home"]) == (200, "ready", str(server.settings.home))
    assert "cloudtrail" in told["services"]


def test_an_unknown_knob_is_refused_by_name(server: Server) -> None:
    status, body = server.get("/_local/nothing/here")
    assert status == 404
    assert "no service 'nothing'" in json.loads(body)["message"]


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Host": "evil.example"}])
def test_a_web_page_cannot_turn_a_knob(server: Server, headers: dict[str, str]) -> None:
    assert server.get("/_local/health", **headers)[0] == 403
