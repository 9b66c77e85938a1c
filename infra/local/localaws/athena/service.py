"""The query operations of Athena's API; workgroups and everything else are ministack's."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Mapping
from typing import Any

from localaws.athena import workgroups
from localaws.athena.errors import QueryError
from localaws.athena.executions import Execution, Executions
from localaws.athena.results import csv_rows
from localaws.athena.sql.session import Stop
from localaws.athena.statements import (
    MAX_BYTES,
    CreateTableAs,
    Select,
    ShowPartitions,
    Statement,
    parse,
)
from localaws.athena.tables.storage import Location, ObjectStore, clients_of
from localaws.athena.worker import Worker
from localaws.protocol import AwsError, AwsRequest, AwsResponse
from localaws.settings import Settings

_ACTIONS = ("StartQueryExecution", "GetQueryExecution", "GetQueryResults", "StopQueryExecution")
# ministack would answer these of executions it knows nothing about.
_REFUSED = ("BatchGetQueryExecution", "GetQueryRuntimeStatistics", "ListQueryExecutions")
_MAX_ROWS = 1000


class Athena:
    """Queries, run for real."""

    name = "athena"
    targets = frozenset(f"AmazonAthena.{action}" for action in (*_ACTIONS, *_REFUSED))

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._executions = Executions(settings.state / "athena-executions")
        self._worker = Worker(settings, self._executions)

    async def start(self) -> None:
        """Take over what an earlier process left."""
        await asyncio.to_thread(self._executions.load)
        await asyncio.to_thread(self._worker.start)

    async def stop(self) -> None:
        """Stop the queries under way."""
        await asyncio.to_thread(self._worker.close)

    async def handle(self, request: AwsRequest) -> AwsResponse:
        """Answer one of `targets`."""
        return AwsResponse.of(await self._answer(request, request.json()))

    async def _answer(self, request: AwsRequest, payload: Mapping[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = {}
        match request.action:
            case "StartQueryExecution":
                answer = await self._start(request, payload)
            case "GetQueryExecution":
                answer = {"QueryExecution": self._find(request, payload).api()}
            case "GetQueryResults":
                answer = await self._results(request, self._find(request, payload), payload)
            case "StopQueryExecution":
                await asyncio.to_thread(self._worker.cancel, self._find(request, payload).id)
            case unknown:
                raise AwsError("UnknownOperationException", f"{unknown} is not served here")
        return answer

    async def control(self, method: str, path: str, body: bytes) -> AwsResponse:  # noqa: ARG002
        """There are no knobs."""
        raise AwsError("NotFound", f"no such knob: {path}", 404)

    def resource_arn(
        self, action: str, payload: Mapping[str, Any], region: str, account_id: str
    ) -> str | None:
        """Every operation is allowed on a workgroup, that of the execution it names."""
        workgroup = payload.get("WorkGroup") or "primary"
        execution_id = payload.get("QueryExecutionId")
        if action not in ("StartQueryExecution", *_REFUSED):
            execution = self._executions.get(str(execution_id))
            workgroup = execution.workgroup if execution else "*"
        return f"arn:aws:athena:{region}:{account_id}:workgroup/{workgroup}"

    async def _start(self, request: AwsRequest, payload: Mapping[str, Any]) -> dict[str, str]:
        query = payload.get("QueryString")
        if not isinstance(query, str) or not query.strip():
            raise _invalid("queryString must not be empty")
        if len(query.encode()) > MAX_BYTES:
            raise _invalid(f"queryString must be at most {MAX_BYTES} bytes")
        if payload.get("ExecutionParameters"):
            raise _invalid("ExecutionParameters are not supported by the local Athena")
        context = _mapping(payload, "QueryExecutionContext")
        catalog, database = context.get("Catalog"), context.get("Database")
        if catalog is not None and str(catalog).lower() != "awsdatacatalog":
            raise _invalid(f"Catalog {catalog}: the local Athena has AwsDataCatalog only")
        workgroup = await workgroups.find(str(payload.get("WorkGroup") or "primary"))
        output, encryption = workgroup.output_for(_mapping(payload, "ResultConfiguration"))
        statement: Statement | None = None
        failure = QueryError("", "")
        try:
            statement = await asyncio.to_thread(parse, query)
        except QueryError as error:
            failure = error
        execution_id = str(uuid.uuid4())
        execution = Execution(
            id=execution_id,
            query=query,
            statement_type="DML" if statement is None else _TYPES.get(type(statement), "DDL"),
            workgroup=workgroup.name,
            account_id=request.caller.account_id,
            database=str(database).lower() if database else None,
            output=str(output),
            result=f"{output}{_RESULTS.get(type(statement), '{}.txt').format(execution_id)}",
            encryption=encryption,
            state="QUEUED",
            submitted=time.time(),
        )
        await asyncio.to_thread(self._executions.add, execution)
        if statement is None:
            # A statement that cannot be parsed is an execution that failed.
            await asyncio.to_thread(self._worker.fail, execution, failure)
        else:
            self._worker.submit(execution, statement, request.caller, workgroup.scan_limit)
        return {"QueryExecutionId": execution_id}

    def _find(self, request: AwsRequest, payload: Mapping[str, Any]) -> Execution:
        execution = self._executions.get(str(payload.get("QueryExecutionId")))
        if execution is None or execution.account_id != request.caller.account_id:
            raise _invalid(f"QueryExecution {payload.get('QueryExecutionId')} was not found")
        return execution

    async def _results(
        self, request: AwsRequest, execution: Execution, payload: Mapping[str, Any]
    ) -> dict[str, Any]:
        if execution.state in ("QUEUED", "RUNNING"):
            raise _invalid(f"Query has not yet finished. Current state: {execution.state}")
        if execution.state != "SUCCEEDED":
            raise _invalid(
                f"Query did not finish successfully. Final query state: {execution.state}"
            )
        limit, start = _limit(payload), int(payload.get("NextToken") or 0)
        rows = await asyncio.to_thread(self._rows, request, execution)
        page: dict[str, Any] = {
            "ResultSet": {
                "Rows": [
                    {"Data": [{} if value is None else {"VarCharValue": value} for value in row]}
                    for row in rows[start : start + limit]
                ],
                "ResultSetMetadata": {"ColumnInfo": execution.columns},
            },
            "UpdateCount": 0,
        }
        if start + limit < len(rows):
            page["NextToken"] = str(start + limit)
        return page

    def _rows(self, request: AwsRequest, execution: Execution) -> list[list[str | None]]:
        """The result file's rows, read as the caller: GetQueryResults needs that permission too."""
        if not execution.columns:
            return []
        folder, _, name = execution.result.rpartition("/")
        s3, _ = clients_of(self._settings, request.caller)
        try:
            store = ObjectStore(s3, Stop())
            body = store.read(Location.parse(folder), name).decode("utf-8")
        except QueryError as error:
            code = (
                "AccessDeniedException" if error.error_type == 1501 else "InvalidRequestException"
            )
            raise AwsError(code, str(error)) from error
        if execution.result.endswith(".txt"):
            count = len(execution.columns)
            return [list(line.split("\t", count - 1)) for line in body.split("\n")[:-1]]
        try:
            return list(csv_rows(body))
        except ValueError as error:
            raise _invalid(f"the result {execution.result} was changed: {error}") from error


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidRequestException", message)


def _mapping(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = payload.get(name) or {}
    if not isinstance(value, dict):
        raise _invalid(f"{name} must be an object")
    return value


def _limit(payload: Mapping[str, Any]) -> int:
    value = payload.get("MaxResults") or _MAX_ROWS
    if not isinstance(value, int) or not 1 <= value <= _MAX_ROWS:
        raise _invalid(f"MaxResults must be 1 to {_MAX_ROWS}")
    return value


_TYPES: dict[type, str] = {Select: "DML", ShowPartitions: "UTILITY"}
_RESULTS: dict[type, str] = {Select: "{}.csv", type(None): "{}.csv", CreateTableAs: "tables/{}"}
"""The result's name, by the execution's id."""
