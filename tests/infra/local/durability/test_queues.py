from __future__ import annotations

import json
from typing import Any

from localaws.durability.queues import recovered

NOW = 1000.0
URL = "http://127.0.0.1:4566/111122223333/q"
KEY = ["111122223333", "us-east-1", URL]


def state(*messages: dict[str, Any]) -> dict[str, Any]:
    """SQS's state as ministack writes it: keys are account, region and the URL's repr."""
    stored = f"111122223333\0us-east-1\0{URL!r}"
    queues = {"__account_region_scoped__": True, "data": {stored: {"messages": list(messages)}}}
    return {"__ministack_format__": 2, "payload": {"queues": queues, "queue_name_to_url": {}}}


def message(identity: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": identity,
        "body": "b",
        "receive_count": 0,
        "receipt_handle": None,
        "visible_at": 500.0,
    } | changes


def came(identity: str, **changes: Any) -> dict[str, Any]:
    return {"t": "message", "queue": KEY, "message": message(identity, **changes)}


def messages_of(recovered_state: dict[str, Any]) -> list[dict[str, Any]]:
    (queue,) = recovered_state["payload"]["queues"]["data"].values()
    found: list[dict[str, Any]] = queue["messages"]
    return found


def test_journalled_messages_are_back_once() -> None:
    entries = [came("a"), came("b"), {"t": "begin", "n": 1}]
    found = messages_of(recovered(state(message("a")), entries, NOW))
    assert [m["id"] for m in found] == ["a", "b"]


def test_a_message_that_left_stays_away() -> None:
    entries = [came("b"), {"t": "gone", "queue": KEY, "ids": ["a", "b"]}]
    assert messages_of(recovered(state(message("a")), entries, NOW)) == []


def test_what_was_in_flight_is_visible_again_as_if_never_received() -> None:
    in_flight = message("a", receive_count=2, receipt_handle="h", visible_at=NOW + 900)
    (found,) = messages_of(recovered(state(in_flight), [], NOW))
    assert found["receipt_handle"] is None
    assert found["receive_count"] == 1
    assert NOW < found["visible_at"] <= NOW + 5


def test_an_attempt_that_failed_still_counts() -> None:
    failed = message("a", receive_count=2, receipt_handle="h", visible_at=NOW - 1)
    (found,) = messages_of(recovered(state(failed), [], NOW))
    assert found["receive_count"] == 2


def test_nobody_gets_a_message_before_the_server_listens() -> None:
    (found,) = messages_of(recovered(state(message("a")), [], NOW))
    assert found["visible_at"] > NOW


def test_a_delayed_message_stays_delayed() -> None:
    (found,) = messages_of(recovered(state(message("a", visible_at=NOW + 600)), [], NOW))
    assert found["visible_at"] == NOW + 600


def test_messages_of_a_deleted_queue_are_dropped() -> None:
    entry = {"t": "message", "queue": [*KEY[:2], "http://other"], "message": message("a")}
    assert messages_of(recovered(state(), [entry], NOW)) == []


def test_the_result_is_json() -> None:
    json.dumps(recovered(state(message("a")), [came("b")], NOW))
