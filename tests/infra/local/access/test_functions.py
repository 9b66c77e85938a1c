"""Lambda's calls have the names by which policies and CloudTrail know them."""

from __future__ import annotations

from typing import Final

import pytest

from localaws.access import functions

MAPPING: Final = "/2015-03-31/event-source-mappings/1c8a1b6e"


@pytest.fixture(autouse=True)
def registered() -> None:
    functions.register()


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("PUT", MAPPING, "UpdateEventSourceMapping"),
        ("DELETE", MAPPING, "DeleteEventSourceMapping"),
        ("GET", MAPPING, "GetEventSourceMapping"),
        ("GET", "/2015-03-31/event-source-mappings/", "ListEventSourceMappings"),
        ("GET", "/2019-09-30/functions/f/concurrency", "GetFunctionConcurrency"),
        ("PUT", "/2017-10-31/functions/f/concurrency", "PutFunctionConcurrency"),
        ("POST", "/2015-03-31/functions/f/invocations", "InvokeFunction"),
        ("PUT", "/2015-03-31/functions/f/code", "UpdateFunctionCode"),
        ("POST", "/elsewhere", None),
    ],
)
def test_a_call_is_known_by_its_route(method: str, path: str, action: str | None) -> None:
    assert functions.action_of(method, path) == action
