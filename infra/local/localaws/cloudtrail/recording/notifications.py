"""S3 notifications that agree with CloudTrail, queued before the call is answered.

ministack sends a notification from a thread of its own, with a request id of its own making and
`EXAMPLE` for the caller. On AWS a notification carries the call's request id, the caller and the
address; the two witnesses meet on that request id. And a notification still in a thread when the
process is killed is lost, although the caller was told that the object is stored.

So one function of ministack's S3, the one that starts the thread, is replaced in this process
while one of our observed calls is running: it holds the notification until the observer knows how
the call ended, and then it is queued, with the facts of the call, before the answer goes out.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from ministack.services import s3, sqs

_EVENT_PARAMETERS = (
    "bucket_name", "key", "event_name", "size", "etag", "deletion_type", "version_id",
    "object_extra", "record_extra",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification to be sent. `parameters` are those of ministack's sender, as JSON."""

    bucket: str
    key: str
    event_name: str
    parameters: Mapping[str, Any]

    @property
    def version_id(self) -> str:
        """The object version it tells of; `null` when the bucket has none."""
        return self.parameters.get("version_id") or "null"

    def with_facts(self, told: Mapping[str, Any]) -> Notification:
        """The same with the facts of its call in its record."""
        record_extra = {**(self.parameters.get("record_extra") or {}), **told}
        parameters = {**self.parameters, "record_extra": record_extra}
        return Notification(self.bucket, self.key, self.event_name, parameters)

    def send(self) -> None:
        """Deliver it to whoever the bucket notifies. Blocks; not for the event loop.

        The lock is the one under which ministack's own threads replace a queue's list of messages:
        without it, a message added meanwhile would be lost.
        """
        with sqs._queues_lock:  # noqa: SLF001
            s3._fire_s3_event(self.bucket, self.key, self.event_name, **self.parameters)  # noqa: SLF001


@dataclass(slots=True)
class Held:
    """Notifications of one call, in the order it made them; none are held once `released`."""

    waiting: list[Notification] = field(default_factory=list)
    released: bool = False

    def release(self) -> list[Notification]:
        """Hand over what was held; what the call still makes goes ministack's way."""
        waiting, self.waiting, self.released = self.waiting, [], True
        return waiting


_current: ContextVar[Held | None] = ContextVar("localaws_held_notifications", default=None)


@contextlib.contextmanager
def holding() -> Iterator[Held]:
    """Hold the notifications of the S3 call made inside the block."""
    held = Held()
    token = _current.set(held)
    try:
        yield held
    finally:
        _current.reset(token)


def facts(*, request_id: str, host_id: str, principal: str, source_ip: str) -> dict[str, Any]:
    """The part of a notification record that tells of the call rather than of the object."""
    return {
        "userIdentity": {"principalId": principal},
        "requestParameters": {"sourceIPAddress": source_ip},
        "responseElements": {"x-amz-request-id": request_id, "x-amz-id-2": host_id},
    }


def install() -> None:
    """Take over how ministack's S3 starts a notification. Does nothing the second time.

    Raises RuntimeError when this ministack is not the one we know.
    """
    start = s3._fire_s3_event_async  # noqa: SLF001
    if getattr(start, "holds_notifications", False):
        return
    known = tuple(inspect.signature(start).parameters) == _EVENT_PARAMETERS
    takes_sequencer = "sequencer" in inspect.signature(s3._fire_s3_event).parameters  # noqa: SLF001
    if not (known and takes_sequencer):
        raise RuntimeError(
            "ministack.services.s3 starts notifications in an unknown way: install the version"
            " in infra/local/requirements.txt, or adapt"
            " localaws/cloudtrail/recording/notifications.py"
        )
    s3._fire_s3_event_async = _holding_start(start)  # noqa: SLF001


def _holding_start(start: Callable[..., None]) -> Callable[..., None]:
    def fire(bucket_name: str, key: str, event_name: str, *args: Any, **kwargs: Any) -> None:
        held = _current.get()
        # A thread ministack started during the call may come here after the answer went out.
        if held is None or held.released:
            start(bucket_name, key, event_name, *args, **kwargs)
            return
        if bucket_name not in s3._bucket_notifications:  # noqa: SLF001
            return
        parameters = dict(zip(_EVENT_PARAMETERS[3:], args, strict=False)) | kwargs
        # Drawn now, while the object changes: it orders the events of one key.
        parameters["sequencer"] = s3._next_event_sequencer(event_name)  # noqa: SLF001
        held.waiting.append(Notification(bucket_name, key, event_name, parameters))

    fire.holds_notifications = True  # type: ignore[attr-defined]
    return fire
