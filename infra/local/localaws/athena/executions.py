"""What is known of a query execution, and where it is kept so that it survives a kill."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from localaws.files import write_private
from localaws.settings import SettingsError

State = Literal["QUEUED", "RUNNING", "SUCCEEDED", "FAILED", "CANCELLED"]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an execution failed, as `AthenaError` has it."""

    category: int
    type: int
    message: str
    retryable: bool = False


@dataclass(frozen=True, slots=True)
class Execution:
    """One query execution. Times are epoch seconds; `output` is where its workgroup writes.

    `result` is the URI of the result; `columns` are `ColumnInfo`.
    """

    id: str
    query: str
    statement_type: str
    workgroup: str
    account_id: str
    database: str | None
    output: str
    result: str
    encryption: dict[str, str]
    state: State
    submitted: float
    completed: float | None = None
    reason: str | None = None
    failure: Failure | None = None
    scanned_bytes: int = 0
    columns: list[dict[str, Any]] = field(default_factory=list)

    def api(self) -> dict[str, Any]:
        """The execution as GetQueryExecution gives it."""
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
        encryption = {"EncryptionConfiguration": self.encryption} if self.encryption else {}
        return {
            "QueryExecutionId": self.id,
            "Query": self.query,
            "StatementType": self.statement_type,
            "ResultConfiguration": {"OutputLocation": self.result, **encryption},
            "QueryExecutionContext": {"Database": self.database} if self.database else {},
            "Status": status,
            "Statistics": {"DataScannedInBytes": self.scanned_bytes},
            "WorkGroup": self.workgroup,
        }


class Executions:
    """All executions, in memory and as one file each; the file is written before a change is told.

    Safe to use from several threads.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._executions: dict[str, Execution] = {}

    def load(self) -> None:
        """Read what an earlier process kept; what it was running has failed.

        Raises SettingsError for a file that is not one of ours.
        """
        reason = "The local Athena ended while the query was running; run it again."
        failure = Failure(1, 200, reason, retryable=True)
        for path in sorted(self._folder.glob("*.json")):
            one = self._executions[path.stem] = _read(path)
            self.change(
                one.id, state="FAILED", completed=time.time(), reason=reason, failure=failure
            )

    def add(self, execution: Execution) -> None:
        """Keep a new execution."""
        with self._lock:
            self._save(execution)

    def change(self, execution_id: str, **changes: Any) -> None:
        """Give an execution new values; one that has ended is left as it is."""
        with self._lock:
            execution = self._executions[execution_id]
            if execution.completed is None:
                self._save(replace(execution, **changes))

    def get(self, execution_id: str) -> Execution | None:
        """An execution; None when there is none of this id."""
        return self._executions.get(execution_id)

    def _save(self, execution: Execution) -> None:
        write_private(self._folder / f"{execution.id}.json", json.dumps(asdict(execution)))
        self._executions[execution.id] = execution


def _read(path: Path) -> Execution:
    known = {one.name for one in fields(Execution)}
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        failure = Failure(**raw["failure"]) if raw["failure"] else None
        kept = {name: value for name, value in raw.items() if name in known}
        return Execution(**{**kept, "failure": failure})
    except (ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{path} is damaged ({error!r}): reset the local AWS") from error
