"""What is known of a job run, and where it is kept so that it survives a kill."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from localaws.files import write_private

State = Literal["STARTING", "RUNNING", "STOPPING", "STOPPED", "SUCCEEDED", "FAILED", "TIMEOUT"]
ENDED: frozenset[State] = frozenset({"STOPPED", "SUCCEEDED", "FAILED", "TIMEOUT"})

_LOG_GROUP = "/aws-glue/jobs"


@dataclass(frozen=True, slots=True)
class JobRun:
    """One run of a job. Times are epoch seconds, `timeout` is minutes, as Glue has them.

    `definition` is the job as it was when the run started: a later change must not touch the run.
    `process` is the process group that runs the script, for as long as the run's lock is held.
    """

    id: str
    job_name: str
    state: State
    arguments: dict[str, str]
    definition: dict[str, Any]
    timeout: int
    started_on: float
    last_modified_on: float
    running_since: float | None = None
    completed_on: float | None = None
    error_message: str | None = None
    process: int | None = None
    overrides: dict[str, Any] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    @property
    def script_arguments(self) -> dict[str, str]:
        """The arguments the script sees: the job's, over them the run's, over them Glue's own."""
        return {
            **self.definition.get("DefaultArguments", {}),
            **self.arguments,
            **self.definition.get("NonOverridableArguments", {}),
            "--JOB_NAME": self.job_name,
            "--JOB_RUN_ID": self.id,
        }

    @property
    def log_group(self) -> str:
        """Where its logs are, but for `/output` and `/error` ("Logging for AWS Glue jobs")."""
        prefix = self.script_arguments.get("--custom-logGroup-prefix", _LOG_GROUP)
        configuration = self.definition.get("SecurityConfiguration")
        role = str(self.definition.get("Role", "")).rpartition("/")[2]
        return f"{prefix}/{configuration}-role/{role}" if configuration else prefix

    def api(self) -> dict[str, Any]:
        """The run as GetJobRun gives it."""
        definition = self.definition | self.overrides
        ended = self.completed_on
        seconds = max(
            0, round((ended or time.time()) - (self.running_since or ended or time.time()))
        )
        document: dict[str, Any] = {
            "Id": self.id,
            "Attempt": 0,
            "JobName": self.job_name,
            "JobMode": "SCRIPT",
            "JobRunState": self.state,
            "Arguments": self.arguments,
            "StartedOn": self.started_on,
            "LastModifiedOn": self.last_modified_on,
            "PredecessorRuns": [],
            "ExecutionTime": seconds,
            "Timeout": self.timeout,
            "AllocatedCapacity": definition.get("NumberOfWorkers") or 2,
            "WorkerType": definition.get("WorkerType") or "G.1X",
            "NumberOfWorkers": definition.get("NumberOfWorkers") or 2,
            "GlueVersion": definition.get("GlueVersion") or "5.1",
            "ExecutionClass": "STANDARD",
            "LogGroupName": self.log_group,
        }
        if ended is not None:
            document["CompletedOn"] = ended
        if self.error_message is not None:
            document["ErrorMessage"] = self.error_message
        return document


class Runs:
    """All runs, in memory and as one file each; the file is written before a change is told."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._runs: dict[str, JobRun] = {}
        self._changing = threading.Lock()

    def load(self) -> None:
        """Read what an earlier process kept."""
        for path in sorted(self._folder.glob("*.json")):
            run = JobRun(**json.loads(path.read_text()))
            self._runs[run.id] = run

    def save(self, run: JobRun) -> None:
        """Keep a new run, or a run's new state."""
        write_private(self._folder / f"{run.id}.json", json.dumps(asdict(run)))
        self._runs[run.id] = run

    def change(self, run_id: str, **changes: Any) -> JobRun:
        """Give a run new values; one that has ended is left as it is, and a stop stays a stop.

        A thread begins a run while others are answered: a stop may come at any moment.
        """
        with self._changing:
            run = self._runs[run_id]
            if run.state == "STOPPING" and changes.get("state") == "RUNNING":
                changes["state"] = run.state
            if not run.ended:
                run = replace(run, last_modified_on=time.time(), **changes)
                self.save(run)
            return run

    def get(self, run_id: str) -> JobRun | None:
        return self._runs.get(run_id)

    def of(self, job_name: str) -> list[JobRun]:
        """The runs of a job, newest first."""
        found = [run for run in self._runs.values() if run.job_name == job_name]
        return sorted(found, key=lambda run: run.started_on, reverse=True)

    def in_flight(self) -> Iterator[JobRun]:
        return (run for run in list(self._runs.values()) if not run.ended)
