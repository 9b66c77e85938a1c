"""Names, by sqlglot: which relation a column belongs to, what a star and an ordinal stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema

from localaws.athena.errors import QueryError, not_supported
from localaws.athena.sql.parsing import AthenaSelect, position_of, shown
from localaws.athena.sql.scope import Shared
from localaws.athena.sql.types import VARCHAR, Type
from localaws.athena.tables.relations import CATALOG, PATH_COLUMN, Table, View

UNNAMED = "#"
"""Starts the name of a column that the query gives no name."""


@dataclass(frozen=True, slots=True)
class Relation:
    """What a name in FROM stands for: a catalog table's DuckDB table, or a view."""

    columns: Mapping[str, Type]
    table: str | None
    view: View | None


def resolve(
    statement: str, tree: exp.Expr, shared: Shared, database: str | None
) -> dict[str, Relation]:
    """Give every column of a query the alias of its relation, and expand its stars.

    Returns what each table in it stands for, by the name that it has now. Raises QueryError; a
    column that has no alias afterwards is not to be found.
    """
    for node in tree.find_all(exp.Lateral, exp.Pivot, exp.TableSample, exp.Group, exp.Join):
        plain = isinstance(node, (exp.Group, exp.Join)) and not node.args.get("method")
        if not plain or (isinstance(node, exp.Group) and len(_given(node)) > 1):
            raise not_supported(f"'{shown(node)}'", position_of(statement, node))
    for star in tree.find_all(exp.Star):
        if any(star.args.values()):
            raise not_supported(f"'{shown(star)}'", position_of(statement, star))
    for select in tree.find_all(exp.Select):
        select.set("expressions", [_named(*one) for one in enumerate(select.expressions)])
    try:
        relations = dict(
            _placed(statement, scope, table, shared, database)
            for scope in traverse_scope(tree)
            for table in scope.tables
            if isinstance(scope.sources.get(table.alias_or_name), exp.Table)
        )
        lists = [
            (found.parent, len(found.columns))
            for found in tree.find_all(exp.TableAlias)
            if found.columns and isinstance(found.parent, (exp.CTE, exp.Subquery))
        ]
        qualify(
            tree,
            dialect=AthenaSelect,
            schema=MappingSchema(
                {name: dict.fromkeys(one.columns, "varchar") for name, one in relations.items()},
                visible={
                    name: [column for column in one.columns if column != PATH_COLUMN]
                    for name, one in relations.items()
                },
                dialect=AthenaSelect,
                normalize=False,
            ),
            expand_alias_refs=False,
            allow_partial_qualification=True,
            validate_qualify_columns=False,
            quote_identifiers=False,
        )
    except OptimizeError as error:
        raise _failure(statement, tree, str(error)) from error
    for query, count in lists:
        columns = len(query.this.selects) if isinstance(query.this, exp.Query) else count
        if columns != count:
            raise QueryError(
                "MISMATCHED_COLUMN_ALIASES",
                f"Column alias list has {count} entries but relation has {columns} columns",
            )
    return relations


def _given(node: exp.Expr) -> list[str]:
    return [name for name, value in node.args.items() if value]


def _named(place: int, item: exp.Expr) -> exp.Expr:
    """What is selected with a name, so that sqlglot gives it none that Trino would not."""
    star = item.is_star and isinstance(item, (exp.Star, exp.Column))
    if star or isinstance(item, (exp.Alias, exp.Column, exp.Dot)):
        return item
    return exp.Alias(this=item, alias=exp.to_identifier(f"{UNNAMED}{place}", quoted=True))


def _placed(
    statement: str, scope: Scope, node: exp.Table, shared: Shared, database: str | None
) -> tuple[str, Relation]:
    """A table of the catalog under a name of its own, without its database."""
    position = position_of(statement, node)
    catalog, name = node.catalog.lower() or CATALOG, node.name.lower()
    schema = node.db.lower() or database
    if not isinstance(node.this, exp.Identifier):
        raise not_supported(f"'{shown(node)}' in FROM", position)
    if catalog != CATALOG:
        message = f"Catalog '{catalog}' does not exist"
        raise QueryError("CATALOG_NOT_FOUND", message, position=position)
    found = shared.relations.find(schema, name)
    if found is None:
        message = f"Table '{CATALOG}.{schema}.{name}' does not exist"
        raise QueryError("TABLE_NOT_FOUND", message, position=position)
    if not node.alias:
        node.set("alias", exp.TableAlias(this=exp.to_identifier(name)))
        for column in scope.columns:
            if (column.db.lower(), column.table.lower()) == (found.database, name):
                column.set("db", None)
                column.set("catalog", None)
    if node.args["alias"].columns:
        raise not_supported("names for the columns of a table", position)
    node.set("db", None)
    node.set("catalog", None)
    if isinstance(found, Table):
        symbol = table = shared.source_of(found)
        columns = {one.name: one.type for one in found.all_columns} | {PATH_COLUMN: VARCHAR}
        relation = Relation(columns, table, None)
    else:
        symbol = shared.unique("v")
        relation = Relation({name: VARCHAR for name, _ in found.columns}, None, found)
    placed = exp.to_identifier(symbol)
    placed.meta.update(node.this.meta)
    node.set("this", placed)
    return symbol, relation


def _failure(statement: str, tree: exp.Expr, message: str) -> QueryError:
    """sqlglot's error in Athena's words."""
    what, _, name = message.partition(": ")
    if what == "Unknown output column":
        node = next(
            one
            for one in tree.find_all(exp.Literal)
            if one.name == name and isinstance(one.parent, (exp.Group, exp.Ordered))
        )
        clause = "GROUP BY" if isinstance(node.parent, exp.Group) else "ORDER BY"
        reason = f"{clause} position {name} is not in select list"
        return QueryError("INVALID_COLUMN_REFERENCE", reason, position=position_of(statement, node))
    if what == "Unknown table":
        return QueryError("TABLE_NOT_FOUND", f"Unable to resolve reference {name}")
    if what == "Cannot automatically join":
        return QueryError("COLUMN_NOT_FOUND", f"Column '{name}' is missing from a side of the join")
    return not_supported(f"this query ({message.splitlines()[0]})")
