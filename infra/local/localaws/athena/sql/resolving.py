"""Names, by sqlglot: which relation a column belongs to, what a star and an ordinal stand for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema

from localaws.athena.errors import Position, QueryError, not_supported
from localaws.athena.sql.parsing import AthenaSelect, parse_query, position_of, shown
from localaws.athena.sql.syntax import check_syntax
from localaws.athena.tables.relations import CATALOG, PATH_COLUMN, Table, View

UNNAMED = "#"
"""Starts the name of a column that the query gives no name."""


class Relations(Protocol):
    """Where tables and views come from."""

    def find(self, database: str | None, name: str) -> Table | View | None:
        """The relation (lower-case names; None: the query's database); None if there is none.

        Raises QueryError when no database is given or known, or the caller may not look.
        """


@dataclass(slots=True)
class Sources:
    """The catalog's relations, and the tables a query reads, by the DuckDB table of each."""

    relations: Relations
    tables: dict[str, Table] = field(default_factory=dict)

    def name_of(self, table: Table) -> str:
        """The DuckDB table that stands for a catalog table."""
        for name, known in self.tables.items():
            if (known.database, known.name) == (table.database, table.name):
                return name
        name = f"athena_t{len(self.tables)}"
        self.tables[name] = table
        return name

    @property
    def schema(self) -> MappingSchema:
        """The columns of the tables, for sqlglot."""
        return MappingSchema(
            {
                name: {one.name: str(one.type) for one in table.all_columns}
                | {PATH_COLUMN: "varchar"}
                for name, table in self.tables.items()
            },
            visible={
                name: [one.name for one in table.all_columns] for name, table in self.tables.items()
            },
            dialect=AthenaSelect,
            normalize=False,
        )


def resolve(
    statement: str, tree: exp.Expr, sources: Sources, database: str | None
) -> MappingSchema:
    """Give every column of a query the alias of its relation, and expand its stars and views.

    Returns the schema of the tables in it. Raises QueryError.
    """
    views = list(_place(statement, tree, sources, database))
    for select in tree.find_all(exp.Select):
        select.set("expressions", [_named(*one) for one in enumerate(select.expressions)])
    schema = sources.schema
    try:
        qualify(
            tree,
            dialect=AthenaSelect,
            schema=schema,
            expand_alias_refs=False,
            allow_partial_qualification=True,
            validate_qualify_columns=False,
            quote_identifiers=False,
        )
    except OptimizeError as error:
        raise _failure(statement, tree, str(error)) from error
    for view, query, stale in views:
        if [one.lower() for one in query.named_selects] != [one.lower() for one, _ in view.columns]:
            raise stale
    for scope in traverse_scope(tree):
        _check_columns(statement, scope, sources)
    return schema


def _check_columns(statement: str, scope: Scope, sources: Sources) -> None:
    """Raise QueryError for a column that no relation has, or several have."""
    for column in scope.columns:
        query = scope.expression
        within = query.named_selects if isinstance(query, exp.Query) else []
        if not column.table and column.name in within and column.find_ancestor(exp.Order):
            continue
        outer: Scope | None = scope
        known: list[str] = []
        while outer is not None and not known:
            known = [
                alias
                for alias, source in outer.sources.items()
                if column.table in ("", alias) and column.name in _columns(source, sources)
            ]
            outer = None if column.table in outer.sources else outer.parent
        name = ".".join(part.name for part in column.parts)
        if len(known) == 1:
            continue
        code, message = "AMBIGUOUS_NAME", f"Column '{name}' is ambiguous"
        if not known:
            unknown = (
                "cannot be resolved or requester is not authorized to access requested resources"
            )
            code, message = "COLUMN_NOT_FOUND", f"Column '{name}' {unknown}"
        raise QueryError(code, message, position=position_of(statement, column))


def _named(place: int, item: exp.Expr) -> exp.Expr:
    """What is selected with a name, so that sqlglot gives it none that Trino would not."""
    star = item.is_star and isinstance(item, (exp.Star, exp.Column))
    if star or isinstance(item, (exp.Alias, exp.Column, exp.Dot)):
        return item
    return exp.Alias(this=item, alias=exp.to_identifier(f"{UNNAMED}{place}", quoted=True))


Placed = tuple[View, exp.Query, QueryError]
"""A view, its query in the tree, and what is wrong if it has other columns now."""


def _columns(source: exp.Expr | Scope, sources: Sources) -> list[str]:
    """The names of a relation's columns."""
    if isinstance(source, Scope):
        node = source.expression
        if isinstance(node, exp.Query):
            return list(node.named_selects)
        offset = node.args.get("offset")
        return [*node.alias_column_names, *([offset.name] if isinstance(offset, exp.Expr) else [])]
    table = sources.tables.get(source.name)
    return [PATH_COLUMN, *(one.name for one in table.all_columns)] if table else []


def _place(
    statement: str, tree: exp.Expr, sources: Sources, database: str | None
) -> Iterator[Placed]:
    """Give the catalog's tables names of their own, and put views' queries in their place."""
    for scope in list(traverse_scope(tree)):
        for table in scope.tables:
            if not isinstance(scope.sources.get(table.alias_or_name), exp.Table):
                continue
            found = _found(statement, table, sources.relations, database)
            name = table.name
            if not table.alias:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(name.lower())))
                for column in scope.columns:
                    if (column.db.lower(), column.table.lower()) == (found.database, name.lower()):
                        column.set("db", None)
                        column.set("catalog", None)
            table.set("db", None)
            table.set("catalog", None)
            if isinstance(found, Table):
                placed = exp.to_identifier(sources.name_of(found))
                placed.meta.update(table.this.meta)
                table.set("this", placed)
            else:
                yield from _view(position_of(statement, table), table, found, sources)


def _view(
    position: Position | None, node: exp.Table, view: View, sources: Sources
) -> Iterator[Placed]:
    name = f"{CATALOG}.{view.database}.{view.name}"
    try:
        query = parse_query(view.statement)
        if not isinstance(query, exp.Query):
            raise not_supported(f"'{shown(query)}'")
        check_syntax(view.statement, query)
        inner = list(_place(view.statement, query, sources, view.schema))
    except QueryError as error:
        message = f"Failed analyzing stored view '{name}': {error}"
        raise QueryError("INVALID_VIEW", message, position=position) from error
    for one in query.walk():
        one.meta.pop("start", None)
    made = exp.Subquery(this=query, alias=node.args["alias"])
    node.replace(made)
    message = f"View '{name}' is stale or in invalid state: its query has other columns now"
    yield view, query, QueryError("VIEW_IS_STALE", message, position=position)
    yield from inner


def _found(
    statement: str, node: exp.Table, relations: Relations, database: str | None
) -> Table | View:
    position = position_of(statement, node)
    catalog, name = node.catalog.lower() or CATALOG, node.name.lower()
    schema = node.db.lower() or database
    found = relations.find(schema, name) if catalog == CATALOG else None
    if found is None:
        message = f"Table '{catalog}.{schema}.{name}' does not exist"
        raise QueryError("TABLE_NOT_FOUND", message, position=position)
    return found


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
    return not_supported(f"this query ({message.splitlines()[0]})")
