from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest

from localaws.durability.middleware import Durability
from localaws.protocol import AwsRequest, AwsResponse, Service
from localaws.server.application import LocalAws
from localaws.server.control import Control
from localaws.server.wire import Message, Receive, Scope, Send
from localaws.settings import Settings


class Quiet:
    """A service that notes when it is started and stopped, in a shared list."""

    def __init__(self, name: str, notes: list[str], target: str = "A.B") -> None:
        self.name = name
        self.targets = frozenset({target})
        self._notes = notes

    async def start(self) -> None:
        self._notes.append(f"{self.name} starts")

    async def stop(self) -> None:
        self._notes.append(f"{self.name} stops")

    async def handle(self, request: AwsRequest) -> AwsResponse:
        raise NotImplementedError

    async def control(self, method: str, path: str, body: bytes) -> AwsResponse:
        raise NotImplementedError


class Keeping:
    """Stands in for `Durability`."""

    def __init__(self, notes: list[str], *, broken: bool = False) -> None:
        self._notes = notes
        self._broken = broken

    async def start(self) -> None:
        if self._broken:
            raise RuntimeError("the journal is damaged")
        self._notes.append("state is back")

    async def stop(self) -> None:
        self._notes.append("state is kept")

    def close(self) -> None:
        self._notes.append("the end")


def local_aws(keeping: Keeping, *services: Service) -> LocalAws:
    async def ministack(scope: Scope, receive: Receive, send: Send) -> None:
        for phase in ("startup", "shutdown"):
            assert (await receive())["type"] == f"lifespan.{phase}"
            await send({"type": f"lifespan.{phase}.complete"})

    settings = cast("Settings", None)
    return LocalAws(ministack, cast("Durability", keeping), services, Control(settings, services))


def lifespan(app: LocalAws, told: list[Message]) -> None:
    """Start and stop the application; `told` gets what it tells the server."""
    phases = iter(("startup", "shutdown"))

    async def receive() -> Message:
        return {"type": f"lifespan.{next(phases)}"}

    async def send(message: Message) -> None:
        told.append(message)

    run: Callable[[Any, Any, Any], Awaitable[None]] = app
    asyncio.run(_await(run({"type": "lifespan"}, receive, send)))


async def _await(awaitable: Awaitable[None]) -> None:
    await awaitable


def test_state_is_back_before_services_start_and_kept_after_they_stopped() -> None:
    notes: list[str] = []
    lifespan(local_aws(Keeping(notes), Quiet("a", notes), Quiet("b", notes, "C.D")), [])
    assert notes == [
        "state is back",
        "a starts",
        "b starts",
        "b stops",
        "a stops",
        "state is kept",
        "the end",
    ]


def test_a_start_that_fails_is_told_to_the_server() -> None:
    app = local_aws(Keeping([], broken=True))
    told: list[Message] = []
    with pytest.raises(RuntimeError, match="the journal is damaged"):
        lifespan(app, told)
    assert told == [{"type": "lifespan.startup.failed", "message": "the journal is damaged"}]


def test_a_target_has_one_service() -> None:
    with pytest.raises(ValueError, match=r"A\.B is claimed twice"):
        local_aws(Keeping([]), Quiet("a", []), Quiet("b", []))
