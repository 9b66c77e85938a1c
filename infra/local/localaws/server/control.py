"""`/_local/…`: what an AWS endpoint does not have. Health, and the knobs of our services.

Not signed: it is reachable on loopback only, and it refuses browsers, so that no web page can turn
a knob behind the user's back.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from localaws.protocol import AwsError, AwsResponse, Service
from localaws.server.wire import Head
from localaws.settings import Settings

_LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost"})


class Control:
    """Answers `/_local/health` and hands `/_local/<service>/<path>` to that service."""

    def __init__(self, settings: Settings, services: Sequence[Service]) -> None:
        self._settings = settings
        self._services = {service.name: service for service in services}

    async def handle(self, head: Head, body: bytes) -> AwsResponse:
        """The answer to one request; raises AwsError."""
        host = head.headers.get("host", "").rpartition(":")[0] or head.headers.get("host", "")
        if host not in _LOCAL_HOSTS or "origin" in head.headers:
            raise AwsError("AccessDeniedException", "only for programs on this machine", 403)
        name, _, path = head.path.removeprefix("/_local/").partition("/")
        if name == "health":
            return AwsResponse.of(self._health())
        service = self._services.get(name)
        if service is None:
            known = ", ".join(sorted(self._services))
            raise AwsError(
                "ResourceNotFoundException", f"no service {name!r}; there are {known}", 404
            )
        return await service.control(head.method, path, body)

    def _health(self) -> dict[str, object]:
        return {
            "status": "ready",
            "pid": os.getpid(),
            "home": str(self._settings.home),
            "account_id": self._settings.account_id,
            "region": self._settings.region,
            "services": sorted(self._services),
        }
