"""Running executions, a few at a time, each as its caller."""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from localaws.athena.apis import apis_of
from localaws.athena.catalog import Catalog
from localaws.athena.definitions import DefinitionRunner
from localaws.athena.errors import Cancelled, QueryError, internal_error
from localaws.athena.executions import Execution, Executions, Failure
from localaws.athena.queries import Environment, Outcome, QueryRunner, ScanLimitExceeded
from localaws.athena.session import Session
from localaws.athena.statements import (
    CreateTableAs,
    CreateView,
    Insert,
    Select,
    Statement,
    Unload,
)
from localaws.athena.storage import Location, ObjectStore, trim_cache
from localaws.protocol import Caller
from localaws.settings import Settings

log = logging.getLogger("localaws.athena")

_CONCURRENT = 4


class _Running:
    """A query at work: how to stop it."""

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._lock = threading.Lock()
        self._session: Session | None = None

    def attach(self, session: Session | None) -> None:
        with self._lock:
            self._session = session

    def cancel(self) -> None:
        self.stop.set()
        with self._lock:
            if self._session is not None:
                self._session.interrupt()


class Worker:
    """Takes executions in the order they come and sees each to its end."""

    def __init__(self, settings: Settings, executions: Executions) -> None:
        self._settings = settings
        self._executions = executions
        self._folder = settings.home / "athena"
        self._pool = ThreadPoolExecutor(_CONCURRENT, thread_name_prefix="athena")
        self._running: dict[str, _Running] = {}

    def start(self) -> None:
        """Forget the passing files of an earlier process."""
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir(parents=True, exist_ok=True)
        self._cache.mkdir(parents=True, exist_ok=True)

    def close(self) -> None:
        """Stop what runs; the executions are failed by `Executions.load` next time."""
        for running in list(self._running.values()):
            running.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)

    @property
    def _work(self) -> Path:
        return self._folder / "work"

    @property
    def _cache(self) -> Path:
        return self._folder / "cache"

    def submit(
        self,
        execution: Execution,
        statement: Statement,
        text: str,
        caller: Caller,
        scan_limit: int | None,
    ) -> None:
        """Run an execution when its turn comes; `text` has the parameters filled in."""
        self._running[execution.id] = _Running()
        self._pool.submit(self._run, execution, statement, text, caller, scan_limit)

    def cancel(self, execution_id: str) -> None:
        """Stop an execution, wherever it is."""
        self._executions.change(
            execution_id,
            state="CANCELLED",
            completed=time.time(),
            reason="Query was cancelled by user",
        )
        running = self._running.get(execution_id)
        if running is not None:
            running.cancel()

    def _run(
        self,
        execution: Execution,
        statement: Statement,
        text: str,
        caller: Caller,
        scan_limit: int | None,
    ) -> None:
        running = self._running[execution.id]
        try:
            if running.stop.is_set():
                return
            self._executions.change(execution.id, state="RUNNING", started=time.time())
            with tempfile.TemporaryDirectory(dir=self._work) as folder:
                self._complete(
                    execution, statement, text, caller, scan_limit, running, Path(folder)
                )
            trim_cache(self._cache)
        except Exception as error:  # noqa: BLE001  a thread has nobody else to tell
            self._fail(execution, error, running)
        finally:
            self._running.pop(execution.id, None)

    def _fail(self, execution: Execution, error: Exception, running: _Running) -> None:
        if running.stop.is_set() or isinstance(error, Cancelled):
            return
        if isinstance(error, ScanLimitExceeded):
            self._executions.change(
                execution.id,
                state="CANCELLED",
                completed=time.time(),
                reason="Bytes scanned limit was exceeded",
            )
            return
        if not isinstance(error, QueryError):
            log.error("query %s failed", execution.id, exc_info=error)
            error = internal_error(f"{type(error).__name__}; see the log of the local AWS")
        self._executions.change(
            execution.id,
            state="FAILED",
            completed=time.time(),
            reason=str(error),
            failure=Failure(error.category, error.error_type, str(error)),
        )

    def _complete(
        self,
        execution: Execution,
        statement: Statement,
        text: str,
        caller: Caller,
        scan_limit: int | None,
        running: _Running,
        folder: Path,
    ) -> None:
        apis = apis_of(self._settings, caller)
        store = ObjectStore(apis.s3, self._cache, running.stop)
        catalog = Catalog(apis.glue, execution.database)
        output = Location.parse(execution.output)
        environment = Environment(
            catalog,
            store,
            folder,
            datetime.fromtimestamp(execution.submitted, UTC).replace(tzinfo=None),
            output,
            execution.id,
            running.stop,
            scan_limit,
            running.attach,
        )
        outcome = _outcome(environment, statement, text, execution.database)
        manifest = self._write_results(execution, outcome, store, output)
        if running.stop.is_set():
            return
        self._executions.change(
            execution.id,
            state="SUCCEEDED",
            completed=time.time(),
            columns=outcome.columns,
            scanned_bytes=outcome.scanned_bytes,
            scanned_rows=outcome.scanned_rows,
            rows=outcome.rows,
            update_count=outcome.update_count,
            manifest=manifest,
        )

    def _write_results(
        self, execution: Execution, outcome: Outcome, store: ObjectStore, output: Location
    ) -> str | None:
        """The result file, and the URI of the manifest if objects were written."""
        arguments = encryption_arguments(execution.encryption)
        if outcome.manifest is not None:
            key = f"{output.prefix}{execution.id}-manifest.csv"
            body = "".join(f"{uri}\n" for uri in outcome.manifest).encode()
            store.put(output.bucket, key, body, **arguments)
            return f"s3://{output.bucket}/{key}"
        body_or_path: bytes | Path = outcome.body if outcome.body is not None else b""
        key = f"{output.prefix}{execution.id}{outcome.suffix}"
        store.put(output.bucket, key, body_or_path, **arguments)
        return None


def _outcome(
    environment: Environment, statement: Statement, text: str, database: str | None
) -> Outcome:
    runner = QueryRunner(environment, text, database)
    match statement:
        case Select():
            return runner.select(statement)
        case CreateView():
            return runner.create_view(statement)
        case Unload():
            return runner.unload(statement)
        case CreateTableAs():
            return runner.create_table_as(statement)
        case Insert():
            return runner.insert(statement)
        case definition:
            definitions = DefinitionRunner(
                environment.catalog, environment.store, environment.folder
            )
            return definitions.run(definition)


def encryption_arguments(configuration: dict[str, str]) -> dict[str, str]:
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
            raise QueryError(
                "NOT_SUPPORTED", f"result encryption {other} is not supported by the local Athena"
            )
