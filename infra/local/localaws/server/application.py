"""The local AWS as one ASGI application: the gate, our services, and ministack behind them.

`localaws.daemon` puts it together and serves it.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence

from localaws.access import identity
from localaws.durability.middleware import Durability
from localaws.protocol import AwsError, AwsRequest, AwsResponse, NamesResources, Service
from localaws.server.control import Control
from localaws.server.wire import (
    App,
    Disconnected,
    Head,
    Message,
    Receive,
    Scope,
    Send,
    read_body,
    replay,
    respond,
)

log = logging.getLogger("localaws.server.application")

# Our services speak JSON; AWS's own limit on such requests is far below this.
_BODY_LIMIT = 8 * 1024 * 1024


class LocalAws:
    """Every request of the local AWS, from the socket to whoever serves it."""

    def __init__(
        self,
        ministack: App,
        durability: Durability,
        services: Sequence[Service],
        control: Control,
    ) -> None:
        """`ministack` is the whole chain behind the gate, durability and observers included."""
        self._ministack = ministack
        self._durability = durability
        self._services = services
        self._control = control
        self._by_target: dict[str, Service] = {}
        for service in services:
            for target in service.targets:
                if target in self._by_target:
                    raise ValueError(f"{target} is claimed twice")
                self._by_target[target] = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI entry point."""
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await receive()
            await send({"type": "websocket.close", "code": 1008})

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Start our services after ministack has its state back; stop them before it ends."""

        async def receive_and_stop() -> Message:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                for service in reversed(self._services):
                    await service.stop()
                await self._durability.stop()
            return message

        async def start_and_send(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                try:
                    await self._durability.start()
                    for service in self._services:
                        await service.start()
                except Exception as error:
                    # Said in ASGI's words, or the server would go on without what failed.
                    log.exception("the local AWS cannot start")
                    await send({"type": "lifespan.startup.failed", "message": str(error)})
                    raise
            elif message["type"] == "lifespan.shutdown.complete":
                self._durability.close()
            await send(message)

        await self._ministack(scope, receive_and_stop, start_and_send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = Head.of(scope)
        request_id = str(uuid.uuid4())
        try:
            if head.path.startswith("/_local/"):
                body = await read_body(receive, _BODY_LIMIT)
                await respond(send, await self._control.handle(head, body), request_id)
                return
            service = self._by_target.get(head.headers.get("x-amz-target", ""))
            if service is None and not identity.needs_body(head):
                identity.admit(head, b"", request_id)
                await self._ministack(_over_tls(scope), receive, send)
                return
            body = await read_body(receive, _BODY_LIMIT)
            identity.admit(head, body, request_id)
            if service is None:
                await self._ministack(_over_tls(scope), replay(body, receive), send)
            else:
                await respond(send, await self._serve(service, head, body, request_id), request_id)
        except identity.Refused as refused:
            await respond(send, refused.response, request_id)
        except AwsError as error:
            await respond(send, AwsResponse.error(error), request_id)
        except Disconnected:
            log.info("%s %s: the client left", head.method, head.path)

    async def _serve(
        self, service: Service, head: Head, body: bytes, request_id: str
    ) -> AwsResponse:
        target = head.headers["x-amz-target"]
        names = service if isinstance(service, NamesResources) else None
        caller, operation = identity.authorise(head, body, request_id, names)
        request = AwsRequest(
            method=head.method,
            path=head.path,
            query=head.query,
            headers=head.headers,
            body=body,
            target=target,
            caller=caller,
            region=operation.region,
            request_id=request_id,
            source_ip=head.source_ip,
        )
        try:
            return await service.handle(request)
        except AwsError as error:
            return AwsResponse.error(error)
        except Exception:
            # The boundary of the server: the client gets AWS's answer, the log the reason.
            log.exception("%s failed", target)
            message = f"{target} failed; see the log of the local AWS"
            return AwsResponse.error(AwsError("InternalServerException", message, 500))


def _over_tls(scope: Scope) -> Scope:
    """Loopback counts as TLS: nobody else is on the line, and policies may ask for it.

    ministack reads `aws:SecureTransport` from the header a proxy would set; a client's own is
    dropped.
    """
    name = b"x-forwarded-proto"
    others = [(n, v) for n, v in scope.get("headers", []) if n.lower() != name]
    return {**scope, "headers": [*others, (name, b"https")]}
