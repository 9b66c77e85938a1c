"""Starting and stopping the server process.

A lock on `run/localaws.lock`, held by the server for as long as it lives, says whether it runs;
the process id in that file is only for people and signals. A kill releases the lock by itself.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from localaws.access.root import root_keys
from localaws.server import ports
from localaws.server.environment import server_environment
from localaws.settings import Settings

# These end a hang and measure no speed: the machine may be busy with other things.
START_SECONDS = 600.0
STOP_SECONDS = 120.0
_HEALTH_SECONDS = 30.0
_LOG_LIMIT_BYTES = 32 * 1024 * 1024


class LifecycleError(RuntimeError):
    """What went wrong with starting or stopping, and what to do about it."""


def lock_file(settings: Settings) -> Path:
    """The file whose lock means that a server runs on this home."""
    return settings.run / "localaws.lock"


def log_file(settings: Settings) -> Path:
    """Where the server writes what it does."""
    return settings.logs / "localaws.log"


@contextlib.contextmanager
def hold(settings: Settings) -> Iterator[None]:
    """Hold the home's lock (the server's side); raises LifecycleError when another holds it."""
    settings.run.mkdir(parents=True, exist_ok=True)
    with lock_file(settings).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LifecycleError(f"another server already uses {settings.home}") from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def running_pid(settings: Settings) -> int | None:
    """The process id of the server of this home, None when it does not run."""
    path = lock_file(settings)
    if not path.exists():
        return None
    with path.open("r") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            text = file.read().strip()
            return int(text) if text.isdecimal() else -1
    return None


def health(settings: Settings) -> dict[str, Any] | None:
    """What `/_local/health` says, None when nothing of ours answers on the port."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{settings.endpoint}/_local/health", timeout=_HEALTH_SECONDS) as response:
            document = json.load(response)
    except (OSError, ValueError, urllib.error.URLError):
        return None
    return document if isinstance(document, dict) and "home" in document else None


def start(settings: Settings, env: Mapping[str, str]) -> bool:
    """Start the server and wait until it answers; False when it ran already.

    Raises LifecycleError when the port is taken, or the server does not come up.
    """
    pid = running_pid(settings)
    if pid is not None:
        _await_ready(settings, None)
        return False
    _check_port(settings)
    for folder in (settings.state, settings.s3, settings.logs, settings.run, settings.tmp):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    log = log_file(settings)
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.replace(log.with_suffix(".log.1"))
    environment = server_environment(settings, root_keys(settings), env)
    environment["PYTHONPATH"] = str(Path(__file__).resolve().parents[2])
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "localaws.daemon"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=settings.home,
            start_new_session=True,
        )
    _await_ready(settings, process)
    return True


def stop(settings: Settings, *, kill: bool = False) -> bool:
    """Stop the server; False when it did not run. Everything acknowledged is on disk either way.

    `kill` gives it no time to finish what it does, as a crash would not.
    """
    pid = running_pid(settings)
    if pid is None:
        return False
    if pid < 0:
        raise LifecycleError(f"{lock_file(settings)} names no process; find and stop it yourself")
    for number in (signal.SIGKILL,) if kill else (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            if running_pid(settings) is None:
                return True
            time.sleep(0.05)
    raise LifecycleError(f"process {pid} does not end; see {log_file(settings)}")


def reset(settings: Settings) -> None:
    """Stop the server and forget everything it ever kept; its logs stay."""
    stop(settings)
    for folder in (settings.state, settings.s3, settings.glue, settings.aws, settings.tmp):
        if folder.exists():
            shutil.rmtree(folder)


def _check_port(settings: Settings) -> None:
    if ports.is_free(settings.port):
        return
    by = ports.holder(settings.port)
    # Another program may never answer.
    other = health(settings) if by is None or "localaws.daemon" in by else None
    if other:
        by = f"the local AWS of {other['home']} (process {other['pid']})"
    raise LifecycleError(ports.taken(settings.port, by, variable="LOCAL_AWS_PORT"))


def _await_ready(settings: Settings, process: subprocess.Popen[bytes] | None) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        answer = health(settings)
        if answer and answer["home"] == str(settings.home):
            return
        if process is not None and process.poll() is not None:
            raise LifecycleError(
                f"the server ended at once (exit code {process.returncode}); the end of its log:\n"
                + tail(settings, 15)
            )
        time.sleep(0.05)
    raise LifecycleError(
        f"the server did not answer on {settings.endpoint} within {START_SECONDS:g} s; "
        f"the end of its log:\n" + tail(settings, 15)
    )


def tail(settings: Settings, lines: int) -> str:
    """The last lines of the server's log."""
    path = log_file(settings)
    if not path.exists():
        return f"{path} does not exist"
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
