"""The Glue Data Catalog's permissions, as AWS asks for them.

ministack keeps the catalog, but lets a caller in on the database alone, and takes a database for a
table where a request names only that. On AWS a call needs the resource and everything above it:
a table, its database and the catalog. A policy that forgets one must fail here as well, and one
that names them all must do.

Source of the rules: "Identity-based policies (IAM policies) for access control" in AWS's Glue
developer guide, section "Data Catalog resource ARNs".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ministack.services import glue

from localaws.glue import encryption
from localaws.protocol import AwsError, AwsRequest, AwsResponse

_ON_CATALOG = encryption.ACTIONS
_ON_DATABASES = ("GetDatabases",)
_ON_DATABASE = ("CreateDatabase", "DeleteDatabase", "GetDatabase", "UpdateDatabase")
_ON_TABLES = ("GetTables",)
_ON_TABLE = (
    "BatchCreatePartition",
    "BatchDeletePartition",
    "BatchGetPartition",
    "BatchUpdatePartition",
    "CreatePartition",
    "CreateTable",
    "DeletePartition",
    "DeleteTable",
    "GetPartition",
    "GetPartitions",
    "GetTable",
    "UpdatePartition",
    "UpdateTable",
)
_READING = ("BatchGet", "Get")
_DESCRIBING = ("GetDatabase", "GetDatabases", "GetTable", "GetTables")


class GlueCatalog:
    """Lets a catalog call through to ministack once its caller may make it.

    `commit` keeps what the call changed.
    """

    name = "glue-catalog"
    targets = frozenset(
        f"AWSGlue.{action}"
        for action in (*_ON_CATALOG, *_ON_DATABASES, *_ON_DATABASE, *_ON_TABLES, *_ON_TABLE)
    )

    def __init__(self, commit: Callable[[], None]) -> None:
        self._commit = commit

    async def start(self) -> None:
        """Nothing to start."""

    async def stop(self) -> None:
        """Nothing to stop."""

    def resource_arn(
        self, action: str, payload: Mapping[str, Any], region: str, account_id: str
    ) -> Sequence[str]:
        """The resource of a call and everything above it."""
        prefix = f"arn:aws:glue:{region}:{account_id}"
        catalog = f"{prefix}:catalog"
        if action in _ON_CATALOG:
            return (catalog,)
        if action in _ON_DATABASES:
            return catalog, f"{prefix}:database/*"
        if action in _ON_DATABASE:
            named = payload.get("Name") or _part(payload, "DatabaseInput").get("Name", "")
            database = f"{prefix}:database/{named}"
            below = (f"{prefix}:table/{named}/*", f"{prefix}:userDefinedFunction/{named}/*")
            return (catalog, database, *(below if action == "DeleteDatabase" else ()))
        in_database = payload.get("DatabaseName", "")
        table = "*" if action in _ON_TABLES else _table(payload)
        return (
            catalog,
            f"{prefix}:database/{in_database}",
            f"{prefix}:table/{in_database}/{table}",
        )

    async def handle(self, request: AwsRequest) -> AwsResponse:
        """ministack's answer.

        UpdatePartition, which it lacks, is a batch of one; a table that is missing has no
        partitions there.
        """
        if request.action in _ON_CATALOG:
            response = AwsResponse.of(encryption.answer(request.action, request.json()))
        elif request.action == "UpdatePartition":
            response = _update_partition(request.json())
        elif request.action == "GetPartitions":
            response = _get_partitions(request)
        else:
            response = _ask(request.action, request.body)
        if not request.action.startswith(_READING):
            self._commit()
        return response

    async def control(self, method: str, path: str, body: bytes) -> AwsResponse:  # noqa: ARG002
        """There are no knobs."""
        raise AwsError("ResourceNotFoundException", f"no such knob: {path}", 404)


def _update_partition(payload: Mapping[str, Any]) -> AwsResponse:
    entry = {name: payload.get(name) for name in ("PartitionValueList", "PartitionInput")}
    of_table = {
        name: payload[name]
        for name in ("CatalogId", "DatabaseName", "TableName")
        if name in payload
    }
    batch = json.dumps({**of_table, "Entries": [entry]}).encode()
    answer = _ask("BatchUpdatePartition", batch)
    if answer.status != 200:
        return answer
    for error in json.loads(answer.body).get("Errors", []):
        detail = error["ErrorDetail"]
        raise AwsError(detail["ErrorCode"], detail["ErrorMessage"])
    return AwsResponse.of({})


def _get_partitions(request: AwsRequest) -> AwsResponse:
    payload = request.json()
    table = {"DatabaseName": payload.get("DatabaseName"), "Name": payload.get("TableName")}
    found = _ask("GetTable", json.dumps(table).encode())
    return _ask(request.action, request.body) if found.status == 200 else found


def _ask(action: str, body: bytes) -> AwsResponse:
    """Call ministack's catalog as it is called once its own check is passed.

    On the event loop, not in a thread as ministack would: it replaces a partition in two steps, and
    nobody shall see, or checkpoint, the state between them.
    """
    headers = {"x-amz-target": f"AWSGlue.{action}", "content-type": "application/x-amz-json-1.1"}
    status, answered, content = glue._handle_request_sync("POST", "/", headers, body, {})  # noqa: SLF001
    if status == 200 and action in _DESCRIBING:
        content = json.dumps(_without_absent(json.loads(content))).encode()
    return AwsResponse(status, answered, content)


def _without_absent(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The answer about databases or tables without the fields that nobody gave.

    ministack answers them as null or as empty text. A reader tells the two from absent: for a view
    Trino's Hive connector wants no description at all, or one it knows.
    """
    return {
        name: [_given(one) for one in found] if isinstance(found, list) else _given(found)
        for name, found in answer.items()
    }


def _given(described: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in described.items() if value not in (None, "")}


def _table(payload: Mapping[str, Any]) -> str:
    named = payload.get("TableName") or payload.get("Name")
    return str(named or _part(payload, "TableInput").get("Name", ""))


def _part(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = payload.get(name)
    return part if isinstance(part, Mapping) else {}
