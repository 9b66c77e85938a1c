"""What is known of a query execution, and where it is kept so that it survives a kill."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from localaws.files import write_private
from localaws.settings import SettingsError

State = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]
ENDED: frozenset[State] = frozenset({"SUCCEEDED", "FAILED", "CANCELLED"})
ENGINE = "Athena engine version 3"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an execution failed, as `AthenaError` has it."""

    category: int
    type: int
    message: str
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class Execution:
    """One query execution. Times are epoch seconds, `output` is the workgroup's or caller's choice.

    `result` is the URI of the result once it is known; `columns` are ``ColumnInfo``.
    """

    id: str
    query: str
    statement_type: str
    substatement_type: str | None
    workgroup: str
    account_id: str
    region: str
    database: str | None
    catalog: str | None
    output: str
    result: str
    encryption: dict[str, str]
    token: str
    state: State
    submitted: float
    started: float | None = None
    completed: float | None = None
    reason: str | None = None
    failure: Failure | None = None
    scanned_bytes: int = 0
    rows: int = 0
    manifest: str | None = None
    columns: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in ENDED

    @property
    def timeline(self) -> dict[str, int]:
        """Milliseconds, as in `QueryExecutionStatistics`."""
        end = self.completed or time.time()
        started = self.started or end
        return {
            "QueryQueueTimeInMillis": _millis(started - self.submitted),
            "ServicePreProcessingTimeInMillis": 0,
            "QueryPlanningTimeInMillis": 0,
            "EngineExecutionTimeInMillis": _millis(end - started),
            "ServiceProcessingTimeInMillis": 0,
            "TotalExecutionTimeInMillis": _millis(end - self.submitted),
        }

    def api(self) -> dict[str, Any]:
        """The execution as GetQueryExecution gives it."""
        context = {"Database": self.database, "Catalog": self.catalog}
        configuration: dict[str, Any] = {"OutputLocation": self.result}
        if self.encryption:
            configuration["EncryptionConfiguration"] = self.encryption
        statistics: dict[str, Any] = {
            "DataScannedInBytes": self.scanned_bytes,
            **self.timeline,
            "ResultReuseInformation": {"ReusedPreviousResult": False},
        }
        if self.manifest is not None:
            statistics["DataManifestLocation"] = self.manifest
        document: dict[str, Any] = {
            "QueryExecutionId": self.id,
            "Query": self.query,
            "StatementType": self.statement_type,
            "ResultConfiguration": configuration,
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
            "QueryExecutionContext": {k: v for k, v in context.items() if v is not None},
            "Status": self._status(),
            "Statistics": statistics,
            "WorkGroup": self.workgroup,
            "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": ENGINE},
        }
        if self.substatement_type is not None:
            document["SubstatementType"] = self.substatement_type
        return document

    def _status(self) -> dict[str, Any]:
        status: dict[str, Any] = {"State": self.state, "SubmissionDateTime": self.submitted}
        if self.completed is not None:
            status["CompletionDateTime"] = self.completed
        if self.reason is not None:
            status["StateChangeReason"] = self.reason
        if self.failure is not None:
            status["AthenaError"] = {
                "ErrorCategory": self.failure.category,
                "ErrorType": self.failure.type,
                "Retryable": self.failure.retryable,
                "ErrorMessage": self.failure.message,
            }
        return status


def _millis(seconds: float) -> int:
    return max(0, round(seconds * 1000))


class Executions:
    """All executions, in memory and as one file each; the file is written before a change is told.

    Safe to use from several threads.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._executions: dict[str, Execution] = {}
        self._tokens: dict[tuple[str, str, str, str], str] = {}

    def load(self) -> None:
        """Read what an earlier process kept; what it was running has failed.

        Raises SettingsError for a file that is not one of ours.
        """
        for path in sorted(self._folder.glob("*.json")):
            execution = _read(path)
            self._remember(execution)
            if not execution.ended:
                reason = "The local Athena ended while the query was running; run it again."
                self.change(
                    execution.id,
                    state="FAILED",
                    completed=time.time(),
                    reason=reason,
                    failure=Failure(1, 200, reason, retryable=True),
                )

    def add(self, execution: Execution) -> Execution:
        """Keep a new execution; the earlier one if its token was used for one before."""
        with self._lock:
            known = self._tokens.get(_token(execution)) if execution.token else None
            if known is not None:
                return self._executions[known]
            self._save(execution)
            self._remember(execution)
            return execution

    def change(self, execution_id: str, **changes: Any) -> Execution:
        """Give an execution new values; one that has ended is left as it is."""
        with self._lock:
            execution = self._executions[execution_id]
            if not execution.ended:
                execution = replace(execution, **changes)
                self._save(execution)
                self._remember(execution)
            return execution

    def get(self, execution_id: str) -> Execution | None:
        """An execution; None when there is none of this id."""
        return self._executions.get(execution_id)

    def _save(self, execution: Execution) -> None:
        write_private(self._folder / f"{execution.id}.json", json.dumps(asdict(execution)))

    def _remember(self, execution: Execution) -> None:
        self._executions[execution.id] = execution
        if execution.token:
            self._tokens[_token(execution)] = execution.id


def _read(path: Path) -> Execution:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        failure = Failure(**raw["failure"]) if raw["failure"] else None
        return Execution(**{**raw, "failure": failure})
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{path} is damaged ({error!r}): reset the local AWS") from error


def _token(execution: Execution) -> tuple[str, str, str, str]:
    return execution.account_id, execution.region, execution.workgroup, execution.token
