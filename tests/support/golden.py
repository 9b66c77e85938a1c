"""Run a Trino query over given rows, without a server: for tests of SQL."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlglot import exp

from localaws.athena.sql import types
from localaws.athena.sql.parsing import parse_query
from localaws.athena.sql.queries import translate
from localaws.athena.sql.session import Session
from localaws.athena.sql.types import Type, parse_hive
from localaws.athena.statements import CreateTableAs, CreateView, Select, parse
from localaws.athena.tables.relations import PATH_COLUMN, Column, Storage, Table, View

DATABASE = "golden"


class _Fixtures:
    """The tables and views of a test, in one database."""

    def __init__(
        self, tables: Mapping[str, Table], views: Mapping[str, str], now: datetime
    ) -> None:
        self._tables = tables
        self._views = views
        self._now = now

    def find(self, database: str | None, name: str) -> Table | View | None:
        """See `resolving.Relations`."""
        if database != DATABASE:
            return None
        if name not in self._views:
            return self._tables.get(name)
        statement = self._views[name]
        tree = query_of(statement)
        text = tree.sql("trino")
        columns = translate(text, parse_query(text), self, DATABASE, self._now).columns
        return View(DATABASE, name, text, DATABASE, tuple((n, str(kind)) for n, kind in columns))


def query_of(statement: str) -> exp.Expr:
    """The query a statement is or holds; raises QueryError."""
    found = parse(statement)
    if isinstance(found, (Select, CreateView, CreateTableAs)):
        return found.query
    raise ValueError(f"{statement[:40]!r} holds no query")


def run_golden(
    sql: str,
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
    schemas: Mapping[str, Mapping[str, str]],
    now: datetime,
    views: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """The rows `sql` gives over `tables`, in its order, by column name.

    `schemas` gives each table's columns and Hive types, partition columns included; a row may also
    hold `$path`; a column a row does not hold is NULL. `now` is the time that
    `current_timestamp` gives, in UTC. `views` maps names to CREATE VIEW statements or queries.
    Values come back as bool, int, float, Decimal, str, bytes, date, datetime (naive, in UTC), list
    and dict. Raises QueryError in Athena's words.
    """
    declared = {name.lower(): _table(name.lower(), schema) for name, schema in schemas.items()}
    texts = {name.lower(): text for name, text in (views or {}).items()}
    with tempfile.TemporaryDirectory() as folder, Session(Path(folder)) as session:
        fixtures = _Fixtures(declared, texts, now)
        found = translate(sql, query_of(sql), fixtures, DATABASE, now)
        for source, table in found.tables.items():
            rows = next((rows for name, rows in tables.items() if name.lower() == table.name), ())
            columns = [(one.name, one.type) for one in table.columns]
            columns.append((PATH_COLUMN, types.VARCHAR))
            session.create(source, columns)
            session.load(source, columns, (_row(row, table, columns) for row in rows))
        names = [name for name, _ in found.columns]
        return [dict(zip(names, row, strict=True)) for row in session.rows(found.sql)]


def _table(name: str, schema: Mapping[str, str]) -> Table:
    columns = tuple(
        Column(column.lower(), parse_hive(hive))
        for column, hive in schema.items()
        if column != PATH_COLUMN
    )
    return Table(DATABASE, name, columns, (), Storage(f"s3://{DATABASE}/{name}"))


def _row(
    row: Mapping[str, Any], table: Table, columns: Sequence[tuple[str, Type]]
) -> dict[str, Any]:
    values = {name.lower(): value for name, value in row.items()}
    unknown = set(values) - {name for name, _ in columns}
    if unknown:
        raise ValueError(f"{table.name} has no column {', '.join(sorted(unknown))}")
    return {name: _fitted(values.get(name), kind) for name, kind in columns}


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
            for name, arg in zip(kind.names, kind.args, strict=True)
        }
    return str(value) if isinstance(value, (datetime, date, Decimal)) else value
