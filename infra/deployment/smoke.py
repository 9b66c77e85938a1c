"""Whether a deployment does its work: Airflow has read the DAGs, and an upload becomes VERIFIED.

Small on purpose: it asks what a first user would see, through the doors that users have.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from infra.deployment.errors import DeployError
from infra.deployment.mwaa import Environment
from infra.deployment.session import Session

from custody.core.datasets.uploads import SMOKE, SMOKE_BODY, folder_of

_PAUSE_SECONDS: Final = 60.0
_QUERY_PAUSE_SECONDS: Final = 1.0
# The record comes within seconds, CloudTrail's proof with its hourly digest, the verdict with the
# reconciliation of the hour after that.
_DEADLINE_SECONDS: Final = 4 * 3600
_LEDGER: Final = """
SELECT verdict, verdict_reason FROM provenance_ledger
WHERE bucket = {} AND object_key = {} AND version_id = {} AND dt >= {}
"""
# Airflow reads its DAGs some minutes after it runs.
_READING_SECONDS: Final = 20 * 60
_READING_PAUSE_SECONDS: Final = 15.0


@dataclass(frozen=True)
class Smoke:
    """One look at a deployment."""

    session: Session
    outputs: Mapping[str, str]
    """Of the root stack."""
    say: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep

    def airflow(self, environment: Environment) -> None:
        """Wait until Airflow has read the DAGs; raises DeployError if it cannot read one."""
        deadline = time.monotonic() + _READING_SECONDS
        while time.monotonic() < deadline:
            errors = environment.ask("/importErrors")["import_errors"]
            if errors:
                said = [f"{one['filename']}: {one['stack_trace']}" for one in errors]
                raise DeployError("\n  ".join(["Airflow cannot read these DAGs:", *said]))
            dags = sorted(environment.ask("/dags")["dags"], key=lambda dag: str(dag["dag_id"]))
            if dags:
                self.say(f"Airflow has read {', '.join(dag['dag_id'] for dag in dags)}")
                # As every DAG is when Airflow has just read it.
                paused = [dag["dag_id"] for dag in dags if dag["is_paused"]]
                if paused:
                    self.say(f"paused, until somebody switches them on there: {', '.join(paused)}")
                return
            self.sleep(_READING_PAUSE_SECONDS)
        raise DeployError("Airflow has read no DAG; its log of the DAG processing says why")

    def upload(self, uploader: Session) -> None:
        """Upload a file as one of the uploaders, and wait for its verdict.

        It stays in bronze, below a data set of its own, which no contract reads.

        Raises:
            DeployError: the verdict is another one than VERIFIED, or does not come.
        """
        bucket = self.outputs["RawBucket"]
        day = f"{datetime.now(UTC):%Y-%m-%d}"
        key = f"{folder_of(SMOKE)}dt={day}/{uuid.uuid4()}.txt"
        version = uploader.client("s3").put_object(
            Bucket=bucket, Key=key, Body=SMOKE_BODY, ChecksumAlgorithm="SHA256", IfNoneMatch="*"
        )["VersionId"]
        self.say(f"uploaded s3://{bucket}/{key}; its verdict comes with the hours to come")
        deadline = time.monotonic() + _DEADLINE_SECONDS
        said = ""
        while time.monotonic() < deadline:
            verdict, reason = self._verdict(bucket, key, version, day)
            if verdict == "VERIFIED":
                self.say("VERIFIED: the deployment does its work")
                return
            if verdict not in ("", "PENDING"):
                raise DeployError(f"s3://{bucket}/{key} is {verdict}: {reason}")
            if verdict != said:
                self.say(f"{verdict}: {reason}")
                said = verdict
            self.sleep(_PAUSE_SECONDS)
        raise DeployError(
            f"s3://{bucket}/{key} has no verdict after {_DEADLINE_SECONDS // 3600} hours: look at "
            "the runs of provenance_reconcile in Airflow"
        )

    def _verdict(self, *values: str) -> tuple[str, str]:
        """The verdict and why; empty while the ledger has no row."""
        athena = self.session.client("athena")
        query = athena.start_query_execution(
            QueryString=_LEDGER.format(*(_quoted(value) for value in values)),
            QueryExecutionContext={"Database": self.outputs["Database"]},
            WorkGroup=self.outputs["Workgroup"],
        )["QueryExecutionId"]
        status = self._finished(athena, query)
        if status["State"] != "SUCCEEDED":
            reason = status.get("StateChangeReason", "")
            # The view is made by the first run of provenance_ledger.
            if "does not exist" in reason or "TABLE_NOT_FOUND" in reason:
                return "", ""
            raise DeployError(f"the ledger cannot be asked: {status['State']}: {reason}")
        rows = athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"][1:]
        if not rows:
            return "", ""
        verdict, why = (cell.get("VarCharValue", "") for cell in rows[0]["Data"])
        return verdict, why

    def _finished(self, athena: Any, query: str) -> Mapping[str, Any]:
        while True:
            execution = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
            status: Mapping[str, Any] = execution["Status"]
            if status["State"] not in ("QUEUED", "RUNNING"):
                return status
            self.sleep(_QUERY_PAUSE_SECONDS)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
