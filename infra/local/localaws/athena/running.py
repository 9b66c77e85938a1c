"""Running one statement: reading what it needs, and what becomes of its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlglot import exp

from localaws.athena import definitions
from localaws.athena.errors import QueryError, ScanLimitExceeded
from localaws.athena.hive import PARQUET_INPUT, PARQUET_OUTPUT, PARQUET_SERDE
from localaws.athena.results import column_info, csv_line, render, text_column_info
from localaws.athena.sql import types
from localaws.athena.sql.pruning import conditions
from localaws.athena.sql.queries import Translation, translate
from localaws.athena.sql.session import Session, Stop
from localaws.athena.sql.types import hive_name
from localaws.athena.statements import CreateTableAs, CreateView, Select, Statement
from localaws.athena.tables.catalog import Catalog, view_input
from localaws.athena.tables.formats import DataFile, load
from localaws.athena.tables.partitions import find_partitions, needed
from localaws.athena.tables.relations import PATH_COLUMN, Column
from localaws.athena.tables.storage import Location, ObjectStore


@dataclass(slots=True)
class Environment:
    """Where and as whom a statement runs.

    `folder` is its own, for passing files; `scan_limit` is in bytes.
    """

    catalog: Catalog
    store: ObjectStore
    folder: Path
    now: datetime
    output: Location
    query_id: str
    stop: Stop
    scan_limit: int | None


@dataclass(slots=True)
class Outcome:
    """What a statement gave.

    `columns` are `ColumnInfo`; `body` the content of the result file, whose name ends in
    `suffix`.
    """

    columns: list[dict[str, Any]] = field(default_factory=list)
    body: bytes | Path = b""
    suffix: str = ".txt"
    scanned_bytes: int = 0


def run(environment: Environment, statement: Statement, text: str, database: str | None) -> Outcome:
    """The outcome of a statement, whose text is `text`; raises QueryError."""
    if not isinstance(statement, (Select, CreateView, CreateTableAs)):
        columns, lines = definitions.run(environment.catalog, statement)
        body = "".join(f"{line}\n" for line in lines).encode()
        return Outcome([text_column_info(name) for name in columns], body)
    query = _Query(environment, text, statement.query, database)
    if isinstance(statement, Select):
        return query.select()
    if isinstance(statement, CreateView):
        return query.create_view(statement)
    return query.create_table(statement)


class _Query:
    """The query that a statement is or holds."""

    def __init__(
        self, environment: Environment, text: str, tree: exp.Expr, database: str | None
    ) -> None:
        self._env = environment
        self._found = translate(text, tree, environment.catalog, database, environment.now)
        self._outcome = Outcome()

    def select(self) -> Outcome:
        """The rows into a CSV file with a header."""
        columns, path = self._found.columns, self._env.folder / "result.csv"
        kinds = [kind for _, kind in columns]

        def write(session: Session) -> None:
            with path.open("w", encoding="utf-8", newline="") as file:
                file.write(csv_line([name for name, _ in columns]))
                for row in session.stream(self._found.sql):
                    values = [render(value, kind) for value, kind in zip(row, kinds, strict=True)]
                    file.write(csv_line(values))

        self._with_rows(write)
        self._outcome.columns = [column_info(name, kind) for name, kind in columns]
        self._outcome.body, self._outcome.suffix = path, ".csv"
        return self._outcome

    def create_view(self, statement: CreateView) -> Outcome:
        """Store the query in the catalog."""
        catalog = self._env.catalog
        database, name = catalog.database(statement.name[0]), statement.name[1]
        catalog.require_database(database)
        _check_names(self._found)
        view = view_input(name, statement.text, catalog.database(None), self._found.columns)
        existing = catalog.raw_table(database, name)
        is_view = existing is not None and existing.get("TableType") == "VIRTUAL_VIEW"
        if existing is not None and is_view and statement.replace:
            catalog.update_table(database, view)
        elif existing is not None or not catalog.create_table(database, view):
            kind = "View" if is_view or existing is None else "Table"
            raise QueryError("ALREADY_EXISTS", f"{kind} already exists: '{database}.{name}'")
        return self._outcome

    def create_table(self, statement: CreateTableAs) -> Outcome:
        """The rows as one Parquet object of a new table."""
        catalog, store = self._env.catalog, self._env.store
        database, name = catalog.database(statement.name[0]), statement.name[1]
        catalog.require_database(database)
        exists = QueryError("ALREADY_EXISTS", f"Table already exists: '{database}.{name}'")
        if catalog.raw_table(database, name) is not None:
            if statement.if_not_exists:
                return self._outcome
            raise exists
        _check_names(self._found)
        described = [
            {"Name": label.lower(), "Type": hive_name(kind)} for label, kind in self._found.columns
        ]
        target = Location.parse(
            statement.location or f"{self._env.output}tables/{self._env.query_id}/"
        )
        if not store.is_empty(target):
            raise QueryError(
                "HIVE_PATH_ALREADY_EXISTS",
                f"Target directory for table '{database}.{name}' already exists: {target}. "
                "You may need to manually clean the data at this location before retrying.",
            )
        path = self._env.folder / "written.parquet"
        copy = f"COPY ({self._found.sql}) TO '{path}' (FORMAT parquet, COMPRESSION gzip)"
        self._with_rows(lambda session: session.run(copy))
        store.put(target, f"{self._env.query_id}_00000", path)
        if not catalog.create_table(database, _table_input(name, described, target)):
            raise exists
        return self._outcome

    def _with_rows(self, use: Callable[[Session], object]) -> None:
        """Read what the query needs and let its rows be used."""
        with Session(self._env.folder, self._env.stop) as session:
            self._read(session)
            use(session)

    def _read(self, session: Session) -> None:
        """Fill the query's tables with the partitions it needs."""
        keys = {
            source: frozenset(key.name for key in table.partition_keys)
            for source, table in self._found.tables.items()
        }
        uses = conditions(self._found.tree, keys)
        of_files = conditions(self._found.tree, dict.fromkeys(keys, frozenset({PATH_COLUMN})))
        for source, table in self._found.tables.items():
            partitions = find_partitions(
                session, self._env.catalog, table, uses[source], self._env.now
            )
            listed = [
                (partition, stored)
                for partition in partitions
                for stored in self._env.store.below(Location.parse(partition.storage.location))
            ]
            # As Trino: an object that the query leaves out is not opened, whatever is in it.
            named = [{PATH_COLUMN: stored.uri} for _, stored in listed]
            path = (Column(PATH_COLUMN, types.VARCHAR),)
            listed = [listed[at] for at in needed(session, path, named, of_files[source])]
            self._outcome.scanned_bytes += sum(stored.size for _, stored in listed)
            limit = self._env.scan_limit
            if limit is not None and self._outcome.scanned_bytes > limit:
                raise ScanLimitExceeded
            folder = self._env.folder / source
            folder.mkdir()
            paths = self._env.store.fetch([stored for _, stored in listed], folder)
            files = [DataFile(*one, path) for one, path in zip(listed, paths, strict=True)]
            load(session, source, table, self._found.used[source], files)


def _check_names(found: Translation) -> None:
    """Raise QueryError unless every column has a name of its own and a type."""
    if found.unnamed:
        place = found.unnamed[0] + 1
        raise QueryError("MISSING_COLUMN_NAME", f"Column name not specified at position {place}")
    names = [name.lower() for name, _ in found.columns]
    duplicate = next((name for name in names if names.count(name) > 1), None)
    if duplicate is not None:
        raise QueryError(
            "DUPLICATE_COLUMN_NAME", f"Column name '{duplicate}' specified more than once"
        )
    for name, kind in found.columns:
        if kind == types.UNKNOWN:
            raise QueryError("COLUMN_TYPE_UNKNOWN", f"Column type is unknown: {name}")


def _table_input(
    name: str, columns: Sequence[dict[str, str]], location: Location
) -> dict[str, Any]:
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", "has_encrypted_data": "false"},
        "PartitionKeys": [],
        "StorageDescriptor": {
            "Columns": columns,
            "Location": str(location),
            "InputFormat": PARQUET_INPUT,
            "OutputFormat": PARQUET_OUTPUT,
            "SerdeInfo": {"SerializationLibrary": PARQUET_SERDE, "Parameters": {}},
        },
    }
