"""Messages in queues, kept across a kill.

While the server runs, `QueueJournal` notes every message that came into a queue or left one. After
a kill, `recovered` folds those notes into the last checkpoint of SQS, before ministack reads it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ministack.services import sqs

# Long enough for the server to listen again before a function is started on a message.
_VISIBLE_AFTER_SECONDS = 1.0

QueueKey = tuple[str, str, str]


class QueueJournal:
    """Finds what changed in the queues since it was last asked."""

    def __init__(self) -> None:
        self._known: dict[QueueKey, set[str]] = {}

    def changes(self) -> list[dict[str, Any]]:
        """Journal entries for the messages that came and went."""
        entries: list[dict[str, Any]] = []
        for key, queue in _queues():
            known = self._known.get(key, set())
            messages = list(queue["messages"])
            current = {message["id"] for message in messages}
            if current == known:
                continue
            came = [message for message in messages if message["id"] not in known]
            entries += ({"t": "message", "queue": list(key), "message": m} for m in came)
            gone = sorted(known - current)
            if gone:
                entries.append({"t": "gone", "queue": list(key), "ids": gone})
            self._known[key] = current
        return entries


def drop(version_ids: Iterable[str]) -> None:
    """Take the notifications of these object versions out of the queues."""
    wanted = tuple(version_ids)
    with sqs._queues_lock:  # noqa: SLF001
        for _, queue in _queues():
            queue["messages"] = [
                message
                for message in queue["messages"]
                if not any(version_id in message["body"] for version_id in wanted)
            ]


def recovered(
    state: dict[str, Any], entries: Iterable[dict[str, Any]], now: float
) -> dict[str, Any]:
    """SQS's state file with the journal folded in.

    Messages that were in flight are visible again, a moment after `now` (epoch seconds), as if they
    had not been received: whoever worked on them is as dead as the server, and a crash of the queue
    is no failed attempt. Both arguments are as read from JSON; `state` is changed and returned.
    """
    queues: dict[str, Any] = state["payload"]["queues"]["data"]
    by_key = {_key_of_stored(stored): queue for stored, queue in queues.items()}
    for entry in entries:
        if entry["t"] not in ("message", "gone"):
            continue
        queue = by_key.get(tuple(entry["queue"]))
        if queue is None:  # deleted since
            continue
        messages = queue["messages"]
        if entry["t"] == "gone":
            gone = set(entry["ids"])
            queue["messages"] = [m for m in messages if m["id"] not in gone]
        elif all(m["id"] != entry["message"]["id"] for m in messages):
            messages.append(entry["message"])
    for queue in queues.values():
        for message in queue["messages"]:
            _put_back(message, now)
    return state


def _put_back(message: dict[str, Any], now: float) -> None:
    visible_at, received = message.get("visible_at", 0), message.get("receive_count", 0)
    if visible_at > now and received == 0:  # sent with a delay
        return
    if visible_at > now and message["receipt_handle"] is not None:
        message["receive_count"] = received - 1
    message["receipt_handle"] = None
    message["visible_at"] = now + _VISIBLE_AFTER_SECONDS


def _key_of_stored(stored: str) -> QueueKey:
    """ministack writes a key as account, region and the repr of the queue's URL, NUL between."""
    account, region, url = stored.split("\0", 2)
    return account, region, url.strip("'\"")


def _queues() -> list[tuple[QueueKey, dict[str, Any]]]:
    return list(sqs._queues._data.items())  # noqa: SLF001
