"""Running statements that hold a query: reading what it needs, and what becomes of its rows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlglot import exp

from localaws.athena import casts, ddl, types
from localaws.athena.catalog import Catalog, view_input
from localaws.athena.engine import Prepared, run
from localaws.athena.errors import QueryError, not_supported
from localaws.athena.expression import Expr
from localaws.athena.formats import DataFile, TableLoader, is_parquet
from localaws.athena.partitions import PartitionFinder
from localaws.athena.projection import Projection
from localaws.athena.relations import Table
from localaws.athena.results import column_info, csv_line, render
from localaws.athena.session import Session
from localaws.athena.sql import text
from localaws.athena.statements import CreateTableAs, CreateView, Insert, Option, Select, Unload
from localaws.athena.storage import Location, ObjectStore
from localaws.athena.types import Type, duckdb_name, hive_name
from localaws.athena.writing import (
    ParquetWriter,
    Written,
    check_columns,
    parquet_compression,
    partition_path,
)


class ScanLimitExceeded(Exception):
    """The query would read more than its workgroup allows."""


@dataclass(slots=True)
class Environment:
    """Where and as whom a query runs.

    `folder` is the query's own, for passing files; `scan_limit` is in bytes; `attach` is told of
    the DuckDB session, so that it can be interrupted.
    """

    catalog: Catalog
    store: ObjectStore
    folder: Path
    now: datetime
    output: Location
    query_id: str
    stop: threading.Event
    scan_limit: int | None = None
    attach: Callable[[Session | None], None] = field(default=lambda _: None)


@dataclass(slots=True)
class Outcome:
    """What a statement gave.

    `columns` are ``ColumnInfo``; `body` the content of the result file (None: it has none) whose
    name ends in `suffix`; `manifest` the objects written.
    """

    columns: list[dict[str, Any]] = field(default_factory=list)
    body: Path | None = None
    suffix: str = ".csv"
    scanned_bytes: int = 0
    scanned_rows: int = 0
    rows: int = 0
    manifest: tuple[str, ...] | None = None
    update_count: int = 0


class QueryRunner:
    """Runs one statement that holds a query."""

    def __init__(self, environment: Environment, statement: str, database: str | None) -> None:
        self._env = environment
        self._statement = statement
        self._database = database
        self._outcome = Outcome()

    def select(self, statement: Select) -> Outcome:
        """The rows into a CSV file with a header."""
        with self._session() as session:
            prepared = self._prepared(statement.query)
            self._read(session, prepared)
            path = self._env.folder / "result.csv"
            with path.open("w", encoding="utf-8", newline="") as file:
                file.write(csv_line([name for name, _ in prepared.columns]))
                kinds = [kind for _, kind in prepared.columns]
                for row in run(session, prepared):
                    values = [render(value, kind) for value, kind in zip(row, kinds, strict=True)]
                    file.write(csv_line(values))
                    self._outcome.rows += 1
        self._outcome.columns = [column_info(name, kind) for name, kind in prepared.columns]
        self._outcome.body = path
        return self._outcome

    def create_view(self, statement: CreateView) -> Outcome:
        """Store the query in the catalog."""
        catalog = self._env.catalog
        database = catalog.database(statement.name[0])
        name = statement.name[1]
        catalog.require_database(database)
        prepared = self._prepared(statement.query)
        _check_names(prepared)
        view = view_input(name, statement.text, catalog.database(None), prepared.columns)
        existing = catalog.raw_table(database, name)
        if existing is None:
            if not catalog.create_table(database, view):
                raise QueryError("ALREADY_EXISTS", f"View already exists: '{database}.{name}'")
        elif existing.get("TableType") != "VIRTUAL_VIEW":
            raise QueryError("ALREADY_EXISTS", f"Table already exists: '{database}.{name}'")
        elif not statement.replace:
            raise QueryError("ALREADY_EXISTS", f"View already exists: '{database}.{name}'")
        else:
            catalog.update_table(database, view)
        self._outcome.suffix = ".txt"
        return self._outcome

    def unload(self, statement: Unload) -> Outcome:
        """The rows as Parquet objects below an empty location."""
        options = dict(statement.options)
        compression = _parquet_options(options, "format", "compression")
        partitioned_by = _names(options.pop("partitioned_by", ()))
        _nothing_left(options)
        target = Location.parse(statement.location)
        with self._session() as session:
            prepared = self._prepared(statement.query)
            check_columns(prepared.columns, prepared.translation.unnamed, partitioned_by)
            if not self._env.store.is_empty(target):
                raise QueryError(
                    "HIVE_PATH_ALREADY_EXISTS",
                    f"Target directory for table already exists: {target}",
                )
            self._read(session, prepared)
            source = self._collect(session, prepared, prepared.columns)
            written = self._writer(session).write(
                source, prepared.columns, partitioned_by, target, compression
            )
        return self._written(written)

    def create_table_as(self, statement: CreateTableAs) -> Outcome:
        """The rows as a new Parquet table."""
        catalog = self._env.catalog
        database, name = catalog.database(statement.name[0]), statement.name[1]
        catalog.require_database(database)
        if catalog.raw_table(database, name) is not None:
            if statement.if_not_exists:
                return self._written(Written((), 0, ()))
            raise QueryError("ALREADY_EXISTS", f"Table already exists: '{database}.{name}'")
        options = dict(statement.options)
        compression = _parquet_options(
            options, "format", "write_compression", "parquet_compression"
        )
        partitioned_by = _names(options.pop("partitioned_by", ()))
        location = options.pop("external_location", None)
        _nothing_left(options)
        root = self._env.output
        target = (
            Location.parse(str(location))
            if location is not None
            else Location(root.bucket, f"{root.prefix}tables/{self._env.query_id}/")
        )
        with self._session() as session:
            prepared = self._prepared(statement.query)
            check_columns(prepared.columns, prepared.translation.unnamed, partitioned_by)
            if not self._env.store.is_empty(target):
                raise QueryError(
                    "HIVE_PATH_ALREADY_EXISTS",
                    f"Target directory for table '{database}.{name}' already exists: {target}. "
                    "You may need to manually clean the data at this location before retrying.",
                )
            written = Written((), 0, ())
            if statement.with_data:
                self._read(session, prepared)
                source = self._collect(session, prepared, prepared.columns)
                written = self._writer(session).write(
                    source, prepared.columns, partitioned_by, target, compression
                )
        if not catalog.create_table(
            database, _table_input(name, prepared.columns, partitioned_by, target)
        ):
            raise QueryError("ALREADY_EXISTS", f"Table already exists: '{database}.{name}'")
        self._register(catalog.table(database, name), written.partitions, target)
        return self._written(written)

    def insert(self, statement: Insert) -> Outcome:
        """The rows as further objects of a Parquet table."""
        catalog = self._env.catalog
        table = catalog.table(*statement.name)
        if not is_parquet(table.storage):
            raise not_supported("INSERT INTO a table that is not Parquet")
        columns = [(column.name, column.type) for column in table.all_columns]
        with self._session() as session:
            prepared = self._prepared(statement.query)
            places = _insert_places(table, statement.columns, prepared)
            self._read(session, prepared)
            source = self._collect(session, prepared, columns, places)
            keys = [key.name for key in table.partition_keys]
            root = Location.parse(table.storage.location)
            locations = self._partition_locations(table, root)
            written = self._writer(session).write(source, columns, keys, locations, "gzip")
        if Projection.of(table, self._env.now) is None:
            known = set(locations)
            new = tuple(values for values in written.partitions if values not in known)
            self._register(table, new, root)
        return self._written(written)

    # --- Steps ---

    def _session(self) -> _Attached:
        return _Attached(self._env)

    def _prepared(self, query: exp.Expr) -> Prepared:
        return Prepared.of(self._statement, query, self._env.catalog, self._database, self._env.now)

    def _read(self, session: Session, prepared: Prepared) -> None:
        """Fill the query's sources with the partitions it needs."""
        finder = PartitionFinder(session, self._env.catalog, self._env.now, self._env.folder)
        for source, table in prepared.sources.items():
            uses = [scan.plan for scan in prepared.scans_of(source)]
            partitions = finder.find(table, uses)
            locations = [Location.parse(partition.storage.location) for partition in partitions]
            listed = [
                (partition, stored)
                for partition, found in zip(
                    partitions, self._env.store.below_each(locations), strict=True
                )
                for stored in found
            ]
            self._outcome.scanned_bytes += sum(stored.size for _, stored in listed)
            limit = self._env.scan_limit
            if limit is not None and self._outcome.scanned_bytes > limit:
                raise ScanLimitExceeded
            folder = self._env.folder / source
            folder.mkdir()
            paths = self._env.store.fetch([stored for _, stored in listed], folder)
            files = [
                DataFile(partition, stored, path)
                for (partition, stored), path in zip(listed, paths, strict=True)
            ]
            loader = TableLoader(session, source, table, prepared.translation.used[source], folder)
            loader.load(files)
            self._outcome.scanned_rows += session.rows(f"SELECT count(*) FROM {source}")[0][0]

    def _collect(
        self,
        session: Session,
        prepared: Prepared,
        columns: Sequence[tuple[str, Type]],
        places: Sequence[int | None] | None = None,
    ) -> str:
        """The query's rows in a DuckDB table ``written`` of columns ``c0``, ``c1``….

        `places` says which column of the query each of `columns` is (None: NULL).
        """
        names = [f"q{index}" for index in range(len(prepared.columns))]
        values = []
        for index, (_, kind) in enumerate(columns):
            place = index if places is None else places[index]
            if place is None:
                value = f"CAST(NULL AS {duckdb_name(kind)})"
            else:
                source = Expr(text(names[place]), prepared.columns[place][1])
                value = str(casts.coerce(source, kind).sql)
            values.append(f"{value} AS c{index}")
        session.run(
            f"CREATE TABLE written AS SELECT {', '.join(values)} "
            f"FROM ({prepared.translation.sql}) AS query_({', '.join(names)})"
        )
        return "written"

    def _writer(self, session: Session) -> ParquetWriter:
        stamp = f"{self._env.now:%Y%m%d_%H%M%S}"
        return ParquetWriter(
            session, self._env.store, self._env.folder, f"{stamp}_{self._env.query_id}"
        )

    def _written(self, written: Written) -> Outcome:
        self._outcome.suffix = ""
        self._outcome.manifest = written.uris
        self._outcome.update_count = self._outcome.rows = written.rows
        return self._outcome

    def _partition_locations(self, table: Table, root: Location) -> dict[tuple[str, ...], Location]:
        """Where a table's partitions lie that it has already."""
        locations: dict[tuple[str, ...], Location] = {(): root}
        if not table.partition_keys:
            return locations
        if Projection.of(table, self._env.now) is not None:
            if "storage.location.template" in table.parameters:
                raise not_supported("INSERT INTO a table with storage.location.template")
            return locations
        for partition in self._env.catalog.partitions(table):
            locations[partition.values] = Location.parse(partition.storage.location)
        return locations

    def _register(
        self, table: Table, partitions: Sequence[tuple[str, ...]], root: Location
    ) -> None:
        names = [key.name for key in table.partition_keys]
        self._env.catalog.create_partitions(
            table,
            [(values, f"{root}{partition_path(names, values)}") for values in partitions],
        )


class _Attached:
    """A session that StopQueryExecution can interrupt."""

    def __init__(self, environment: Environment) -> None:
        self._env = environment
        self._session = Session([environment.folder])

    def __enter__(self) -> Session:
        self._env.attach(self._session)
        return self._session

    def __exit__(self, *details: object) -> None:
        self._env.attach(None)
        self._session.__exit__(*details)


def _check_names(prepared: Prepared) -> None:
    if prepared.translation.unnamed:
        place = min(prepared.translation.unnamed) + 1
        raise QueryError("MISSING_COLUMN_NAME", f"Column name not specified at position {place}")
    names = [name.lower() for name, _ in prepared.columns]
    duplicate = next((name for name in names if names.count(name) > 1), None)
    if duplicate is not None:
        raise QueryError(
            "DUPLICATE_COLUMN_NAME", f"Column name '{duplicate}' specified more than once"
        )
    for name, kind in prepared.columns:
        if kind == types.UNKNOWN:
            raise QueryError("COLUMN_TYPE_UNKNOWN", f"Column type is unknown: {name}")


def _names(option: Option) -> tuple[str, ...]:
    if isinstance(option, str):
        raise not_supported("partitioned_by that is not an ARRAY")
    return tuple(name.lower() for name in option)


def _parquet_options(options: dict[str, Option], form: str, *compressions: str) -> str:
    """The compression asked for; raises QueryError for a format other than Parquet."""
    given = options.pop(form, None)
    if given is None and form == "format" and "compression" in compressions:
        raise QueryError("SYNTAX_ERROR", "UNLOAD needs the property 'format'")
    if given is not None and str(given).upper() != "PARQUET":
        raise not_supported(f"the format {given}")
    found = [str(options.pop(name)) for name in compressions if name in options]
    return parquet_compression(found[0] if found else "GZIP")


def _nothing_left(options: dict[str, Option]) -> None:
    if options:
        raise not_supported(f"the property {next(iter(options))}")


def _table_input(
    name: str,
    columns: Sequence[tuple[str, Type]],
    partitioned_by: Sequence[str],
    location: Location,
) -> dict[str, Any]:
    count = len(columns) - len(partitioned_by)
    described = [{"Name": label.lower(), "Type": hive_name(kind)} for label, kind in columns]
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "has_encrypted_data": "false"},
        "PartitionKeys": described[count:],
        "StorageDescriptor": {
            "Columns": described[:count],
            "Location": str(location),
            "InputFormat": ddl.PARQUET_INPUT,
            "OutputFormat": ddl.PARQUET_OUTPUT,
            "SerdeInfo": {"SerializationLibrary": ddl.PARQUET_SERDE, "Parameters": {}},
        },
    }


def _insert_places(table: Table, named: Sequence[str], prepared: Prepared) -> list[int | None]:
    """For each column of the table, the column of the query that goes there."""
    columns = [column.name for column in table.all_columns]
    targets = list(named) or columns
    for name in targets:
        if name not in columns:
            raise QueryError(
                "COLUMN_NOT_FOUND", f"Insert column name does not exist in target table: {name}"
            )
    if len(set(targets)) != len(targets):
        raise QueryError("DUPLICATE_COLUMN_NAME", "Insert column name is specified more than once")
    kinds = {column.name: column.type for column in table.all_columns}
    expected = [kinds[name] for name in targets]
    given = [kind for _, kind in prepared.columns]
    fits = len(given) == len(expected) and all(
        types.can_coerce(one, other) for one, other in zip(given, expected, strict=True)
    )
    if not fits:
        raise QueryError(
            "TYPE_MISMATCH",
            "Insert query has mismatched column types: "
            f"Table: [{', '.join(map(str, expected))}], Query: [{', '.join(map(str, given))}]",
        )
    return [targets.index(name) if name in targets else None for name in columns]
