"""Watches S3 calls pass and has each one journalled before it is answered.

Bodies are counted, never kept: only the (small) body of an error is read, for its code. Every S3
answer gets one request id, in AWS's form, wherever it shows: in the headers, in an error's XML, in
the CloudTrail record and in the notification. (ministack gives each of these its own.)
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import logging
import os
import re
import secrets
import string
from collections.abc import Callable, Sequence

import ministack.app
from ministack.core.iam_evaluator import caller_verified

from localaws.access import identity
from localaws.cloudtrail.recording import notifications
from localaws.cloudtrail.recording.actors import actor_of
from localaws.cloudtrail.recording.events import (
    Outcome,
    error_of,
    is_authentication_failure,
    notification_principal,
)
from localaws.cloudtrail.recording.notifications import Notification
from localaws.cloudtrail.recording.recorder import Recorder
from localaws.cloudtrail.recording.s3calls import S3Call, parse, query_of
from localaws.server.wire import App, Head, Message, Receive, Scope, Send, decode

_log = logging.getLogger(__name__)

_REQUEST_ID_ALPHABET = string.ascii_uppercase + string.digits
_ID_HEADERS = frozenset({b"x-amz-request-id", b"x-amz-id-2", b"x-amzn-requestid"})
_ERROR_BODY_LIMIT = 256 * 1024
# Queueing a notification takes milliseconds; a subscriber that hangs must not hang the caller.
# Less than the minute after which a client gives its call up.
_NOTIFICATION_SECONDS = 50.0
_S3_CONTROL = "/v20180820/"


def observe(
    app: App,
    recorder: Recorder,
    account_id: str,
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
) -> App:
    """Wrap the application that serves S3 (and whatever else, which passes untouched)."""
    notifications.install()

    async def observed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            head = Head.of(scope)
            if _is_s3(head):
                observation = _Observation(recorder, account_id, clock, scope, head, send)
                await observation.run(app, receive)
                return
        await app(scope, receive, send)

    return observed


def _is_s3(head: Head) -> bool:
    # S3 Control signs for "s3" too; its calls are management events.
    return identity.service_of(head) == "s3" and not head.path.startswith((_S3_CONTROL, "/_"))


def _call(scope: Scope, head: Head) -> S3Call | None:
    bucket = virtual_bucket(head.headers.get("host", ""))
    query = query_of(scope.get("query_string", b""))
    return parse(head.method, head.raw_path.encode("latin-1"), query, head.headers, bucket)


def virtual_bucket(host: str) -> str | None:
    """The bucket in the host of a virtual-hosted request, by ministack's own rule."""
    bucket: str | None = ministack.app._extract_s3_vhost_bucket(host)  # noqa: SLF001
    return None if bucket in ministack.app._NON_S3_VHOST_NAMES else bucket  # noqa: SLF001


class _Observation:
    """One S3 request and its answer."""

    def __init__(
        self,
        recorder: Recorder,
        account_id: str,
        clock: Callable[[], dt.datetime],
        scope: Scope,
        head: Head,
        send: Send,
    ) -> None:
        self._recorder = recorder
        self._account_id = account_id
        self._clock = clock
        self._scope = scope
        self._method = head.method
        self._send = send
        self._access_key = identity.access_key_of(head)
        # None when the request is no data event (bucket configuration).
        self._call = _call(scope, head)
        # Resolved before the call, which may outlive the credential.
        self._actor = actor_of(scope, head, self._access_key, account_id)
        self._request_id = "".join(secrets.choice(_REQUEST_ID_ALPHABET) for _ in range(16))
        self._host_id = base64.b64encode(os.urandom(57)).decode()
        self._bytes_in = 0
        self._start: Message | None = None
        self._error_body = bytearray()
        self._held = notifications.Held()

    async def run(self, app: App, receive: Receive) -> None:
        async def counting() -> Message:
            message = await receive()
            self._bytes_in += len(message.get("body", b""))
            return message

        with notifications.holding() as self._held:
            try:
                await app(self._scope, counting, self._on_message)
                if self._start is not None:
                    await self._answer(b"", more_body=False)
            finally:
                # Of a call that broke before it was answered; otherwise there are none left.
                await self._notify(self._notifications())

    async def _on_message(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            await self._on_first_body(message)
        else:
            await self._send(message)

    async def _on_first_body(self, message: Message) -> None:
        """Answer with the first piece of the body; an error is answered when it is complete."""
        body, more = message.get("body", b""), message.get("more_body", False)
        assert self._start is not None  # noqa: S101 - the caller's condition
        if self._start["status"] < 300:
            await self._answer(body, more_body=more)
            return
        self._error_body += body
        if not more or len(self._error_body) > _ERROR_BODY_LIMIT:
            await self._answer(bytes(self._error_body), more_body=more)

    async def _answer(self, body: bytes, *, more_body: bool) -> None:
        start, self._start = self._start, None
        assert start is not None  # noqa: S101 - called once, with the response begun
        status: int = start["status"]
        raw_headers = list(start.get("headers", []))
        if status >= 300 and not more_body:
            body = self._with_our_ids(body)
        headers = decode(raw_headers)
        declared = headers.get("content-length", "")
        if self._method == "HEAD":
            bytes_out = 0
        elif more_body:
            bytes_out = int(declared) if declared.isdecimal() else len(body)
        else:
            bytes_out = len(body)
        told = self._notifications()
        journalled = self._journal(status, headers, body, bytes_out, told)
        await self._notify(told)
        out = [(n, v) for n, v in raw_headers if n.lower() not in _ID_HEADERS]
        if status >= 300 and not more_body and self._method != "HEAD" and declared:
            out = [(n, v) for n, v in out if n.lower() != b"content-length"]
            out.append((b"content-length", str(len(body)).encode()))
        out.append((b"x-amz-request-id", self._request_id.encode()))
        out.append((b"x-amz-id-2", self._host_id.encode()))
        await self._send({**start, "headers": out})
        await self._send({"type": "http.response.body", "body": body, "more_body": more_body})
        if journalled and told:
            self._recorder.answered(self._request_id)

    def _with_our_ids(self, body: bytes) -> bytes:
        request_id = f"<RequestId>{self._request_id}</RequestId>".encode()
        host_id = f"<HostId>{self._host_id}</HostId>".encode()
        body = re.sub(rb"<RequestId>[^<]*</RequestId>", lambda _: request_id, body)
        return re.sub(rb"<HostId>[^<]*</HostId>", lambda _: host_id, body)

    def _journal(
        self,
        status: int,
        headers: dict[str, str],
        body: bytes,
        bytes_out: int,
        notified: Sequence[Notification],
    ) -> bool:
        """Have the call recorded; False when it is nothing CloudTrail logs."""
        if self._call is None:
            return False
        code, message = error_of(self._method, status, body)
        if is_authentication_failure(code, message) or not self._authenticated(code):
            return False
        outcome = Outcome(
            status=status,
            headers=headers,
            request_id=self._request_id,
            host_id=self._host_id,
            error_code=code,
            error_message=message,
            bytes_in=self._bytes_in,
            bytes_out=bytes_out,
            completed_at=self._clock(),
        )
        self._recorder.record(self._call, self._actor, outcome, notified)
        return True

    def _authenticated(self, code: str | None) -> bool:
        """Whether a refused HEAD was refused for its caller's rights, not for its signature.

        Its answer has no body to say which; ministack remembers whom it verified.
        """
        if self._method != "HEAD" or code != "AccessDenied":
            return True
        return bool(caller_verified(self._access_key, self._account_id))

    def _notifications(self) -> list[Notification]:
        """The call's notifications, completed with its facts; they are held no longer."""
        told = notifications.facts(
            request_id=self._request_id,
            host_id=self._host_id,
            principal=notification_principal(self._actor.identity),
            source_ip=self._actor.source_ip,
        )
        return [notification.with_facts(told) for notification in self._held.release()]

    async def _notify(self, waiting: Sequence[Notification]) -> None:
        """Queue notifications before the answer goes out."""
        if not waiting:
            return

        def send() -> None:
            for notification in waiting:
                notification.send()

        try:
            async with asyncio.timeout(_NOTIFICATION_SECONDS):
                await asyncio.shield(asyncio.to_thread(send))
        except TimeoutError:
            _log.warning(
                "a notification of request %s is still being delivered after %g seconds;"
                " the caller is answered without it",
                self._request_id,
                _NOTIFICATION_SECONDS,
            )
