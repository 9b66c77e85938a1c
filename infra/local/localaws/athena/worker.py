"""Running executions, a few at a time, each as its caller."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from localaws.athena.errors import (
    Cancelled,
    QueryError,
    ScanLimitExceeded,
    internal_error,
    not_supported,
)
from localaws.athena.executions import Execution, Executions, Failure
from localaws.athena.running import Environment, run
from localaws.athena.sql.session import Stop
from localaws.athena.statements import CreateTableAs, Statement
from localaws.athena.tables.catalog import Catalog
from localaws.athena.tables.storage import Location, ObjectStore, clients_of
from localaws.protocol import Caller
from localaws.settings import Settings

log = logging.getLogger("localaws.athena")

_CONCURRENT = 4


class Worker:
    """Takes executions in the order they come and sees each to its end."""

    def __init__(self, settings: Settings, executions: Executions) -> None:
        self._settings = settings
        self._executions = executions
        self._work = settings.home / "athena" / "work"
        self._pool = ThreadPoolExecutor(_CONCURRENT, thread_name_prefix="athena")
        self._running: dict[str, Stop] = {}

    def start(self) -> None:
        """Forget the passing files of an earlier process."""
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        """Stop what runs; the executions are failed by `Executions.load` next time."""
        for stop in list(self._running.values()):
            stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def submit(
        self, execution: Execution, statement: Statement, caller: Caller, scan_limit: int | None
    ) -> None:
        """Run an execution when its turn comes; `scan_limit` is in bytes."""
        stop = self._running[execution.id] = Stop()
        self._pool.submit(self._see_through, execution, statement, caller, scan_limit, stop)

    def cancel(self, execution_id: str) -> None:
        """Stop an execution, wherever it is."""
        self._end(execution_id, "CANCELLED", reason="Query was cancelled by user")
        stop = self._running.get(execution_id)
        if stop is not None:
            stop.set()

    def _end(self, execution_id: str, state: str, **changes: object) -> None:
        self._executions.change(execution_id, state=state, completed=time.time(), **changes)

    def _see_through(
        self,
        execution: Execution,
        statement: Statement,
        caller: Caller,
        scan_limit: int | None,
        stop: Stop,
    ) -> None:
        try:
            if stop.is_set():
                return
            self._executions.change(execution.id, state="RUNNING")
            s3, glue = clients_of(self._settings, caller)
            with tempfile.TemporaryDirectory(dir=self._work) as folder:
                environment = Environment(
                    Catalog(glue, execution.database),
                    ObjectStore(s3, stop),
                    Path(folder),
                    datetime.fromtimestamp(execution.submitted, UTC).replace(tzinfo=None),
                    Location.parse(execution.output),
                    execution.id,
                    stop,
                    scan_limit,
                )
                outcome = run(environment, statement, execution.query, execution.database)
                if not isinstance(statement, CreateTableAs):
                    name = f"{execution.id}{outcome.suffix}"
                    arguments = _encryption(execution.encryption)
                    environment.store.put(environment.output, name, outcome.body, **arguments)
            if not stop.is_set():
                self._end(
                    execution.id,
                    "SUCCEEDED",
                    columns=outcome.columns,
                    scanned_bytes=outcome.scanned_bytes,
                )
        except ScanLimitExceeded:
            self._end(execution.id, "CANCELLED", reason="Bytes scanned limit was exceeded")
        except Exception as error:  # noqa: BLE001  a thread has nobody else to tell
            if not stop.is_set() and not isinstance(error, Cancelled):
                self.fail(execution, error)
        finally:
            self._running.pop(execution.id, None)

    def fail(self, execution: Execution, error: Exception) -> None:
        """End an execution with an error."""
        if not isinstance(error, QueryError):
            log.error("query %s failed", execution.id, exc_info=error)
            error = internal_error(f"{type(error).__name__}; see the log of the local AWS")
        failure = Failure(error.category, error.error_type, str(error))
        self._end(execution.id, "FAILED", reason=str(error), failure=failure)


def _encryption(configuration: dict[str, str]) -> dict[str, str]:
    """PutObject's arguments for a result configuration's encryption."""
    match configuration.get("EncryptionOption"):
        case "SSE_S3":
            return {"ServerSideEncryption": "AES256"}
        case "SSE_KMS":
            key = configuration.get("KmsKey")
            own = {"SSEKMSKeyId": key} if key else {}
            return {"ServerSideEncryption": "aws:kms", **own}
        case None:
            return {}
        case other:
            raise not_supported(f"result encryption {other}")
