"""Watches every call but S3's data events pass, for the trails and for the event history.

Where there is no trail, a call passes untouched. Bodies are kept only of the calls whose parameters
are told, and of errors, up to a limit.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from urllib.parse import unquote

from ministack.core.iam_actions import extract_iam_action
from ministack.core.router import extract_region

from localaws.access import identity
from localaws.cloudtrail.place import region_of_call
from localaws.cloudtrail.recording import management, s3calls
from localaws.cloudtrail.recording.actors import actor_of
from localaws.cloudtrail.recording.events import Actor, service_identity
from localaws.cloudtrail.recording.management import Answer, ApiCall
from localaws.cloudtrail.recording.observer import virtual_bucket
from localaws.cloudtrail.recording.recorder import Recorder
from localaws.server.wire import App, Head, Message, Receive, Scope, Send, decode

_KEPT = 256 * 1024
# Where a thing is named in a URL: what stands before it, and what CloudTrail calls it.
_IN_URL = {
    "lambda": {"functions": "functionName", "event-source-mappings": "uUID"},
    "airflow": {"environments": "name", "restapi": "name"},
}
_OURS = ("/_local/", "/_ministack/", "/_localstack/")
# A service of ours that calls as the account says so in its client's name.
_SERVICE = re.compile(r"\bapp/([a-z-]+\.amazonaws\.com)\b")


def observe_api(
    app: App,
    recorder: Recorder,
    account_id: str,
    clock: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
) -> App:
    """Wrap the whole local AWS; what is no API call passes untouched."""

    async def observed(scope: Scope, receive: Receive, send: Send) -> None:
        head = Head.of(scope) if scope["type"] == "http" else None
        if head is None or head.path.startswith(_OURS) or not _may_be_logged(head, recorder):
            await app(scope, receive, send)
            return
        await _Call(recorder, account_id, clock, scope, head).run(app, receive, send)

    return observed


def _may_be_logged(head: Head, recorder: Recorder) -> bool:
    if not identity.access_key_of(head):
        return False
    service = identity.service_of(head)
    # Starting a trail is logged by the trail it starts. Where there is none, nobody is to be told.
    if service != "cloudtrail" and not recorder.trails():
        return False
    if service != "s3":
        return True
    bucket = virtual_bucket(head.headers.get("host", ""))
    query = tuple((name, value) for name, values in head.query.items() for value in values)
    raw_path = head.raw_path.encode("latin-1")
    return s3calls.parse(head.method, raw_path, query, head.headers, bucket) is None


class _Call:
    """One API call and its answer. The answer goes out once the call is journalled."""

    def __init__(
        self,
        recorder: Recorder,
        account_id: str,
        clock: Callable[[], dt.datetime],
        scope: Scope,
        head: Head,
    ) -> None:
        self._recorder = recorder
        self._clock = clock
        self._scope = scope
        self._head = head
        # Resolved before the call, which may outlive the credential, or the trail.
        self._actor = _actor(scope, head, account_id)
        self._before = recorder.trails()
        self._request = bytearray()
        self._start: Message | None = None
        self._answer = bytearray()
        self._held: list[Message] = []

    async def run(self, app: App, receive: Receive, send: Send) -> None:
        async def keeping() -> Message:
            message = await receive()
            self._keep(self._request, message)
            return message

        async def on_message(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._start = message
                self._held.append(message)
                return
            if message["type"] == "http.response.body" and self._held:
                self._held.append(message)
                self._keep(self._answer, message)
                if message.get("more_body", False) and len(self._answer) < _KEPT:
                    return
                self._record()
                for held in self._held:
                    await send(held)
                self._held.clear()
                return
            await send(message)

        await app(self._scope, keeping, on_message)

    @staticmethod
    def _keep(kept: bytearray, message: Message) -> None:
        if len(kept) < _KEPT:
            kept += message.get("body", b"")[: _KEPT - len(kept)]

    def _record(self) -> None:
        call = self._call()
        if call is None:
            return
        assert self._start is not None  # noqa: S101 - the response has begun
        headers = decode(self._start.get("headers", []))
        answer = Answer(
            status=self._start["status"],
            headers=headers,
            body=bytes(self._answer),
            request_id=headers.get("x-amzn-requestid") or headers.get("x-amz-request-id", ""),
            completed_at=self._clock(),
        )
        head = self._head
        signed_for = str(extract_region(dict(head.headers), dict(head.query)))
        self._recorder.record_call(
            call,
            bytes(self._request),
            self._actor,
            answer,
            self._before,
            region_of_call(call.service, signed_for, self._recorder.regions),
        )

    def _call(self) -> ApiCall | None:
        head = self._head
        service = identity.service_of(head)
        action = extract_iam_action(
            service,
            head.method,
            head.path,
            dict(head.headers),
            bytes(self._request),
            dict(head.query),
        )
        return management.parse(action, tuple(_named(service, head)))


def _named(service: str, head: Head) -> Iterator[tuple[str, str]]:
    """The parameters in a call's URL, by CloudTrail's names."""
    parts = head.path.strip("/").split("/")
    if service == "s3":
        bucket = virtual_bucket(head.headers.get("host", "")) or parts[0]
        yield from [("bucketName", bucket)] if bucket else []
    names = _IN_URL.get(service, {})
    for kind, name in itertools.pairwise(parts):
        if kind in names:
            yield names[kind], unquote(name)


def _actor(scope: Scope, head: Head, account_id: str) -> Actor:
    """The caller; what the account's root does for one of our services is that service's call."""
    key = identity.access_key_of(head)
    actor = actor_of(scope, head, key, account_id)
    named = _SERVICE.search(head.headers.get("user-agent", ""))
    if named is None or not identity.is_root(key):
        return actor
    service = named[1]
    return replace(actor, identity=service_identity(service), source_ip=service, user_agent=service)
