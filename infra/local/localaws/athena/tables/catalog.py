"""The Glue Data Catalog as Athena uses it, through Glue's API with the caller's permissions."""

from __future__ import annotations

import base64
import binascii
import functools
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from localaws.athena.errors import QueryError, internal_error, not_supported
from localaws.athena.sql.types import Type, hive_name, parse_hive
from localaws.athena.tables.relations import CATALOG, Column, Storage, Table, View

_VIEW_START = "/* Presto View: "
_VIEW_END = " */"
_MISSING = "EntityNotFoundException"
_BATCH = 100
"""Partitions per BatchCreatePartition and BatchUpdatePartition."""


@dataclass(frozen=True, slots=True)
class CatalogPartition:
    """A partition of the catalog: its values as text, and where its objects are."""

    values: tuple[str, ...]
    storage: Storage


class Catalog:
    """Databases, tables, views and partitions; raises QueryError where the caller may not."""

    def __init__(self, glue: Any, default_database: str | None) -> None:
        self._glue = glue
        self._default = default_database
        self._tables: dict[tuple[str, str], dict[str, Any] | None] = {}

    def database(self, name: str | None) -> str:
        """The database meant; raises QueryError when there is none to mean."""
        found = name or self._default
        if not found:
            raise QueryError(
                "MISSING_SCHEMA_NAME", "Schema must be specified when session schema is not set"
            )
        return found

    def find(self, database: str | None, name: str) -> Table | View | None:
        """See `resolving.Relations`."""
        schema = self.database(database)
        raw = self.raw_table(schema, name)
        if raw is None:
            self.require_database(schema)
            return None
        if raw.get("TableType") == "VIRTUAL_VIEW":
            return _view(schema, name, raw)
        return _table(schema, name, raw)

    def table(self, database: str | None, name: str) -> Table:
        """A table with data; raises QueryError when there is none of this name."""
        found = self.find(database, name)
        if found is None:
            raise QueryError(
                "TABLE_NOT_FOUND",
                f"Table '{CATALOG}.{self.database(database)}.{name}' does not exist",
            )
        if isinstance(found, View):
            raise QueryError("NOT_SUPPORTED", f"{found.database}.{found.name} is a view")
        return found

    def raw_table(self, database: str, name: str) -> dict[str, Any] | None:
        """Glue's own answer about a table or view; None when there is none."""
        if (database, name) not in self._tables:
            answer = self._call(
                lambda: self._glue.get_table(DatabaseName=database, Name=name), expected=_MISSING
            )
            self._tables[database, name] = answer["Table"] if answer else None
        return self._tables[database, name]

    def require_database(self, name: str) -> None:
        """Raise QueryError when the database does not exist."""
        if self._call(lambda: self._glue.get_database(Name=name), expected=_MISSING) is None:
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{name}' does not exist")

    def partitions(self, table: Table) -> list[CatalogPartition]:
        """The partitions registered for a table, by value."""

        def read() -> list[dict[str, Any]]:
            pages = self._glue.get_paginator("get_partitions").paginate(
                DatabaseName=table.database, TableName=table.name
            )
            return [item for page in pages for item in page["Partitions"]]

        found = [
            CatalogPartition(tuple(raw["Values"]), _storage(raw.get("StorageDescriptor") or {}))
            for raw in self._call(read)
        ]
        return sorted(found, key=lambda partition: partition.values)

    def create_table(self, database: str, table: dict[str, Any]) -> bool:
        """Whether it was created; False when a table or view of that name exists."""
        self._tables.pop((database, table["Name"]), None)
        answer = self._call(
            lambda: self._glue.create_table(DatabaseName=database, TableInput=table),
            expected="AlreadyExistsException",
        )
        return answer is not None

    def update_table(self, database: str, table: dict[str, Any]) -> None:
        """Replace a table's or view's definition."""
        self._tables.pop((database, table["Name"]), None)
        self._call(lambda: self._glue.update_table(DatabaseName=database, TableInput=table))

    def delete_table(self, database: str, name: str) -> None:
        """Forget a table or view; its objects stay."""
        self._tables.pop((database, name), None)
        self._call(lambda: self._glue.delete_table(DatabaseName=database, Name=name))

    def create_partitions(
        self, table: Table, partitions: Sequence[tuple[tuple[str, ...], str]]
    ) -> list[tuple[str, ...]]:
        """Register partitions (values, location); returns the values of those that existed."""
        raw = self.raw_table(table.database, table.name) or {}
        storage = raw.get("StorageDescriptor") or {}
        inputs = [
            {"Values": list(values), "StorageDescriptor": {**storage, "Location": location}}
            for values, location in partitions
        ]
        existed: list[tuple[str, ...]] = []
        for start in range(0, len(inputs), _BATCH):
            call = functools.partial(
                self._glue.batch_create_partition,
                DatabaseName=table.database,
                TableName=table.name,
                PartitionInputList=inputs[start : start + _BATCH],
            )
            answer = self._call(call)
            for error in answer.get("Errors") or []:
                if error["ErrorDetail"]["ErrorCode"] != "AlreadyExistsException":
                    raise QueryError("FAILED", f"SemanticException: {error['ErrorDetail']}")
                existed.append(tuple(error["PartitionValues"]))
        return existed

    def update_partition(self, table: Table, values: tuple[str, ...], location: str) -> None:
        """Point a partition at another location; raises QueryError when there is no such one."""
        names = {"DatabaseName": table.database, "TableName": table.name}
        old = self._call(
            lambda: self._glue.get_partition(**names, PartitionValues=list(values)),
            expected=_MISSING,
        )
        if old is None:
            shown = ", ".join(values)
            raise QueryError("FAILED", f"SemanticException: partition ({shown}) does not exist")
        storage = {**(old["Partition"].get("StorageDescriptor") or {}), "Location": location}
        moved = {"Values": list(values), "StorageDescriptor": storage}
        entry = {"PartitionValueList": list(values), "PartitionInput": moved}
        answer = self._call(lambda: self._glue.batch_update_partition(**names, Entries=[entry]))
        if answer.get("Errors"):
            raise QueryError("FAILED", f"SemanticException: {answer['Errors'][0]['ErrorDetail']}")

    def delete_partition(self, table: Table, values: tuple[str, ...]) -> None:
        """Forget a partition; its objects stay."""
        self._call(
            lambda: self._glue.delete_partition(
                DatabaseName=table.database, TableName=table.name, PartitionValues=list(values)
            )
        )

    def _call(self, call: Callable[[], Any], expected: str = "") -> Any:
        """Glue's answer; None instead of the error of the code `expected`. Raises QueryError."""
        try:
            return call()
        except ClientError as error:
            code = error.response["Error"]["Code"]
            message = error.response["Error"].get("Message", "")
            if code == expected:
                return None
            if code == _MISSING:
                raise QueryError("FAILED", f"SemanticException: {message}") from error
            if code == "AccessDeniedException":
                raise QueryError(
                    "", f"Insufficient permissions to execute the query. {message}", kind=1500
                ) from error
            raise internal_error(f"Glue: {code}: {message}") from error


def _columns(raw: Iterable[dict[str, Any]]) -> tuple[Column, ...]:
    return tuple(
        Column(one["Name"].lower(), parse_hive(one.get("Type") or "string")) for one in raw
    )


def _storage(descriptor: dict[str, Any]) -> Storage:
    serde = descriptor.get("SerdeInfo") or {}
    return Storage(
        descriptor.get("Location") or "",
        serde.get("SerializationLibrary") or "",
        descriptor.get("InputFormat") or "",
        serde.get("Parameters") or {},
    )


def _table(database: str, name: str, raw: dict[str, Any]) -> Table:
    descriptor = raw.get("StorageDescriptor") or {}
    parameters = raw.get("Parameters") or {}
    if parameters.get("table_type"):
        raise not_supported(f"{database}.{name}, a table of type {parameters['table_type']},")
    return Table(
        database,
        name,
        _columns(descriptor.get("Columns") or []),
        _columns(raw.get("PartitionKeys") or []),
        _storage(descriptor),
        parameters,
    )


def _view(database: str, name: str, raw: dict[str, Any]) -> View:
    text = raw.get("ViewOriginalText") or ""
    problem = QueryError("INVALID_VIEW", f"Invalid view: {database}.{name}: not a Presto view")
    if not text.startswith(_VIEW_START) or not text.endswith(_VIEW_END):
        raise problem
    try:
        encoded = text[len(_VIEW_START) : -len(_VIEW_END)]
        definition = json.loads(base64.b64decode(encoded, validate=True))
        columns = tuple((column["name"], column["type"]) for column in definition["columns"])
        return View(
            database, name, definition["originalSql"], definition.get("schema") or "", columns
        )
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise problem from error


def view_input(
    name: str, statement: str, schema: str, columns: Sequence[tuple[str, Type]]
) -> dict[str, Any]:
    """A view as Athena writes it to Glue: a `TableInput`."""
    definition = {
        "originalSql": statement,
        "catalog": CATALOG,
        "schema": schema,
        "columns": [{"name": label, "type": str(kind)} for label, kind in columns],
    }
    encoded = base64.b64encode(json.dumps(definition, ensure_ascii=False).encode()).decode()
    return {
        "Name": name,
        "TableType": "VIRTUAL_VIEW",
        "ViewOriginalText": f"{_VIEW_START}{encoded}{_VIEW_END}",
        "ViewExpandedText": "/* Presto View */",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "PartitionKeys": [],
        "StorageDescriptor": {
            "Columns": [
                {
                    "Name": label.lower(),
                    "Type": hive_name(kind) if kind.base != "json" else "string",
                }
                for label, kind in columns
            ],
            "Location": "",
            "SerdeInfo": {},
        },
    }
