"""ministack's service state, written while it runs.

ministack writes the state of its services when it is shut down, and only then. Here the same state
goes into the same files (`state/<service>.json`, in ministack's own format, so that ministack
reads it back by itself) whenever something was acknowledged. What did not change is not written
again. Everything ministack keeps but never writes is added: STS sessions.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ministack import app as ministack
from ministack.core import persistence
from ministack.services import sts

from localaws.files import write_private

log = logging.getLogger("localaws.durability.checkpoint")

_ATTEMPTS = 20
_SESSIONS = "sts-sessions"
# The services a stack of the platform reaches without a call of their own. To these come the ones
# somebody calls; ministack has ninety more loaded, whose state is empty.
_PLATFORM = frozenset(
    {
        _SESSIONS,
        "athena",
        "budgets",
        "cloudformation",
        "cloudtrail",
        "cloudwatch",
        "cloudwatch_logs",
        "ec2",
        "eventbridge",
        "glue",
        "iam",
        "kms",
        "lambda",
        "mwaa",
        "s3",
        "sns",
        "sqs",
        "ssm",
    }
)


class CheckpointError(RuntimeError):
    """State could not be written (nothing may be acknowledged) or read; names the service."""


class Checkpoints:
    """Writes service state to `folder`. Not thread-safe: used on the event loop only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: dict[str, bytes] = {}
        self._in_use = set(_PLATFORM)

    def open(self) -> None:
        """Take up the files that are there, whose services are in use from now on.

        Raises CheckpointError for a file ministack could not read: it would begin without it.
        """
        for path in sorted(self._folder.glob("*.json")):
            try:
                json.loads(path.read_bytes())
            except ValueError as error:
                raise CheckpointError(f"{path}: {error}; reset the local AWS") from error
            self._in_use.add(path.stem)

    def tidy(self) -> None:
        """Remove what ministack wrote, at its end, of services nobody used.

        Each would be loaded at the next start, for nothing.
        """
        for path in self._folder.glob("*.json"):
            if path.stem not in self._in_use:
                path.unlink()

    def keys_of(self, service: str) -> set[str]:
        """The state files of a service as ministack's router names it."""
        config: dict[str, Any] = ministack.SERVICE_REGISTRY.get(service, {})
        if not config:
            return set()
        keys = {config.get("state_key", config["module"]), *config.get("sub_modules", ())}
        keys |= {_SESSIONS} if service == "sts" else set()
        self._in_use |= keys
        return keys

    def all_keys(self) -> set[str]:
        """The state files of the services in use."""
        return set(self._in_use)

    def save(self, keys: Iterable[str]) -> None:
        """Write what changed of these; raises CheckpointError."""
        states = self._states()
        for key in sorted(keys):
            if key in states:
                self._save(key, states[key])

    def restore_sessions(self) -> None:
        """Bring back the STS sessions that have not expired."""
        path = self._folder / f"{_SESSIONS}.json"
        if path.exists():
            document = json.loads(path.read_text(encoding="utf-8"))
            sts._sessions.update(_unexpired(document["payload"]))  # noqa: SLF001

    def _states(self) -> dict[str, Callable[[], Any]]:
        states: dict[str, Callable[[], Any]] = ministack._build_persistence_save_dict()  # noqa: SLF001
        return states | {_SESSIONS: lambda: _unexpired(sts._sessions)}  # noqa: SLF001

    def _save(self, key: str, get_state: Callable[[], Any]) -> None:
        text = self._serialise(key, get_state)
        if text is None:
            return
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        if self._written.get(key) == digest:
            return
        try:
            write_private(self._folder / f"{key}.json", text)
        except OSError as error:
            raise CheckpointError(f"cannot write the state of {key}: {error}") from error
        self._written[key] = digest

    def _serialise(self, key: str, get_state: Callable[[], Any]) -> str | None:
        version = persistence._state_format_version(key)  # noqa: SLF001
        for _ in range(_ATTEMPTS):
            try:
                state = get_state()
                if state is None:  # a service that failed to load
                    return None
                document = {"__ministack_format__": version, "payload": state}
                return json.dumps(document, default=persistence._json_default)  # noqa: SLF001
            except RuntimeError as error:
                # A thread of ministack's changed a dictionary under the copy: copy again.
                log.debug("%s changed while it was copied: %s", key, error)
        raise CheckpointError(f"the state of {key} kept changing while it was copied")


def _unexpired(sessions: dict[str, Any]) -> dict[str, Any]:
    now = time.time()
    return {
        key: session
        for key, session in list(sessions.items())
        if not isinstance(session.get("Expiration"), int | float) or session["Expiration"] > now
    }
