"""Running a statement on rows given in Python: no server, no S3, the same translation.

For tests of SQL: what a statement means, not where its data lies.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from localaws.athena import types
from localaws.athena.engine import Prepared, run
from localaws.athena.errors import QueryError
from localaws.athena.relations import PATH_COLUMN, Column, Storage, Table, View
from localaws.athena.rowfiles import RowFile, create_table
from localaws.athena.session import Session
from localaws.athena.statements import query_of
from localaws.athena.types import Type, parse_hive

DATABASE = "golden"


class _Fixtures:
    """The tables and views of a test."""

    def __init__(self, tables: Mapping[str, Table], views: Mapping[str, str]) -> None:
        self._tables = tables
        self._views = views
        self.now = datetime(1970, 1, 1)  # noqa: DTZ001

    def find(self, database: str | None, name: str) -> Table | View | None:
        """See `relations.Relations`."""
        if database not in (None, DATABASE):
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema {database} does not exist")
        if name in self._views:
            statement = self._views[name]
            prepared = Prepared.of(statement, query_of(statement), self, DATABASE, self.now)
            columns = tuple((label, str(kind)) for label, kind in prepared.columns)
            inner = prepared.tree.sql("trino")
            return View(DATABASE, name, inner, DATABASE, columns)
        return self._tables.get(name)


def run_golden(
    sql: str,
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    schemas: Mapping[str, Mapping[str, str]],
    now: datetime,
    views: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """The rows of a statement, as Python values.

    `sql` is a query, or a statement around one (UNLOAD, CREATE VIEW, CTAS, INSERT INTO), whose
    query is then run. `schemas` gives each table's columns (partition columns included) in Hive
    types; a row may also hold ``$path``; a column a row does not hold is NULL. `now` is the time
    that ``current_timestamp`` gives, in UTC. `views` maps names to CREATE VIEW statements or
    queries. Values come back as bool, int, float, Decimal, str, bytes, date, datetime (naive, in
    UTC), list and dict. Raises QueryError in Athena's words.
    """
    declared = {name.lower(): _table(name.lower(), schema) for name, schema in schemas.items()}
    fixtures = _Fixtures(declared, {name.lower(): text for name, text in (views or {}).items()})
    fixtures.now = now
    with tempfile.TemporaryDirectory() as folder, Session([Path(folder)]) as session:
        prepared = Prepared.of(sql, query_of(sql), fixtures, DATABASE, now)
        for source, table in prepared.sources.items():
            rows = next((rows for name, rows in tables.items() if name.lower() == table.name), ())
            _load(session, source, table, rows, Path(folder))
        return [
            dict(zip([name for name, _ in prepared.columns], row, strict=True))
            for row in run(session, prepared)
        ]


def _table(name: str, schema: Mapping[str, str]) -> Table:
    columns = tuple(
        Column(column.lower(), parse_hive(hive), hive)
        for column, hive in schema.items()
        if column != PATH_COLUMN
    )
    return Table(DATABASE, name, columns, (), Storage(f"s3://{DATABASE}/{name}"))


def _load(
    session: Session,
    source: str,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    folder: Path,
) -> None:
    columns = [(column.name, column.type) for column in table.columns]
    columns.append((PATH_COLUMN, types.VARCHAR))
    create_table(session, source, columns)
    with RowFile(folder / f"{source}.json", columns) as file:
        for row in rows:
            values = {name.lower(): value for name, value in row.items()}
            unknown = set(values) - {name for name, _ in columns}
            if unknown:
                raise ValueError(f"{table.name} has no column {', '.join(sorted(unknown))}")
            file.add({name: _fitted(values.get(name), kind) for name, kind in columns})
        file.load(session, source)


def _fitted(value: Any, kind: Type) -> Any:
    if value is None:
        return None
    if kind.base == "array":
        return [_fitted(item, kind.args[0]) for item in value]
    if kind.base == "map":
        return {str(key): _fitted(item, kind.args[1]) for key, item in value.items()}
    if kind.base == "row":
        folded = {str(key).lower(): item for key, item in value.items()}
        return {
            name: _fitted(folded.get(name), arg)
            for name, arg in zip(types.field_names(kind), kind.args, strict=True)
        }
    if isinstance(value, (datetime, date, Decimal)):
        return str(value)
    return value
