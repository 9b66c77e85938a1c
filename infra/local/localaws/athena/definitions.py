"""Running data definition statements against the Glue catalog."""

from __future__ import annotations

import re
import time
import urllib.parse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from localaws.athena import ddl
from localaws.athena.catalog import Catalog
from localaws.athena.errors import QueryError
from localaws.athena.queries import Outcome
from localaws.athena.relations import Table, View
from localaws.athena.results import text_column_info
from localaws.athena.storage import Location, ObjectStore
from localaws.athena.writing import partition_path


class DefinitionRunner:
    """Runs one definition or SHOW statement; its rows become a text file in `folder`."""

    def __init__(self, catalog: Catalog, store: ObjectStore, folder: Path) -> None:
        self._catalog = catalog
        self._store = store
        self._folder = folder

    def run(self, statement: ddl.Definition) -> Outcome:
        """The outcome; raises QueryError."""
        handler: Callable[[Any], tuple[Sequence[str], Sequence[str]]] = getattr(
            self, f"_{_snake(type(statement).__name__)}"
        )
        columns, lines = handler(statement)
        outcome = Outcome([text_column_info(name) for name in columns], suffix=".txt")
        if columns:
            outcome.body = self._folder / "result.txt"
            outcome.body.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
            outcome.rows = len(lines)
        return outcome

    def _create_table(self, statement: ddl.CreateTable) -> tuple[Sequence[str], Sequence[str]]:
        database, name = self._catalog.database(statement.name[0]), statement.name[1]
        self._catalog.require_database(database)
        created = self._catalog.create_table(database, _table_input(statement))
        if not created and not statement.if_not_exists:
            raise _ddl_failure(f"AlreadyExistsException(message:Table {name} already exists)")
        return (), ()

    def _drop_table(self, statement: ddl.DropTable) -> tuple[Sequence[str], Sequence[str]]:
        self._drop(statement.name, "Table", views=False, if_exists=statement.if_exists)
        return (), ()

    def _drop_view(self, statement: ddl.DropView) -> tuple[Sequence[str], Sequence[str]]:
        self._drop(statement.name, "View", views=True, if_exists=statement.if_exists)
        return (), ()

    def _drop(self, name: ddl.Name, what: str, *, views: bool, if_exists: bool) -> None:
        database = self._catalog.database(name[0])
        raw = self._catalog.raw_table(database, name[1])
        if raw is None:
            self._catalog.require_database(database)
            if if_exists:
                return
            raise _semantic(f"{what} not found {database}.{name[1]}")
        if (raw.get("TableType") == "VIRTUAL_VIEW") != views:
            kind = "a table, not a view" if views else "a view, not a table"
            raise _semantic(f"{database}.{name[1]} is {kind}")
        self._catalog.delete_table(database, name[1])

    def _create_database(
        self, statement: ddl.CreateDatabase
    ) -> tuple[Sequence[str], Sequence[str]]:
        created = self._catalog.create_database(
            statement.name, statement.comment, statement.location
        )
        if not created and not statement.if_not_exists:
            raise _ddl_failure(f"Database {statement.name} already exists")
        return (), ()

    def _drop_database(self, statement: ddl.DropDatabase) -> tuple[Sequence[str], Sequence[str]]:
        exists = statement.name in self._catalog.databases()
        if not exists and not statement.if_exists:
            raise _semantic(f"Database does not exist: {statement.name}")
        if exists:
            if self._catalog.tables(statement.name) and not statement.cascade:
                raise _ddl_failure(
                    f"InvalidOperationException(message:Database {statement.name} is not empty)"
                )
            self._catalog.drop_database(statement.name)
        return (), ()

    def _add_partitions(self, statement: ddl.AddPartitions) -> tuple[Sequence[str], Sequence[str]]:
        table = self._catalog.table(*statement.table)
        names = [key.name for key in table.partition_keys]
        wanted = []
        for spec, location in statement.partitions:
            values = _values(table, spec)
            default = f"{Location.parse(table.storage.location)}{partition_path(names, values)}"
            wanted.append((values, location or default))
        existed = self._catalog.create_partitions(table, wanted)
        if existed and not statement.if_not_exists:
            raise _ddl_failure(
                f"AlreadyExistsException(message:Partition already exists: {list(existed[0])})"
            )
        return (), ()

    def _drop_partitions(
        self, statement: ddl.DropPartitions
    ) -> tuple[Sequence[str], Sequence[str]]:
        table = self._catalog.table(*statement.table)
        existing = {partition.values for partition in self._catalog.partitions(table)}
        for spec in statement.partitions:
            values = _values(table, spec)
            if values in existing:
                self._catalog.delete_partition(table, values)
            elif not statement.if_exists:
                raise _semantic(f"Partition not found {list(values)}")
        return (), ()

    def _set_location(self, statement: ddl.SetLocation) -> tuple[Sequence[str], Sequence[str]]:
        table = self._catalog.table(*statement.table)
        if statement.partition is not None:
            values = _values(table, statement.partition)
            self._catalog.update_partition(table, values, statement.location)
            return (), ()
        raw = dict(self._catalog.raw_table(table.database, table.name) or {})
        raw["StorageDescriptor"] = {**raw["StorageDescriptor"], "Location": statement.location}
        self._catalog.update_table(
            table.database,
            {
                name: raw[name]
                for name in (
                    "Name",
                    "Description",
                    "Owner",
                    "StorageDescriptor",
                    "PartitionKeys",
                    "TableType",
                    "Parameters",
                )
                if raw.get(name) is not None
            },
        )
        return (), ()

    def _repair_table(self, statement: ddl.RepairTable) -> tuple[Sequence[str], Sequence[str]]:
        table = self._catalog.table(*statement.table)
        if not table.partition_keys:
            return ("result",), ()
        root = Location.parse(table.storage.location)
        existing = {partition.values for partition in self._catalog.partitions(table)}
        names = [key.name for key in table.partition_keys]
        found: dict[tuple[str, ...], str] = {}
        for stored in self._store.below(root):
            values = _values_of_path(stored.key[len(root.prefix) :], names)
            if values is not None and values not in existing:
                folders = "/".join(stored.key[len(root.prefix) :].split("/")[: len(names)])
                found[values] = f"{root}{folders}/"
        self._catalog.create_partitions(table, sorted(found.items()))
        shown = [
            f"{table.name}:{partition_path(names, values).rstrip('/')}" for values in sorted(found)
        ]
        lines = [f"Partitions not in metastore:\t{chr(9).join(shown)}"] if shown else []
        lines += [f"Repair: Added partition to metastore {one}" for one in shown]
        return ("result",), lines

    def _show_partitions(
        self, statement: ddl.ShowPartitions
    ) -> tuple[Sequence[str], Sequence[str]]:
        table = self._catalog.table(*statement.table)
        if not table.partition_keys:
            raise _semantic(f"Table {table.database}.{table.name} is not a partitioned table")
        names = [key.name for key in table.partition_keys]
        return ("partition",), [
            partition_path(names, partition.values).rstrip("/")
            for partition in self._catalog.partitions(table)
        ]

    def _show_tables(self, statement: ddl.ShowTables) -> tuple[Sequence[str], Sequence[str]]:
        database = self._catalog.database(statement.database)
        names = [
            str(table["Name"])
            for table in self._catalog.tables(database)
            if not statement.views or table.get("TableType") == "VIRTUAL_VIEW"
        ]
        return ("views" if statement.views else "tab_name",), _like(names, statement.pattern)

    def _show_databases(self, statement: ddl.ShowDatabases) -> tuple[Sequence[str], Sequence[str]]:
        return ("database_name",), _like(self._catalog.databases(), statement.pattern)

    def _show_columns(self, statement: ddl.ShowColumns) -> tuple[Sequence[str], Sequence[str]]:
        table = self._catalog.table(*statement.table)
        return ("field",), [f"{column.name:20}" for column in table.all_columns]

    def _describe(self, statement: ddl.Describe) -> tuple[Sequence[str], Sequence[str]]:
        database, name = self._catalog.database(statement.table[0]), statement.table[1]
        raw = self._catalog.raw_table(database, name)
        if raw is None:
            raise _semantic(f"Table not found {database}.{name}")
        keys = raw.get("PartitionKeys") or []
        lines = [_described(one) for one in [*raw["StorageDescriptor"].get("Columns", []), *keys]]
        if keys:
            lines += ["\t \t ", "# Partition Information\t \t "]
            lines.append(f"{'# col_name':20}\t{'data_type':20}\t{'comment':20}")
            lines.append("\t \t ")
            lines += [_described(one) for one in keys]
        return ("col_name", "data_type", "comment"), lines

    def _show_create_table(
        self, statement: ddl.ShowCreateTable
    ) -> tuple[Sequence[str], Sequence[str]]:
        table = self._catalog.table(*statement.table)
        raw = self._catalog.raw_table(table.database, table.name) or {}
        return ("createtab_stmt",), _create_statement(table, raw)

    def _show_create_view(
        self, statement: ddl.ShowCreateView
    ) -> tuple[Sequence[str], Sequence[str]]:
        found = self._catalog.find(*statement.view)
        if not isinstance(found, View):
            raise _semantic(f"View not found {'.'.join(filter(None, statement.view))}")
        text = f"CREATE VIEW {found.database}.{found.name} AS\n{found.statement}"
        return ("create view",), text.split("\n")


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def _ddl_failure(message: str) -> QueryError:
    return QueryError(
        "FAILED",
        f"Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. {message}",
    )


def _semantic(message: str) -> QueryError:
    return QueryError("FAILED", f"SemanticException {message}")


def _table_input(statement: ddl.CreateTable) -> dict[str, Any]:
    parameters = {
        "EXTERNAL": "TRUE",
        "transient_lastDdlTime": str(int(time.time())),
        **statement.properties,
    }
    if statement.comment is not None:
        parameters["comment"] = statement.comment
    return {
        "Name": statement.name[1],
        "Owner": "hadoop",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": parameters,
        "PartitionKeys": [_column_input(key) for key in statement.partition_keys],
        "StorageDescriptor": {
            "Columns": [_column_input(column) for column in statement.columns],
            "Location": statement.location,
            "InputFormat": statement.input_format,
            "OutputFormat": statement.output_format,
            "Compressed": False,
            "NumberOfBuckets": -1,
            "SerdeInfo": {
                "SerializationLibrary": statement.serde,
                "Parameters": statement.serde_parameters,
            },
            "BucketColumns": [],
            "SortColumns": [],
            "Parameters": {},
            "StoredAsSubDirectories": False,
        },
    }


def _column_input(column: ddl.ColumnDefinition) -> dict[str, str]:
    described = {"Name": column.name, "Type": column.type}
    return described if column.comment is None else {**described, "Comment": column.comment}


def _values(table: Table, spec: ddl.PartitionSpec) -> tuple[str, ...]:
    """A partition's values in the order of the table's keys; raises QueryError."""
    given = dict(spec)
    names = [key.name for key in table.partition_keys]
    if sorted(name for name, _ in spec) != sorted(names):
        raise _semantic(
            f"Partition spec {{{', '.join(f'{k}={v}' for k, v in spec)}}} does not name the "
            f"partition columns of {table.database}.{table.name}: {', '.join(names) or 'none'}"
        )
    return tuple(given[name] for name in names)


def _values_of_path(path: str, names: Sequence[str]) -> tuple[str, ...] | None:
    """The partition values in ``name=value/…/file``; None when the path does not hold them."""
    folders = path.split("/")[:-1]
    if len(folders) < len(names):
        return None
    values = []
    for name, folder in zip(names, folders, strict=False):
        key, equals, value = folder.partition("=")
        if not equals or urllib.parse.unquote(key).lower() != name:
            return None
        values.append(urllib.parse.unquote(value))
    return tuple(values)


def _like(names: Sequence[str], pattern: str | None) -> list[str]:
    """Names that match a Hive pattern: ``*`` for anything, ``|`` for or."""
    if pattern is None:
        return list(names)
    alternatives = [
        ".*".join(re.escape(piece) for piece in one.split("*")) for one in pattern.split("|")
    ]
    matcher = re.compile("|".join(alternatives), re.IGNORECASE)
    return [name for name in names if matcher.fullmatch(name)]


def _described(column: dict[str, Any]) -> str:
    return f"{column['Name']:20}\t{column.get('Type', ''):20}\t{column.get('Comment') or '':20}"


def _quote(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _create_statement(table: Table, raw: dict[str, Any]) -> list[str]:
    descriptor = raw["StorageDescriptor"]
    serde = descriptor.get("SerdeInfo") or {}
    lines = [f"CREATE EXTERNAL TABLE `{table.database}.{table.name}`("]
    lines += _column_lines(descriptor.get("Columns") or [])
    if raw.get("PartitionKeys"):
        lines.append("PARTITIONED BY ( ")
        lines += _column_lines(raw["PartitionKeys"])
    lines += ["ROW FORMAT SERDE ", f"  {_quote(serde.get('SerializationLibrary', ''))} "]
    if serde.get("Parameters"):
        lines += ["WITH SERDEPROPERTIES ( ", *_property_lines(serde["Parameters"])]
    lines += ["STORED AS INPUTFORMAT ", f"  {_quote(descriptor.get('InputFormat', ''))} "]
    lines += ["OUTPUTFORMAT ", f"  {_quote(descriptor.get('OutputFormat', ''))}"]
    lines += ["LOCATION", f"  {_quote(descriptor.get('Location', ''))}"]
    shown = {key: value for key, value in raw.get("Parameters", {}).items() if key != "EXTERNAL"}
    return [*lines, "TBLPROPERTIES (", *_property_lines(shown)]


def _column_lines(columns: Sequence[dict[str, Any]]) -> list[str]:
    shown = []
    for column in columns:
        comment = f" COMMENT {_quote(column['Comment'])}" if column.get("Comment") else ""
        shown.append(f"  `{column['Name']}` {column.get('Type', 'string')}{comment}")
    return [f"{line}, " for line in shown[:-1]] + [f"{shown[-1]})"]


def _property_lines(properties: dict[str, str]) -> list[str]:
    shown = [f"  {_quote(key)}={_quote(str(value))}" for key, value in sorted(properties.items())]
    return [f"{line}, " for line in shown[:-1]] + [f"{shown[-1]})"] if shown else ["  )"]
