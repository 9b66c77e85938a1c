"""The job run operations of Glue; all others are ministack's."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from typing import Any

from localaws.glue.account import Account
from localaws.glue.definitions import Definitions
from localaws.glue.jobruns.runner import Runner
from localaws.glue.jobruns.runs import JobRun, Runs
from localaws.glue.spark.configuration import SparkHome
from localaws.protocol import AwsError, AwsRequest, AwsResponse
from localaws.settings import Settings

_MAX_RESULTS = 200
_DEFAULT_TIMEOUT_MINUTES = 2880
_MAX_BATCH_STOP = 25
# What a start may give for its run alone; the rest changes nothing here.
_OVERRIDES = ("WorkerType", "NumberOfWorkers", "MaxCapacity")


class GlueJobRuns:
    """StartJobRun, GetJobRun, GetJobRuns and BatchStopJobRun."""

    name = "glue"
    targets = frozenset(
        f"AWSGlue.{action}"
        for action in ("StartJobRun", "GetJobRun", "GetJobRuns", "BatchStopJobRun")
    )

    def __init__(
        self, settings: Settings, home: SparkHome, seconds_per_minute: float = 60.0
    ) -> None:
        """`seconds_per_minute` shortens the minutes of a job's timeout in tests."""
        account = Account(settings)
        self._definitions = Definitions(account)
        self._runs = Runs(settings.state / "glue-runs")
        self._runner = Runner(
            settings, account, home, self._runs, seconds_per_minute=seconds_per_minute
        )
        self._starting = asyncio.Lock()

    async def start(self) -> None:
        """Take over what an earlier process left."""
        self._runs.load()
        self._runner.recover()

    async def stop(self) -> None:
        """End the runs: nothing of ours outlives the server."""
        await self._runner.close()

    async def handle(self, request: AwsRequest) -> AwsResponse:
        """Answer one of `targets`."""
        payload = request.json()
        match request.action:
            case "StartJobRun":
                return AwsResponse.of(await self._start_job_run(payload))
            case "GetJobRun":
                run = self._find(_text(payload, "JobName"), _text(payload, "RunId"))
                return AwsResponse.of({"JobRun": run.api()})
            case "GetJobRuns":
                return AwsResponse.of(await self._get_job_runs(payload))
            case "BatchStopJobRun":
                return AwsResponse.of(self._batch_stop_job_run(payload))
            case unknown:
                raise AwsError("UnknownOperationException", f"{unknown} is not served here")

    async def control(self, method: str, path: str, body: bytes) -> AwsResponse:  # noqa: ARG002
        """There are no knobs."""
        raise AwsError("NotFound", f"no such knob: {path}", 404)

    async def _start_job_run(self, payload: Mapping[str, Any]) -> dict[str, str]:
        job_name = _text(payload, "JobName")
        if payload.get("JobRunId"):
            raise AwsError("InvalidInputException", "JobRunId: the local Glue resumes no runs")
        arguments = payload.get("Arguments") or {}
        if not isinstance(arguments, dict) or not all(
            isinstance(value, str) for value in arguments.values()
        ):
            raise AwsError("InvalidInputException", "Arguments must map names to texts")
        async with self._starting:  # so that two starts do not both find the last free place
            definition = await asyncio.to_thread(self._definitions.get, job_name)
            allowed = definition["ExecutionProperty"]["MaxConcurrentRuns"]
            if sum(not run.ended for run in self._runs.of(job_name)) >= allowed:
                raise AwsError(
                    "ConcurrentRunsExceededException", f"Concurrent runs exceeded for {job_name}"
                )
            if definition.get("Command", {}).get("Name") != "glueetl":
                raise AwsError(
                    "InvalidInputException", "Command.Name: the local Glue runs glueetl jobs only"
                )
            now = time.time()
            run = JobRun(
                id=f"jr_{secrets.token_hex(32)}",
                job_name=job_name,
                state="STARTING",
                arguments=dict(arguments),
                definition=definition,
                timeout=_timeout(payload, definition),
                started_on=now,
                last_modified_on=now,
                overrides={name: payload[name] for name in _OVERRIDES if name in payload},
            )
            self._runs.save(run)
        self._runner.launch(run)
        return {"JobRunId": run.id}

    async def _get_job_runs(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        job_name = _text(payload, "JobName")
        await asyncio.to_thread(self._definitions.get, job_name)
        limit, token = payload.get("MaxResults", _MAX_RESULTS), payload.get("NextToken", "0")
        if not isinstance(limit, int) or not 1 <= limit <= _MAX_RESULTS:
            raise AwsError("InvalidInputException", f"MaxResults must be 1 to {_MAX_RESULTS}")
        if not isinstance(token, str) or not token.isdecimal():
            raise AwsError("InvalidInputException", "NextToken is not one of ours")
        runs, start = self._runs.of(job_name), int(token)
        page: dict[str, Any] = {"JobRuns": [run.api() for run in runs[start : start + limit]]}
        if start + limit < len(runs):
            page["NextToken"] = str(start + limit)
        return page

    def _batch_stop_job_run(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        job_name, run_ids = _text(payload, "JobName"), payload.get("JobRunIds")
        if not isinstance(run_ids, list) or not 1 <= len(run_ids) <= _MAX_BATCH_STOP:
            raise AwsError("InvalidInputException", f"JobRunIds must hold 1 to {_MAX_BATCH_STOP}")
        stopping, errors = [], []
        for run_id in run_ids:
            try:
                self._stop(self._find(job_name, run_id))
            except AwsError as error:
                detail = {"ErrorCode": error.code, "ErrorMessage": error.message}
                errors.append({"JobName": job_name, "JobRunId": run_id, "ErrorDetail": detail})
            else:
                stopping.append({"JobName": job_name, "JobRunId": run_id})
        return {"SuccessfulSubmissions": stopping, "Errors": errors}

    def _stop(self, run: JobRun) -> None:
        if run.ended or run.state == "STOPPING":
            raise AwsError("InvalidInputException", f"JobRun is in {run.state} state")
        self._runs.change(run.id, state="STOPPING")

    def _find(self, job_name: str, run_id: str) -> JobRun:
        run = self._runs.get(run_id)
        if run is None or run.job_name != job_name:
            raise AwsError(
                "EntityNotFoundException", f"Job run {run_id} of job {job_name} does not exist"
            )
        return run


def _text(payload: Mapping[str, Any], field: str) -> str:
    value = payload.get(field)
    if not isinstance(value, str) or not value:
        raise AwsError("InvalidInputException", f"{field} is missing")
    return value


def _timeout(payload: Mapping[str, Any], definition: Mapping[str, Any]) -> int:
    """Minutes the run may take: what the start says, else the job, else AWS's default."""
    value = payload.get("Timeout") or definition.get("Timeout") or _DEFAULT_TIMEOUT_MINUTES
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise AwsError("InvalidInputException", "Timeout must be minutes, 1 or more")
    return value
