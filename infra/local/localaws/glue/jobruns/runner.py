"""Executes job runs: as their role, in a process of their own, within their time.

A run's folder (`glue/<run id>`) holds the script, stdout, stderr, and what lets another server
process take the run over: `alive.lock`, locked for as long as a process of the run lives, and
`exit_code`, written when the script has ended.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from localaws.glue.account import Account, RoleSession
from localaws.glue.jobruns import logs, modules, roles
from localaws.glue.jobruns.failures import error_message
from localaws.glue.jobruns.modules import ModuleError
from localaws.glue.jobruns.roles import RoleError
from localaws.glue.jobruns.runs import JobRun, Runs
from localaws.glue.spark import configuration
from localaws.glue.spark.configuration import SparkHome
from localaws.glue.spark.jars import missing
from localaws.settings import HOST, Settings

log = logging.getLogger("localaws.glue")

_POLL_SECONDS = 0.1
_GRACE_SECONDS = 5.0
# Ends a hang: a machine under load may take minutes to let the server answer.
_START_SECONDS = 600.0
# The script's exit code is kept in a file: after a restart nobody can wait for the process.
_WRAPPER = 'out=$1; shift; "$@" >"$out/stdout" 2>"$out/stderr"; echo $? >"$out/exit_code"'


class LaunchError(RuntimeError):
    """The run cannot begin; the message is the run's ErrorMessage."""


class Runner:
    """Runs jobs, at most `slots` at a time; the others wait as STARTING."""

    def __init__(
        self,
        settings: Settings,
        account: Account,
        home: SparkHome,
        runs: Runs,
        slots: int = 2,
        seconds_per_minute: float = 60.0,
    ) -> None:
        """`seconds_per_minute` shortens the minutes of a job's timeout in tests."""
        self._settings = settings
        self._account = account
        self._home = home
        self._runs = runs
        self._slots = asyncio.Semaphore(slots)
        self._minute = seconds_per_minute
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def recover(self) -> None:
        """Take over the runs that an earlier server process left."""
        for run in self._runs.in_flight():
            if run.process is not None and _locked(self._folder(run)):
                log.info("run %s goes on in process %d", run.id, run.process)
                work = self._watch(run.id)
            elif run.process is None and not self._folder(run).exists():
                work = self._execute(run.id)
            else:
                work = self._conclude(run.id)
            self._spawn(run.id, self._once_up(work))

    def launch(self, run: JobRun) -> None:
        """Begin a run as soon as there is a free slot."""
        self._spawn(run.id, self._execute(run.id))

    async def close(self) -> None:
        """End every run: nothing of ours outlives the server."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        for run in self._runs.in_flight():
            await self._terminate(run)
            self._runs.change(
                run.id,
                state="FAILED",
                completed_on=time.time(),
                error_message="The local AWS was stopped while the job ran",
            )

    async def _once_up(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something when our endpoint answers; at start it does not yet."""
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            with suppress(OSError):
                _, writer = await asyncio.open_connection(HOST, self._settings.port)
                writer.close()
                break
            await asyncio.sleep(_POLL_SECONDS)
        await work

    def _spawn(self, run_id: str, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks[run_id] = task
        task.add_done_callback(lambda done: self._done(run_id, done))

    def _done(self, run_id: str, task: asyncio.Task[None]) -> None:
        self._tasks.pop(run_id, None)
        if not task.cancelled() and task.exception() is not None:
            log.error("run %s could not be handled", run_id, exc_info=task.exception())
            self._end(run_id, "FAILED", f"Internal service failure: {task.exception()!r}")

    def _folder(self, run: JobRun) -> Path:
        return self._settings.glue / run.id

    def _end(self, run_id: str, state: str, message: str | None = None) -> None:
        self._runs.change(run_id, state=state, completed_on=time.time(), error_message=message)
        log.info("run %s: %s%s", run_id, state, f" ({message})" if message else "")

    async def _execute(self, run_id: str) -> None:
        async with self._slots:
            run = self._current(run_id)
            if run.state == "STOPPING":
                self._end(run_id, "STOPPED")
                return
            try:
                await asyncio.to_thread(self._begin, run)
            except (LaunchError, RoleError, ModuleError) as error:
                self._end(run_id, "FAILED", str(error))
                return
            except (ClientError, BotoCoreError) as error:
                self._end(run_id, "FAILED", f"LAUNCH ERROR | {error}")
                return
            await self._watch(run_id)

    def _begin(self, run: JobRun) -> None:
        """Fetch what the run needs, as its role, and start its process."""
        session = self._role_session(run)
        folder = self._folder(run)
        (folder / "lib").mkdir(parents=True, exist_ok=True, mode=0o700)
        self._check_environment()
        s3, given = self._account.client_as(session, "s3"), run.script_arguments
        modules.check(
            given.get("--additional-python-modules", ""),
            given.get("--python-modules-installer-option", ""),
            self._home.python,
            lambda uri: _fetch(s3, uri, folder / "lib"),
        )
        named = run.definition.get("Command", {}).get("ScriptLocation", "")
        script = _fetch(s3, given.get("--scriptLocation", named), folder)
        for uri in _uris(given, "--extra-files"):
            _fetch(s3, uri, folder)
        libraries = [_fetch(s3, uri, folder / "lib") for uri in _uris(given, "--extra-py-files")]
        archive = self._home.class_archive
        faster = [f"-XX:SharedArchiveFile={archive}"] if archive.exists() else []
        properties = configuration.prepare(
            self._home,
            folder,
            configuration.properties(
                self._home, folder, self._settings.endpoint, self._settings.region, faster
            )
            | configuration.asked_for(given.get("--conf", "")),
        )
        python_path = [path.parent if path.suffix == ".py" else path for path in libraries]
        env = configuration.environment(self._home, folder, properties, python_path)
        env |= session.environment() | {
            "AWS_ENDPOINT_URL": self._settings.endpoint,
            "AWS_REGION": self._settings.region,
            "AWS_DEFAULT_REGION": self._settings.region,
        }
        arguments = [part for pair in given.items() for part in pair]
        command = ["sh", "-c", _WRAPPER, "sh", str(folder), str(self._home.python), str(script)]
        with (folder / "alive.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            process = subprocess.Popen(
                [*command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=env,
                cwd=folder,
                pass_fds=(lock.fileno(),),
                start_new_session=True,
            )
        self._processes[run.id] = process
        self._runs.change(run.id, state="RUNNING", running_since=time.time(), process=process.pid)
        log.info("run %s of %s: process %d", run.id, run.job_name, process.pid)

    def _role_session(self, run: JobRun) -> RoleSession:
        """Credentials of the job's role; asked for by the account itself, as a service does."""
        name = f"GlueJobRunnerSession-{run.id[-16:]}"
        return roles.assume(self._account, run.definition.get("Role", ""), name)

    def _check_environment(self) -> None:
        if not self._home.python.exists():
            raise LaunchError(f"{self._home.python} is missing: run `make setup`")
        if lacking := missing(self._home.jars):
            raise LaunchError(f"{self._home.jars} lacks {', '.join(lacking)}: run `make setup`")

    async def _watch(self, run_id: str) -> None:
        """Wait for the script's end, for a stop, or for the end of its time."""
        run = self._current(run_id)
        deadline = (run.running_since or time.time()) + run.timeout * self._minute
        while self._lives(run):
            if self._current(run_id).state == "STOPPING":
                await self._terminate(run)
            elif time.time() > deadline:
                await self._terminate(run)
                await self._publish_logs(run)
                self._end(run_id, "TIMEOUT", f"Job run exceeded its timeout of {run.timeout} min")
                return
            await asyncio.sleep(_POLL_SECONDS)
        await self._conclude(run_id)

    async def _conclude(self, run_id: str) -> None:
        """Give a run whose processes are gone its final state."""
        run = self._current(run_id)
        folder = self._folder(run)
        await self._publish_logs(run)
        if self._current(run_id).state == "STOPPING":
            self._end(run_id, "STOPPED")
            return
        code = _exit_code(folder)
        if code is None:
            self._end(run_id, "FAILED", "The job's processes were killed before the script ended")
        elif code == 0:
            self._end(run_id, "SUCCEEDED")
            shutil.rmtree(folder / "tmp", ignore_errors=True)
        else:
            self._end(run_id, "FAILED", error_message(folder / "stderr", code))

    async def _publish_logs(self, run: JobRun) -> None:
        """The run's output to CloudWatch Logs; without the permission it stays in the folder."""
        try:
            await asyncio.to_thread(self._push_logs, run)
        except (ClientError, BotoCoreError, RoleError) as error:
            log.warning("run %s: its output is not in CloudWatch Logs: %s", run.id, error)

    def _push_logs(self, run: JobRun) -> None:
        client = self._account.client_as(self._role_session(run), "logs")
        logs.push(client, run.log_group, run.id, self._folder(run))

    async def _terminate(self, run: JobRun) -> None:
        """End the run's processes: politely, then not."""
        run = self._current(run.id)
        for number in (signal.SIGTERM, signal.SIGKILL):
            if run.process is None or not self._lives(run):
                return
            with suppress(ProcessLookupError):
                os.killpg(run.process, number)
            deadline = time.monotonic() + _GRACE_SECONDS
            # A process group has no event to wait for.
            while self._lives(run) and time.monotonic() < deadline:  # noqa: ASYNC110
                await asyncio.sleep(_POLL_SECONDS)

    def _lives(self, run: JobRun) -> bool:
        if _locked(self._folder(run)):
            return True
        process = self._processes.pop(run.id, None)
        if process is not None:
            process.wait()  # it has ended: lets the kernel forget it
        return False

    def _current(self, run_id: str) -> JobRun:
        run = self._runs.get(run_id)
        if run is None:
            raise KeyError(run_id)
        return run


def _locked(folder: Path) -> bool:
    """Whether a process of the run still holds its lock."""
    try:
        with (folder / "alive.lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _exit_code(folder: Path) -> int | None:
    path = folder / "exit_code"
    text = path.read_text().strip() if path.exists() else ""
    return int(text) if text.isdecimal() else None


def _uris(arguments: Mapping[str, str], name: str) -> list[str]:
    """The S3 URIs in one of Glue's own arguments, separated by commas."""
    return [uri.strip() for uri in arguments.get(name, "").split(",") if uri.strip()]


def _fetch(s3: Any, uri: str, folder: Path) -> Path:
    """Download an `s3://` object into a folder under its own name. Raises LaunchError."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not key:
        raise LaunchError(f"LAUNCH ERROR | {uri!r} is no s3:// location")
    path = folder / key.rpartition("/")[2]
    try:
        with path.open("wb") as file:
            shutil.copyfileobj(s3.get_object(Bucket=bucket, Key=key)["Body"], file)
    except s3.exceptions.NoSuchKey as error:
        raise LaunchError(f"LAUNCH ERROR | File not found: {uri}") from error
    return path
