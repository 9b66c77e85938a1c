"""What was acknowledged survives a kill.

`Durability` stands around ministack (and what observes it). An answer is let go only when what it
says is on disk:

- a change to a service's configuration: that service's state is checkpointed;
- a message in a queue, from whatever call: it is in the journal;
- an S3 write: ministack itself wrote the object; its locks, and the notifications it put into
  queues, are in the journal, and so is the fact that it was answered.

Everything else (what happens between requests: a stack going on, a function run from a queue) is
checkpointed every few seconds, and when the server stops.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.iam_actions import extract_iam_action

from localaws.access import identity
from localaws.durability import journal, moving, queues, s3writes
from localaws.durability.checkpoint import Checkpoints
from localaws.durability.journal import Journal
from localaws.durability.queues import QueueJournal
from localaws.durability.s3writes import OnRecord, Write, WriteJournal
from localaws.files import write_private
from localaws.server.wire import App, Head, Message, Receive, Scope, Send, decode, read_body, replay
from localaws.settings import Settings

log = logging.getLogger("localaws.durability.middleware")

_BODY_LIMIT = 128 * 1024 * 1024  # a function's zip is the largest body that is not an object
_BATCH_LIMIT = 4 * 1024 * 1024  # a batch delete names at most a thousand keys
_PAUSE_SECONDS = 2.0
_COMPACT_BYTES = 256 * 1024

_READING = (
    "BatchGet", "Check", "Decode", "Describe", "Discover", "Estimate", "Filter", "Get", "Head",
    "Invoke", "List", "Lookup", "Preview", "Search", "Select", "Simulate", "Test", "Validate",
)  # fmt: skip
# They read by another name, or change only what a kill may undo (a message becomes visible again).
_READING_TOO = frozenset(
    {
        "kms:Decrypt",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:GenerateDataKeyPair",
        "kms:GenerateDataKeyPairWithoutPlaintext",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:GenerateMac",
        "kms:GenerateRandom",
        "kms:ReEncrypt",
        "kms:Sign",
        "kms:Verify",
        "kms:VerifyMac",
        "sqs:ChangeMessageVisibility",
        "sqs:ChangeMessageVisibilityBatch",
        "sqs:ReceiveMessage",
    }
)
# Their names begin like a read, and they make a session.
_WRITING = frozenset({"sts:GetFederationToken", "sts:GetSessionToken"})


def is_read(action: str) -> bool:
    """Whether an IAM action (`service:Name`) leaves nothing that has to be kept."""
    if action in _WRITING:
        return False
    return action in _READING_TOO or action.partition(":")[2].startswith(_READING)


class Durability:
    """Keeps the state of one server. `on_record` asks CloudTrail about a write: see `s3writes`."""

    def __init__(self, settings: Settings, on_record: OnRecord) -> None:
        folder = settings.state
        self._settings = settings
        self._on_record = on_record
        self._sqs_state = folder / "sqs.json"
        self._path = folder / "local" / "journal.jsonl"
        self._locks_path = folder / "local" / "locks.jsonl"
        self._checkpoints = Checkpoints(folder)
        self._queues = QueueJournal()
        self._writes = WriteJournal(settings.account_id)
        self._checkpoints.open()
        moving.move(folder, self._path, settings.endpoint)
        self._entries = self._fold_queues()
        self._journal = Journal(self._path)
        self._locks = Journal(self._locks_path)
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    # Before and after serving

    def _fold_queues(self) -> list[dict[str, Any]]:
        """Complete SQS's state from the journal, before ministack reads it."""
        entries = list(journal.read(self._path))
        if self._sqs_state.exists():
            state = json.loads(self._sqs_state.read_text(encoding="utf-8"))
            write_private(
                self._sqs_state, json.dumps(queues.recovered(state, entries, time.time()))
            )
        return entries

    async def start(self) -> None:
        """Bring back what ministack does not, and settle what a kill left unfinished."""
        account, region = self._settings.account_id, self._settings.region
        self._checkpoints.restore_sessions()
        locks = s3writes.restore_locks(account, journal.read(self._locks_path))
        undone = s3writes.settle(account, region, self._entries, self._on_record)
        queues.drop(undone)
        self._entries = []
        self._locks.replace(locks)
        self._compact(self._checkpoints.all_keys())
        self._task = asyncio.create_task(self._keep(), name="durability")

    async def stop(self) -> None:
        """Write everything a last time."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._compact(self._checkpoints.all_keys())
        self._journal.close()
        self._locks.close()

    def close(self) -> None:
        """After ministack has written its state, the last of all."""
        self._checkpoints.tidy()

    async def _keep(self) -> None:
        """Checkpoint what changed between requests."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            began = time.monotonic()
            try:
                self._compact(self._checkpoints.all_keys())
            except Exception:
                # Whatever needs it will fail to be acknowledged; the next round may do better.
                log.exception("a checkpoint failed")
            # A tenth of the time at most, however much there is to write.
            await asyncio.sleep(max(_PAUSE_SECONDS, 10 * (time.monotonic() - began)))

    def _compact(self, keys: set[str]) -> None:
        """Checkpoint, and begin a new journal with what the checkpoint does not hold.

        A thread may put a message into a queue meanwhile. The checkpoint has at least the messages
        that the journal has by now; any later one is still news to the next journal.
        """
        self._journal.append(self._queues.changes())
        self._checkpoints.save(keys | {"sqs"})
        self._journal.replace(self._writes.open())

    # Serving

    def wrap(self, app: App) -> App:
        """`app` with every answer held back until what it says is kept."""

        async def durable(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            head = Head.of(scope)
            service = identity.service_of(head)
            if service == "s3":
                await self._s3(app, scope, receive, send, head)
            else:
                await self._other(app, scope, receive, send, head, service)

        return durable

    async def _s3(self, app: App, scope: Scope, receive: Receive, send: Send, head: Head) -> None:
        if head.method in ("GET", "HEAD"):
            await app(scope, receive, send)
            return
        write = Write.of(head)
        if write is None:
            await app(scope, receive, _holding(send, lambda _: self._commit({"s3"})))
            return
        if write.kind == "batch":
            body = await read_body(receive, _BATCH_LIMIT)
            write, receive = write.with_keys(body), replay(body, receive)
        number, begun = self._writes.begin(write)
        self._journal.append(begun)

        def answered(headers: Mapping[str, str]) -> None:
            self._locks.append(self._writes.locks(write))
            ended = self._writes.end(number, headers.get("x-amz-version-id"))
            self._journal.append([*self._queues.changes(), *ended])
            self._changed.set()

        try:
            await app(scope, receive, _holding(send, answered))
        finally:
            self._writes.abandon(number)

    async def _other(
        self, app: App, scope: Scope, receive: Receive, send: Send, head: Head, service: str
    ) -> None:
        body = await read_body(receive, _BODY_LIMIT)
        action = extract_iam_action(
            service, head.method, head.path, dict(head.headers), body, dict(head.query)
        )
        receive = replay(body, receive)
        if action is not None and is_read(action) and service != "cloudformation":
            await app(scope, receive, send)
            return

        def committed(_headers: Mapping[str, str]) -> None:
            # A stack changes other services long after the call that began it was answered:
            # whoever sees its state sees theirs.
            everything = service == "cloudformation"
            checkpoints = self._checkpoints
            self._commit(checkpoints.all_keys() if everything else checkpoints.keys_of(service))

        await app(scope, receive, _holding(send, committed))

    def commit(self, service: str) -> None:
        """Keep what one of ours changed in a service of ministack's without an HTTP call."""
        self._commit(self._checkpoints.keys_of(service))

    def _commit(self, keys: set[str]) -> None:
        self._journal.append(self._queues.changes())
        self._checkpoints.save(keys)
        self._changed.set()
        if self._journal.size > _COMPACT_BYTES:
            self._compact(set())


def _holding(send: Send, commit: Callable[[Mapping[str, str]], None]) -> Send:
    """A `send` that calls `commit` with the answer's headers, once, before the answer begins."""
    committed = False

    async def send_after(message: Message) -> None:
        nonlocal committed
        if message["type"] == "http.response.start" and not committed:
            committed = True
            commit(decode(message.get("headers", [])))
        await send(message)

    return send_after
