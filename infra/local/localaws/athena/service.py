"""The query operations of Athena's API; workgroups and everything else are ministack's."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from collections.abc import Mapping
from typing import Any

from localaws.athena import workgroups
from localaws.athena.apis import apis_of
from localaws.athena.errors import QueryError
from localaws.athena.executions import Execution, Executions, Failure
from localaws.athena.parameters import filled
from localaws.athena.results import csv_rows
from localaws.athena.statements import (
    CreateTableAs,
    CreateView,
    Insert,
    Select,
    Statement,
    Unload,
    parse,
    statement_type,
)
from localaws.athena.storage import Location, ObjectStore
from localaws.athena.worker import Worker
from localaws.protocol import AwsError, AwsRequest, AwsResponse
from localaws.settings import Settings

_ACTIONS = (
    "StartQueryExecution",
    "GetQueryExecution",
    "BatchGetQueryExecution",
    "GetQueryResults",
    "GetQueryRuntimeStatistics",
    "StopQueryExecution",
    "ListQueryExecutions",
)
_MAX_QUERY_BYTES = 262_144
_MAX_BATCH = 50
_MAX_ROWS = 1000


class Athena:
    """Queries, run for real."""

    name = "athena"
    targets = frozenset(f"AmazonAthena.{action}" for action in _ACTIONS)

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
            case "BatchGetQueryExecution":
                answer = self._batch_get(request, payload)
            case "GetQueryResults":
                answer = await self._results(request, self._find(request, payload), payload)
            case "GetQueryRuntimeStatistics":
                answer = _runtime(self._find(request, payload))
            case "StopQueryExecution":
                await asyncio.to_thread(self._worker.cancel, self._find(request, payload).id)
            case "ListQueryExecutions":
                answer = self._list(request, payload)
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
        if action == "BatchGetQueryExecution":
            execution_id = next(iter(payload.get("QueryExecutionIds") or []), None)
        if action not in ("StartQueryExecution", "ListQueryExecutions"):
            execution = self._executions.get(str(execution_id))
            workgroup = execution.workgroup if execution else "*"
        return f"arn:aws:athena:{region}:{account_id}:workgroup/{workgroup}"

    # --- StartQueryExecution ---

    async def _start(self, request: AwsRequest, payload: Mapping[str, Any]) -> dict[str, str]:
        query = payload.get("QueryString")
        if not isinstance(query, str) or not query.strip():
            raise _invalid("queryString must not be empty")
        if len(query.encode()) > _MAX_QUERY_BYTES:
            raise _invalid(f"queryString must be at most {_MAX_QUERY_BYTES} bytes")
        context = _mapping(payload, "QueryExecutionContext")
        catalog = context.get("Catalog")
        if catalog is not None and str(catalog).lower() != "awsdatacatalog":
            raise _invalid(f"Catalog {catalog}: the local Athena has AwsDataCatalog only")
        parameters = payload.get("ExecutionParameters") or []
        if not isinstance(parameters, list) or not all(isinstance(one, str) for one in parameters):
            raise _invalid("ExecutionParameters must be a list of texts")
        workgroup = await workgroups.find(str(payload.get("WorkGroup") or "primary"))
        output, encryption = workgroup.output_for(_mapping(payload, "ResultConfiguration"))
        execution_id = str(uuid.uuid4())
        statement: Statement | None = None
        failure: QueryError | None = None
        text = query
        try:
            text = await asyncio.to_thread(filled, query, parameters)
            statement = await asyncio.to_thread(parse, text)
        except QueryError as error:
            failure = error
        database = context.get("Database")
        wanted = Execution(
            id=execution_id,
            query=query,
            statement_type=statement_type(statement) if statement else "DML",
            substatement_type=_substatement(statement),
            workgroup=workgroup.name,
            account_id=request.caller.account_id,
            region=request.region,
            database=str(database).lower() if database else None,
            catalog=str(catalog).lower() if catalog else None,
            output=str(output),
            result=_result_uri(output, execution_id, statement),
            encryption=encryption,
            parameters=parameters,
            token=str(payload.get("ClientRequestToken") or ""),
            state="QUEUED",
            submitted=time.time(),
        )
        execution = await asyncio.to_thread(self._executions.add, wanted)
        if execution.id != execution_id:
            if (execution.query, execution.database) != (wanted.query, wanted.database):
                raise _invalid("Idempotent parameters do not match")
        elif statement is None:
            await asyncio.to_thread(self._reject, execution, failure)
        else:
            self._worker.submit(execution, statement, text, request.caller, workgroup.scan_limit)
        return {"QueryExecutionId": execution.id}

    def _reject(self, execution: Execution, error: QueryError | None) -> None:
        """A statement that cannot be parsed is an execution that failed."""
        category, kind = (error.category, error.error_type) if error else (2, 1006)
        self._executions.change(
            execution.id,
            state="FAILED",
            started=execution.submitted,
            completed=time.time(),
            reason=str(error),
            failure=Failure(category, kind, str(error)),
        )

    # --- The other operations ---

    def _find(self, request: AwsRequest, payload: Mapping[str, Any]) -> Execution:
        execution = self._executions.get(str(payload.get("QueryExecutionId")))
        if execution is None or execution.account_id != request.caller.account_id:
            raise _invalid(f"QueryExecution {payload.get('QueryExecutionId')} was not found")
        return execution

    def _batch_get(self, request: AwsRequest, payload: Mapping[str, Any]) -> dict[str, Any]:
        ids = payload.get("QueryExecutionIds")
        if not isinstance(ids, list) or not 1 <= len(ids) <= _MAX_BATCH:
            raise _invalid(f"QueryExecutionIds must hold 1 to {_MAX_BATCH}")
        found, missing = [], []
        groups = set()
        for one in ids:
            try:
                execution = self._find(request, {"QueryExecutionId": one})
            except AwsError as error:
                missing.append(
                    {
                        "QueryExecutionId": one,
                        "ErrorCode": error.code,
                        "ErrorMessage": error.message,
                    }
                )
            else:
                groups.add(execution.workgroup)
                found.append(execution.api())
        if len(groups) > 1:
            # The permission was checked for one workgroup.
            raise _invalid("the local Athena answers for one workgroup at a time")
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def _list(self, request: AwsRequest, payload: Mapping[str, Any]) -> dict[str, Any]:
        group = str(payload.get("WorkGroup") or "primary")
        executions = self._executions.of(group, request.caller.account_id, request.region)
        limit = _limit(payload, _MAX_BATCH)
        start = _offset(payload)
        page: dict[str, Any] = {
            "QueryExecutionIds": [one.id for one in executions[start : start + limit]]
        }
        if start + limit < len(executions):
            page["NextToken"] = str(start + limit)
        return page

    async def _results(
        self, request: AwsRequest, execution: Execution, payload: Mapping[str, Any]
    ) -> dict[str, Any]:
        if execution.state in ("QUEUED", "RUNNING"):
            raise _invalid(f"Query has not yet finished. Current state: {execution.state}")
        if execution.state != "SUCCEEDED":
            raise _invalid(
                f"Query did not finish successfully. Final query state: {execution.state}"
            )
        limit, start = _limit(payload, _MAX_ROWS), _offset(payload)
        rows = await asyncio.to_thread(self._rows, request, execution)
        page: dict[str, Any] = {
            "ResultSet": {
                "Rows": [
                    {"Data": [{} if value is None else {"VarCharValue": value} for value in row]}
                    for row in rows[start : start + limit]
                ],
                "ResultSetMetadata": {"ColumnInfo": execution.columns},
            },
            "UpdateCount": execution.update_count,
        }
        if start + limit < len(rows):
            page["NextToken"] = str(start + limit)
        return page

    def _rows(self, request: AwsRequest, execution: Execution) -> list[list[str | None]]:
        """The result file's rows, read as the caller: GetQueryResults needs that permission too."""
        if not execution.columns:
            return []
        place = Location.parse(execution.result)
        key = place.prefix.rstrip("/")
        apis = apis_of(self._settings, request.caller)
        store = ObjectStore(apis.s3, self._settings.home, threading.Event())
        try:
            body = store.read(place.bucket, key).decode("utf-8")
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


def _limit(payload: Mapping[str, Any], most: int) -> int:
    value = payload.get("MaxResults") or most
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise _invalid(f"MaxResults must be 1 to {most}")
    return value


def _offset(payload: Mapping[str, Any]) -> int:
    token = payload.get("NextToken") or "0"
    if not isinstance(token, str) or not token.isdecimal():
        raise _invalid("NextToken is not one of ours")
    return int(token)


_SUBSTATEMENTS: dict[type, str] = {
    Select: "SELECT",
    CreateView: "CREATE_VIEW",
    CreateTableAs: "CREATE_TABLE_AS_SELECT",
    Insert: "INSERT",
    Unload: "UNLOAD",
}


def _substatement(statement: Statement | None) -> str | None:
    if statement is None:
        return None
    name = type(statement).__name__
    spelled = "".join(f"_{char}" if char.isupper() else char for char in name).upper().strip("_")
    return _SUBSTATEMENTS.get(type(statement), spelled)


def _result_uri(output: Location, execution_id: str, statement: Statement | None) -> str:
    """``ResultConfiguration.OutputLocation`` of the execution."""
    if isinstance(statement, (CreateTableAs, Insert)):
        return f"{output}tables/{execution_id}"
    if isinstance(statement, Unload):
        return f"{output}{execution_id}"
    suffix = "csv" if statement is None or isinstance(statement, Select) else "txt"
    return f"{output}{execution_id}.{suffix}"


def _runtime(execution: Execution) -> dict[str, Any]:
    return {
        "QueryRuntimeStatistics": {
            "Timeline": execution.timeline,
            "Rows": {
                "InputRows": execution.scanned_rows,
                "InputBytes": execution.scanned_bytes,
                "OutputRows": execution.rows,
            },
        }
    }
