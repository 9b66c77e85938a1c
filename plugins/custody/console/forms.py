"""What a request may carry: one small form. FastAPI reads bodies before it asks any guard, so who
may see nothing would choose how much of the web server's memory and disk they take."""

from __future__ import annotations

from typing import Final

from fastapi import HTTPException
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_FORM_BYTES: Final = 16 * 1024
"""The longest reason, each of its characters percent-encoded, is 12,000."""

FORM: Final = "application/x-www-form-urlencoded"


class SmallForms:
    """Stands before `app`, to whom reading a body raises `HTTPException` if it is no form, or as
    soon as it has more than `MAX_FORM_BYTES`. That is one of FastAPI's, which answers with it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        sent_as = Headers(scope=scope).get("content-type", "") if scope["type"] == "http" else ""
        is_form = sent_as.partition(";")[0].strip().lower() == FORM
        read = 0

        async def receive_little() -> Message:
            nonlocal read
            message = await receive()
            body = message.get("body", b"")
            read += len(body)
            if body and not is_form:
                raise HTTPException(415, f"A body must be {FORM}.")
            if read > MAX_FORM_BYTES:
                raise HTTPException(413, f"A form must be of {MAX_FORM_BYTES} bytes at most.")
            return message

        await self._app(scope, receive_little, send)
