"""Asking an ASGI application, without a server."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx


def ask(app: Any, path: str, method: str = "GET", **more: Any) -> httpx.Response:
    """What the application answers; `more` is what httpx takes of a request."""

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.request(method, path, **more)

    return asyncio.run(asked())
