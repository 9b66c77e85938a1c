"""Between ASGI's messages and our types."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote

from localaws.protocol import AwsError, AwsResponse

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Head:
    """A request without its body. `headers` has lower-case names, repeated ones joined by comma."""

    method: str
    path: str
    raw_path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    raw_headers: list[tuple[bytes, bytes]]
    source_ip: str

    @classmethod
    def of(cls, scope: Scope) -> Head:
        """The head of an ASGI `http` scope."""
        raw_headers = [(bytes(name), bytes(value)) for name, value in scope.get("headers", [])]
        headers: dict[str, str] = {}
        for name, value in raw_headers:
            key, text = name.decode("latin-1").lower(), _text(value)
            headers[key] = f"{headers[key]}, {text}" if key in headers else text
        raw_path = scope.get("raw_path") or quote(scope["path"]).encode()
        query = scope.get("query_string", b"").decode("utf-8", "replace")
        client = scope.get("client") or ("127.0.0.1", 0)
        return cls(
            method=scope["method"],
            path=scope["path"],
            raw_path=raw_path.decode("latin-1"),
            query=parse_qs(query, keep_blank_values=True),
            headers=headers,
            raw_headers=raw_headers,
            source_ip=client[0],
        )


class Disconnected(Exception):
    """The client went away before its request was complete."""


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole body.

    Raises AwsError `RequestEntityTooLarge` above `limit` bytes, and Disconnected.
    """
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise AwsError("RequestEntityTooLarge", f"the body is larger than {limit} bytes", 413)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that hands out `body` again, then continues with the client's messages."""
    pending = [body]

    async def receive_again() -> Message:
        if pending:
            return {"type": "http.request", "body": pending.pop(), "more_body": False}
        return await receive()

    return receive_again


async def respond(send: Send, response: AwsResponse, request_id: str) -> None:
    """Send one complete response."""
    headers = {
        "content-length": str(len(response.body)),
        "x-amzn-requestid": request_id,
        **{name.lower(): value for name, value in response.headers.items()},
    }
    await send(
        {"type": "http.response.start", "status": response.status, "headers": encode(headers)}
    )
    await send({"type": "http.response.body", "body": response.body})


def encode(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers as ASGI wants them."""
    return [(name.encode("latin-1"), _octets(value)) for name, value in headers.items()]


def decode(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Response headers by lower-case name; the last of a repeated one wins."""
    return {bytes(name).decode("latin-1").lower(): _text(bytes(value)) for name, value in raw}


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _octets(value: str) -> bytes:
    try:
        return value.encode("latin-1")
    except UnicodeEncodeError:
        return value.encode("utf-8")
