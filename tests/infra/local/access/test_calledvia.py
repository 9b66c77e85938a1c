"""`aws:CalledVia`, which only our own services say."""

from __future__ import annotations

from types import SimpleNamespace

from botocore.awsrequest import AWSRequest
from botocore.hooks import HierarchicalEmitter

from localaws.access.calledvia import called_via, mark


def marked() -> dict[str, str]:
    """The headers (lower case) of a request that Athena makes."""
    events = HierarchicalEmitter()
    mark(SimpleNamespace(meta=SimpleNamespace(events=events)), "athena.amazonaws.com")
    request = AWSRequest("PUT", "http://127.0.0.1/bucket/key")
    events.emit("before-sign.s3.PutObject", request=request)
    return {name.lower(): value for name, value in request.headers.items()}


def test_a_service_says_that_it_calls() -> None:
    assert called_via(marked()) == {"aws:calledvia": ["athena.amazonaws.com"]}


def test_nobody_else_can_say_so() -> None:
    ((header, value),) = marked().items()
    assert called_via({}) == {}
    assert called_via({header: "athena.amazonaws.com"}) == {}
    assert called_via({header: f"x{value}"}) == {}
