"""The local Airflow: its components with the settings MWAA gives them, and its REST API."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import requests

from localaws.server import ports
from rehearsal import readiness
from rehearsal.database import Database
from rehearsal.machine import PROJECT, STAGE, Machine, tool_folder
from rehearsal.waiting import wait_until

USER = "admin"
OPERATOR = "operator"
_HTTP_SECONDS = 120


class AirflowRefused(RuntimeError):
    """Airflow's API answered with an error; the message names the call and shows the answer."""

    def __init__(self, method: str, path: str, response: requests.Response) -> None:
        self.status = response.status_code
        super().__init__(
            f"Airflow answered {self.status} to {method} {path}: {response.text[:2000]}"
        )


class StartError(RuntimeError):
    """Airflow cannot start; the message says why, and what to do or where to look."""


class Airflow:
    """Start, stop and talk to the Airflow of one machine, as one of its users."""

    def __init__(self, machine: Machine, user: str = USER) -> None:
        self._machine = machine
        self._user = user
        self._home = machine.home / "airflow"
        self._database = Database(self._home / "database")
        self._pid_file = machine.home / "run" / "airflow.pid"
        self._process: subprocess.Popen[bytes] | None = None
        self._http = requests.Session()
        self._http.trust_env = False  # loopback only, whatever proxy the machine has

    # Process

    @property
    def log_file(self) -> Path:
        return self._machine.home / "logs" / "airflow.log"

    @property
    def password(self) -> str:
        """The user's password, made at the first start."""
        return str(json.loads(self._passwords.read_text())[self._user])

    @property
    def is_made(self) -> bool:
        """Whether there has been a first start."""
        return self._passwords.exists()

    @property
    def _passwords(self) -> Path:
        return self._home / "passwords.json"

    def check_port(self) -> None:
        """Raise `StartError` when this Airflow does not run and another program has its port."""
        port = self._machine.airflow_port
        if self.pid() is None and not ports.is_free(port):
            raise StartError(ports.taken(port, ports.holder(port), variable="AIRFLOW_PORT"))

    def start(self) -> None:
        """Start in the background, if not already running; does not wait: see `wait_ready`.

        Raises:
            StartError: another program has the port.
        """
        if self.pid() is not None:
            return
        self.check_port()
        self._home.mkdir(parents=True, exist_ok=True)
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        if not self.is_made:
            self._passwords.touch(mode=0o600)
            made = {user: secrets.token_urlsafe(12) for user in (USER, OPERATOR)}
            self._passwords.write_text(json.dumps(made))
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [tool_folder("platform") / "python", "-m", "rehearsal.components"],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._pid_file.write_text(str(self._process.pid))

    def stop(self, *, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop every Airflow process of this machine; SIGKILL rehearses a crash.

        A crash leaves the database alone, as it would on MWAA, where it is another service.
        """
        pid = self.pid()
        if pid is not None:
            self._stop_processes(pid, how)
        if how is signal.SIGTERM:
            self._database.stop()

    def _stop_processes(self, pid: int, how: signal.Signals) -> None:
        for group in self._process_groups(pid):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, how)
        if how is signal.SIGTERM:
            with contextlib.suppress(TimeoutError):
                wait_until("Airflow has stopped", lambda: self.pid() is None, seconds=20)
            for group in self._process_groups(pid):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(group, signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
        # What is killed has its port until the last of its threads is gone, also as a zombie, and
        # the next Airflow needs the port.
        port = self._machine.airflow_port
        with contextlib.suppress(TimeoutError):
            wait_until("Airflow's port is free again", lambda: ports.is_free(port), seconds=120)
        self._pid_file.unlink(missing_ok=True)

    def reset(self) -> None:
        """Stop, and forget every run; the log stays."""
        self.stop()
        if self._home.exists():
            shutil.rmtree(self._home)

    def pid(self) -> int | None:
        """The process id of the running Airflow, else None."""
        try:
            pid = int(self._pid_file.read_text())
            if self._process is not None:
                self._process.poll()  # else a stopped child of ours would seem to live on
            os.kill(pid, 0)
        except (FileNotFoundError, ValueError, ProcessLookupError):
            return None
        return pid

    @staticmethod
    def _process_groups(leader: int) -> set[int]:
        """Process groups of all processes in the session that `rehearsal.components` leads."""
        groups = {leader}
        listing = subprocess.run(
            ["ps", "-eo", "sid=,pgid="], check=True, capture_output=True, text=True
        ).stdout
        for line in listing.splitlines():
            session, group = map(int, line.split())
            if session == leader:
                groups.add(group)
        return groups

    def _environment(self) -> dict[str, str]:
        variables_prefix = f"/{PROJECT}/{STAGE}/airflow/variables"
        repository = self._machine.repository
        settings = {
            "CORE__DAGS_FOLDER": repository / "dags",
            "CORE__PLUGINS_FOLDER": repository / "plugins",
            "CORE__LOAD_EXAMPLES": False,
            "CORE__EXECUTOR": "rehearsal.executor.LocalExecutor",
            "CORE__PARALLELISM": 6,
            "DATABASE__SQL_ALCHEMY_CONN": self._database.start(),
            "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin,{OPERATOR}:op",
            "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": self._passwords,
            "CORE__EXECUTION_API_SERVER_URL": f"{self._machine.airflow_url}/execution/",
            "API__HOST": "127.0.0.1",
            "API__PORT": self._machine.airflow_port,
            "API__BASE_URL": self._machine.airflow_url,
            "API__WORKERS": 1,
            "API__EXPOSE_CONFIG": False,
            "USAGE_DATA_COLLECTION__ENABLED": False,
            "SCHEDULER__ENABLE_HEALTH_CHECK": False,
            # A file that changed is read at once; the others need not be read every 30 s.
            "DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": 300,
            # On a busy machine an import takes longer than the 30 s and 50 s it is given.
            "CORE__DAGBAG_IMPORT_TIMEOUT": 600,
            "DAG_PROCESSOR__DAG_FILE_PROCESSOR_TIMEOUT": 660,
            # After a crash, take over its tasks within a minute; the defaults wait five.
            "SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": 15,
            "SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD": 20,
            "SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": 60,
            # As on MWAA: Variables come from Parameter Store, where the stack writes them.
            "SECRETS__BACKEND": "airflow.providers.amazon.aws.secrets.systems_manager"
            ".SystemsManagerParameterStoreBackend",
            "SECRETS__BACKEND_KWARGS": json.dumps(
                {"variables_prefix": variables_prefix, "connections_prefix": None}
            ),
            **self._machine.events_of_lineage(),
        }
        return (
            self._machine.environment_of("airflow")
            | {f"AIRFLOW__{name}": str(value) for name, value in settings.items()}
            | {
                "AIRFLOW_HOME": str(self._home),
                "PYTHONPATH": str(repository / "infra" / "local"),  # its components and executor
            }
        )

    # REST API

    def state(self) -> str:
        """`ready`, `stopped`, or `starting or stuck`."""
        if self.pid() is None:
            return "stopped"
        return "ready" if self.healthy() else "starting or stuck"

    def healthy(self) -> bool:
        """Whether API, scheduler, triggerer and DAG processor all report themselves healthy."""
        return not readiness.ailing(self._http, self._machine.airflow_url)

    def wait_ready(self, dags: frozenset[str], say: Callable[[str], None] = print) -> None:
        """Wait until Airflow is healthy and has parsed these DAGs, saying what it waits for.

        Raises:
            StartError: it has stopped, or cannot import a DAG.
            TimeoutError: it did not get so far.
        """
        said = ""

        def ready() -> bool:
            nonlocal said
            if self.pid() is None:
                raise StartError(f"Airflow stopped while starting: see {self.log_file}")
            ailing = readiness.ailing(self._http, self._machine.airflow_url)
            awaited = readiness.awaited(ailing, dags, set() if ailing else self._dag_ids())
            if awaited and awaited != said:
                say(awaited)
            said = awaited
            return not awaited

        wait_until("Airflow is ready", ready)

    def _dag_ids(self) -> set[str]:
        errors = self._call("GET", "importErrors")["import_errors"]
        if errors:
            raise StartError(
                f"Airflow cannot import {errors[0]['filename']}:\n{errors[0]['stack_trace']}"
            )
        return {dag["dag_id"] for dag in self._call("GET", "dags")["dags"]}

    def unpause(self, dag_id: str) -> None:
        self.pause(dag_id, is_paused=False)

    def pause(self, dag_id: str, *, is_paused: bool = True) -> None:
        self._call("PATCH", f"dags/{dag_id}", json={"is_paused": is_paused})

    def mark(self, dag_id: str, run_id: str, task_id: str, state: str) -> None:
        """Say of a task that it has ended so, and of no other."""
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        self._call("PATCH", path, json={"new_state": state})

    def set_variable(self, key: str, value: str) -> None:
        """Make a variable."""
        self._call("POST", "variables", json={"key": key, "value": value})

    def pass_over(self, dag_id: str, run_id: str, note: str) -> None:
        """Mark a run, and what runs of it, as a success, with a note that says why."""
        change = {"state": "success", "note": note}

        def passed_over() -> bool:
            try:
                self._call("PATCH", f"dags/{dag_id}/dagRuns/{run_id}", json=change)
            except AirflowRefused as refused:
                # The scheduler was making the run's tasks at the same moment.
                if refused.status == requests.codes.conflict:
                    return False
                raise
            return True

        wait_until(f"{dag_id} {run_id} is passed over", passed_over)

    def trigger(self, dag_id: str, conf: dict[str, Any]) -> str:
        """Start a manual run; returns its run id."""
        run = self._call(
            "POST", f"dags/{dag_id}/dagRuns", json={"logical_date": None, "conf": conf}
        )
        return str(run["dag_run_id"])

    def backfill(self, dag_id: str, first: datetime, last: datetime, **options: Any) -> int:
        """Create a backfill over the days first..last, both included; returns its id."""
        backfill = self._call(
            "POST",
            "backfills",
            json={
                "dag_id": dag_id,
                "from_date": first.isoformat(),
                "to_date": last.isoformat(),
                **options,
            },
        )
        return int(backfill["id"])

    def backfilling(self, dag_id: str) -> bool:
        """Whether a backfill of the DAG is under way; for Airflow it is, a while after its runs."""
        backfills = self._call("GET", "backfills", params={"dag_id": dag_id})["backfills"]
        return any(backfill["completed_at"] is None for backfill in backfills)

    def runs(self, dag_id: str) -> list[dict[str, Any]]:
        """All runs of a DAG, newest first."""
        query = {"order_by": "-run_after", "limit": 100}
        runs: list[dict[str, Any]] = self._call("GET", f"dags/{dag_id}/dagRuns", params=query)[
            "dag_runs"
        ]
        return runs

    def next_run(self, dag_id: str) -> datetime | None:
        """When a DAG runs by itself next; None if it never does."""
        after = self._call("GET", f"dags/{dag_id}")["next_dagrun_run_after"]
        return None if after is None else datetime.fromisoformat(after)

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        path = f"dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        tasks: list[dict[str, Any]] = self._call("GET", path)["task_instances"]
        return tasks

    def tasks_at_work(self, dag_id: str) -> list[dict[str, Any]]:
        """The task instances of a DAG's runs that run, or wait for what they have begun."""
        tasks: list[dict[str, Any]] = self._call(
            "GET",
            f"dags/{dag_id}/dagRuns/~/taskInstances",
            params={"state": ["running", "deferred"], "limit": 100},
        )["task_instances"]
        return tasks

    def ended_tasks(self, dag_id: str, since: str | None) -> list[dict[str, Any]]:
        """The task instances of a DAG's runs that ended at `since` or later, the first first."""
        query = {"state": ["success", "failed"], "order_by": "end_date", "limit": 100}
        if since is not None:
            query["end_date_gte"] = since
        tasks: list[dict[str, Any]] = self._call(
            "GET", f"dags/{dag_id}/dagRuns/~/taskInstances", params=query
        )["task_instances"]
        return tasks

    def task_log(self, dag_id: str, run_id: str, task: dict[str, Any]) -> str:
        """The last try's log of a task instance, as plain text."""
        path = (
            f"dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task['task_id']}"
            f"/logs/{max(task['try_number'], 1)}"
        )
        query = {"map_index": task["map_index"], "full_content": True}
        lines = self._call("GET", path, params=query)["content"]
        return "\n".join(
            line if isinstance(line, str) else str(line.get("event", line)) for line in lines
        )

    def clear(self, dag_id: str, run_id: str, task_ids: list[str]) -> None:
        """Let these tasks of a run that has ended run again, and no other, as in the UI."""
        body = {
            "dry_run": False,
            "dag_run_id": run_id,
            "task_ids": task_ids,
            "only_failed": False,
            "reset_dag_runs": True,
        }
        self._call("POST", f"dags/{dag_id}/clearTaskInstances", json=body)

    def _call(self, method: str, path: str, **options: Any) -> Any:
        for attempt in range(2):
            if "Authorization" not in self._http.headers:
                self._log_in()
            response = self._http.request(
                method,
                f"{self._machine.airflow_url}/api/v2/{path}",
                timeout=_HTTP_SECONDS,
                **options,
            )
            if response.status_code == requests.codes.unauthorized and attempt == 0:
                del self._http.headers["Authorization"]
                continue
            break
        if not response.ok:
            raise AirflowRefused(method, path, response)
        return response.json() if response.content else None

    def _log_in(self) -> None:
        response = self._http.post(
            f"{self._machine.airflow_url}/auth/token",
            json={"username": self._user, "password": self.password},
            timeout=_HTTP_SECONDS,
        )
        response.raise_for_status()
        self._http.headers["Authorization"] = f"Bearer {response.json()['access_token']}"
