"""From one Trino query to one DuckDB query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlglot import exp

from localaws.athena.errors import not_supported
from localaws.athena.sql import types
from localaws.athena.sql.checking import annotate, check
from localaws.athena.sql.parsing import position_of, shown
from localaws.athena.sql.resolving import UNNAMED, Relations, Sources, resolve
from localaws.athena.sql.rewriting import rewrite
from localaws.athena.sql.session import Session
from localaws.athena.sql.syntax import check_syntax
from localaws.athena.sql.types import Type, duckdb_name, quoted
from localaws.athena.tables.relations import PATH_COLUMN, Table


@dataclass(frozen=True, slots=True)
class Translation:
    """A query ready to run.

    `tree` is the query, `sql` it as DuckDB takes it; `columns` are the names and types of the
    result, `unnamed` the places (from 0) of those that the query gives no name; `tables` are the
    catalog tables by the name of the DuckDB table that is to be filled for each, and `used` the
    columns the query looks at.
    """

    tree: exp.Expr
    sql: str
    columns: tuple[tuple[str, Type], ...]
    unnamed: tuple[int, ...]
    tables: Mapping[str, Table]
    used: Mapping[str, frozenset[str]]


def translate(
    statement: str, tree: exp.Expr, relations: Relations, database: str | None, now: datetime
) -> Translation:
    """Translate a query; raises QueryError in Athena's words for what is wrong with it.

    `tree` is `statement` parsed (or the query inside it); `now` the start of the query.
    """
    try:
        return _translated(statement, tree, Sources(relations), database, now)
    except RecursionError as error:
        raise not_supported("a statement nested this deeply") from error


def _translated(
    statement: str, tree: exp.Expr, sources: Sources, database: str | None, now: datetime
) -> Translation:
    while isinstance(tree, exp.Subquery) and not tree.alias:
        tree = tree.this
    if not isinstance(tree, exp.Query):
        raise not_supported(f"'{shown(tree)}'", position_of(statement, tree))
    check_syntax(statement, tree)
    written = {name.lower(): name for name in tree.named_selects}
    schema = resolve(statement, tree, sources, database)
    annotate(tree, schema)
    check(statement, tree)
    names = [written.get(name, name) for name in tree.named_selects]
    json = [one.is_type(exp.DType.JSON) for one in tree.selects]
    used = _used(tree, sources)
    rewrite(statement, tree, now)
    sql = tree.sql(dialect="duckdb", identify=True, normalize_functions=False)
    kinds = _types(sql, sources)
    unnamed = tuple(place for place, name in enumerate(names) if name.startswith(UNNAMED))
    columns = tuple(
        (f"_col{place}" if place in unnamed else name, types.JSON if is_json else kind)
        for place, (name, kind, is_json) in enumerate(zip(names, kinds, json, strict=True))
    )
    return Translation(tree, _fitted(sql, names, kinds), columns, unnamed, sources.tables, used)


def _used(tree: exp.Expr, sources: Sources) -> dict[str, frozenset[str]]:
    """The columns the query may look at: an alias may stand for several tables."""
    found: dict[str, frozenset[str]] = dict.fromkeys(sources.tables, frozenset())
    for table in tree.find_all(exp.Table):
        if table.name in found:
            names = {one.name for one in tree.find_all(exp.Column) if one.table == table.alias}
            known = {PATH_COLUMN, *(one.name for one in sources.tables[table.name].all_columns)}
            found[table.name] |= names & known
    return found


def _types(sql: str, sources: Sources) -> list[Type]:
    """The types of the result, by DuckDB, which binds the query over empty tables."""
    with Session(Path("/nonexistent")) as session:
        for name, table in sources.tables.items():
            columns = [(one.name, one.type) for one in table.all_columns]
            session.create(name, [*columns, (PATH_COLUMN, types.VARCHAR)])
        return [types.parse_duckdb(row[1]) for row in session.rows(f"DESCRIBE {sql}")]


def _fitted(sql: str, names: list[str], kinds: list[Type]) -> str:
    """The query with columns of types that Trino gives: DuckDB's sums are wider."""
    places = [f"c{place}" for place in range(len(kinds))]
    columns = ", ".join(
        (
            f"CAST({place} AS {duckdb_name(kind)})"
            if kind in (types.BIGINT, types.TIMESTAMP_TZ)
            else place
        )
        + f" AS {quoted(name)}"
        for place, name, kind in zip(places, names, kinds, strict=True)
    )
    return f"SELECT {columns} FROM ({sql}) AS r({', '.join(places)})"
