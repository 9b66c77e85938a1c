from __future__ import annotations

import asyncio
from typing import Any

import pytest

from localaws.protocol import AwsError, AwsResponse
from localaws.server.wire import Disconnected, Head, Message, read_body, replay, respond


def scope(**changes: Any) -> dict[str, Any]:
    return {
        "type": "http",
        "method": "GET",
        "path": "/b/ü",
        "raw_path": b"/b/%C3%BC",
        "query_string": b"a=1&a=2&flag",
        "headers": [(b"X-A", b"1"), (b"x-a", b"2"), (b"X-B", "ü".encode())],
        "client": ("127.0.0.1", 1),
        **changes,
    }


def messages(*given: Message) -> Any:
    waiting = list(given)

    async def receive() -> Message:
        return waiting.pop(0)

    return receive


def chunk(body: bytes, *, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


def test_a_head_keeps_what_was_signed() -> None:
    head = Head.of(scope())
    assert (head.method, head.path, head.raw_path) == ("GET", "/b/ü", "/b/%C3%BC")
    assert head.query == {"a": ["1", "2"], "flag": [""]}
    assert head.headers == {"x-a": "1, 2", "x-b": "ü"}
    assert head.source_ip == "127.0.0.1"


def test_a_body_is_read_whole_and_within_bounds() -> None:
    async def check() -> None:
        parts = (chunk(b"ab", more=True), chunk(b"c", more=False))
        assert await read_body(messages(*parts), 3) == b"abc"
        with pytest.raises(AwsError, match="larger than 2"):
            await read_body(messages(*parts), 2)
        with pytest.raises(Disconnected):
            await read_body(messages(parts[0], {"type": "http.disconnect"}), 9)

    asyncio.run(check())


def test_a_body_once_read_can_be_read_again() -> None:
    async def check() -> None:
        receive = replay(b"abc", messages({"type": "http.disconnect"}))
        assert await read_body(receive, 9) == b"abc"
        assert (await receive())["type"] == "http.disconnect"

    asyncio.run(check())


def test_an_answer_says_its_length_and_its_request() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(respond(send, AwsResponse(201, {"Content-Type": "text/plain"}, b"hi"), "r1"))
    assert sent[0]["status"] == 201
    assert dict(sent[0]["headers"]) == {
        b"content-length": b"2",
        b"content-type": b"text/plain",
        b"x-amzn-requestid": b"r1",
    }
    assert sent[1]["body"] == b"hi"
