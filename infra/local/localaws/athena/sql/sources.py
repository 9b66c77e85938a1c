"""FROM: tables, views, named queries, subqueries, joins, UNNEST and VALUES."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from sqlglot import exp

from localaws.athena.errors import Position, QueryError, not_supported, syntax_error, type_mismatch
from localaws.athena.sql import types
from localaws.athena.sql.expressions import Clause, Expressions
from localaws.athena.sql.functions import as_type, call, coerce
from localaws.athena.sql.parsing import parse_query, shown
from localaws.athena.sql.scope import Field, Known, Output, Scope, Shared, Value, alias_of
from localaws.athena.tables.relations import CATALOG, PATH_COLUMN, Table, View

_VIEW_DEPTH = 16
_MAX_RELATIONS = 2000


class Queries(Protocol):
    """The query translator that a FROM belongs to."""

    statement: str
    shared: Shared
    database: str | None
    known: Known

    def at(self, node: exp.Expr) -> Position | None:
        """Where something stands."""

    def only(self, node: exp.Expr, *parts: str) -> None:
        """Refuse a clause that is not handled."""

    def of_view(self, view: View) -> Queries:
        """A translator of the view's own text."""

    def query(
        self, node: exp.Expr, parent: Scope | None, known: Known
    ) -> tuple[exp.Expr, list[Output]]:
        """Any query, translated, and its columns."""

    def subquery(self, node: exp.Expr, scope: Scope) -> tuple[exp.Expr, list[types.Type]]:
        """A query inside an expression, translated, and the types of its columns."""


class Sources:
    """Translates what stands in FROM for one query; the query's FROM is changed in place."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    def translate(self, node: exp.Select, parent: Scope | None) -> list[Field]:
        """The columns of everything a SELECT reads from; raises QueryError."""
        clause = node.args.get("from_")
        if clause is None:
            if node.args.get("joins"):
                raise syntax_error("mismatched input 'JOIN'", self._queries.at(node))
            return []
        relation, fields = self._with_joins(clause.this, parent)
        clause.set("this", relation)
        for join in node.args.get("joins") or []:
            fields = self._join(join, fields, parent)
        return fields

    def _with_joins(self, node: exp.Expr, parent: Scope | None) -> tuple[exp.Expr, list[Field]]:
        if node.args.get("joins"):
            raise not_supported(f"'{shown(node)}' in FROM", self._queries.at(node))
        return self._relation(node, parent, [])

    def _join(self, join: exp.Expr, left: list[Field], parent: Scope | None) -> list[Field]:
        self._queries.only(join, "this", "side", "kind", "on", "using")
        position = self._queries.at(join)
        side, kind = (str(join.args.get(name) or "").upper() for name in ("side", "kind"))
        on, using = join.args.get("on"), join.args.get("using")
        if kind not in ("", "INNER", "CROSS", "OUTER") or side not in ("", "LEFT", "RIGHT", "FULL"):
            raise not_supported(f"'{shown(join)}'", position)
        dependent = isinstance(join.this, (exp.Unnest, exp.Lateral))
        if dependent and side in ("RIGHT", "FULL"):
            raise not_supported(f"{side} JOIN with UNNEST or LATERAL", position)
        if on is None and not using and kind != "CROSS" and (kind or side):
            raise syntax_error("mismatched input: a join needs ON or USING", position)
        relation, right = self._relation(join.this, parent, left)
        join.set("this", relation)
        if using:
            on, fields = self._using(left, right, side, [one.name.lower() for one in using], join)
            join.set("using", None)
            join.set("on", on)
            return fields
        fields = [*left, *right]
        if on is not None:
            tx = Expressions(self._queries, Scope(fields, parent), Clause("JOIN clause"))
            join.set("on", tx.boolean(on, "JOIN ON clause"))
        elif kind != "CROSS":
            join.set("kind", "CROSS")
        return fields

    def _using(
        self,
        left: Sequence[Field],
        right: Sequence[Field],
        side: str,
        names: Sequence[str],
        join: exp.Expr,
    ) -> tuple[exp.Expr, list[Field]]:
        position = self._queries.at(join)
        tests: list[exp.Expr] = []
        merged: list[Field] = []
        for name in names:
            pair = []
            for fields in (left, right):
                found, _ = Scope(fields).resolve([name], position)
                if found.source is not None:
                    self._queries.shared.used[found.source].add(name)
                pair.append(found.value)
            kind = types.common_type(pair[0].type, pair[1].type)
            if kind is None or kind.args or kind in types.FLOATS:
                raise type_mismatch(f"JOIN USING of {pair[0].type} and {pair[1].type}", position)
            one, other = (coerce(replace(v, node=v.node.copy()), kind).node for v in pair)
            tests.append(exp.EQ(this=one, expression=other))
            value = {"RIGHT": other, "FULL": call("coalesce", one.copy(), other.copy())}
            merged.append(Field(name, Value(value.get(side, one).copy(), kind)))
        rest = [one for one in (*left, *right) if not one.name or one.name.lower() not in names]
        return exp.and_(*tests), [*merged, *rest]

    def _relation(
        self, node: exp.Expr, parent: Scope | None, beside: Sequence[Field]
    ) -> tuple[exp.Expr, list[Field]]:
        if next(self._queries.shared.counter) > _MAX_RELATIONS:
            raise not_supported("a query of so many parts")
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            return self._table(node)
        if isinstance(node, exp.Unnest):
            return self._unnest(node, Scope(beside, parent))
        if isinstance(node, exp.Lateral) and isinstance(node.this, exp.Subquery):
            self._queries.only(node, "this", "alias")
            relation, fields = self._derived(node.this.this, node, Scope(beside, parent))
            return exp.Lateral(
                this=exp.Subquery(this=relation.this), alias=relation.args["alias"]
            ), fields
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query):
            self._queries.only(node, "this", "alias")
            return self._derived(node.this, node, parent)
        if isinstance(node, exp.Values):
            alias = node.args.get("alias")
            return self._derived(exp.Values(expressions=node.expressions), node, parent, alias)
        raise not_supported(f"'{shown(node)}' in FROM", self._queries.at(node))

    def _derived(
        self,
        query: exp.Expr,
        node: exp.Expr,
        parent: Scope | None,
        alias: exp.Expr | None = None,
    ) -> tuple[exp.Expr, list[Field]]:
        """A query with an alias (or none) in FROM."""
        alias = alias or node.args.get("alias")
        found, outputs = self._queries.query(query, parent, self._queries.known)
        return self._placed(found, outputs, node, alias, ())

    def _placed(
        self,
        query: exp.Expr,
        outputs: Sequence[Output],
        node: exp.Expr,
        alias: exp.Expr | None,
        qualifier: tuple[str, ...],
        columns: Sequence[str] = (),
    ) -> tuple[exp.Expr, list[Field]]:
        """A translated query as a relation; `columns` are names for its columns, if any."""
        symbol = self._queries.shared.unique("r")
        if alias is not None and alias.name:
            qualifier = (alias.name.lower(),)
        names = [one.name for one in outputs]
        for given in (columns, [one.name for one in alias.columns] if alias is not None else []):  # type: ignore[attr-defined]
            if given:
                names = list(self._renamed(given, len(outputs), node))
        fields = [
            Field(name, Value(_column(symbol, one.symbol), one.type), qualifier)
            for name, one in zip(names, outputs, strict=True)
        ]
        return exp.Subquery(this=query, alias=alias_of(symbol)), fields

    def _renamed(self, names: Sequence[str], count: int, node: exp.Expr) -> Sequence[str]:
        if len(names) != count:
            raise QueryError(
                "MISMATCHED_COLUMN_ALIASES",
                f"Column alias list has {len(names)} entries but relation has {count} columns",
                position=self._queries.at(node),
            )
        return names

    def _table(self, node: exp.Table) -> tuple[exp.Expr, list[Field]]:
        self._queries.only(node, "this", "db", "catalog", "alias")
        position, alias = self._queries.at(node), node.args.get("alias")
        catalog, database = node.catalog.lower() or CATALOG, node.db.lower() or None
        name = node.name.lower()
        if database is None and name in self._queries.known:
            one = self._queries.known[name]
            query, outputs = self._queries.query(one.node.copy(), None, one.known)
            return self._placed(query, outputs, node, alias, (name,), one.columns)
        if catalog != CATALOG:
            raise QueryError(
                "CATALOG_NOT_FOUND", f"Catalog '{catalog}' does not exist", position=position
            )
        found = self._queries.shared.relations.find(database or self._queries.database, name)
        if found is None:
            where = f"{CATALOG}.{database or self._queries.database}.{name}"
            raise QueryError(
                "TABLE_NOT_FOUND", f"Table '{where}' does not exist", position=position
            )
        if isinstance(found, View):
            return self._view(found, node, alias)
        return self._scan(found, node, alias)

    def _view(
        self, view: View, node: exp.Expr, alias: exp.Expr | None
    ) -> tuple[exp.Expr, list[Field]]:
        shared, name = self._queries.shared, f"{CATALOG}.{view.database}.{view.name}"
        position = self._queries.at(node)
        if shared.views >= _VIEW_DEPTH:
            raise QueryError("INVALID_VIEW", "views nested too deeply", position=position)
        shared.views += 1
        try:
            tree = parse_query(view.statement)
            query, outputs = self._queries.of_view(view).query(tree, None, {})
        except QueryError as error:
            message = f"Failed analyzing stored view '{name}': {error}"
            raise QueryError("INVALID_VIEW", message, position=position) from error
        shared.views -= 1
        now = [(one.name or f"_col{i}", str(one.type)) for i, one in enumerate(outputs)]
        if [(n.lower(), kind) for n, kind in now] != [
            (n.lower(), kind) for n, kind in view.columns
        ]:
            raise QueryError(
                "VIEW_IS_STALE",
                f"View '{name}' is stale or in invalid state: it was created with other columns "
                "than its query has now; it must be re-created",
                position=position,
            )
        return self._placed(query, outputs, node, alias, (CATALOG, view.database, view.name))

    def _scan(
        self, table: Table, node: exp.Expr, alias: exp.Expr | None
    ) -> tuple[exp.Expr, list[Field]]:
        symbol, source = self._queries.shared.unique("r"), self._queries.shared.source_of(table)
        named = alias is not None and alias.name
        qualifier = (
            (alias.name.lower(),)
            if alias is not None and named
            else (CATALOG, table.database, table.name)
        )
        if alias is not None and alias.columns:  # type: ignore[attr-defined]
            raise not_supported("names for the columns of a table", self._queries.at(node))
        columns = [(one.name, one.type) for one in table.all_columns]
        fields = [
            Field(name, Value(_column(symbol, name), kind), qualifier, source)
            for name, kind in (*columns, (PATH_COLUMN, types.VARCHAR))
        ]
        relation = exp.Table(this=exp.to_identifier(source, quoted=True), alias=alias_of(symbol))
        return relation, fields

    def _unnest(self, node: exp.Unnest, scope: Scope) -> tuple[exp.Expr, list[Field]]:
        """A subquery beside what it unnests; shorter lists are filled up with NULLs."""
        self._queries.only(node, "expressions", "alias", "offset")
        tx = Expressions(self._queries, scope, Clause("UNNEST"))
        symbol = self._queries.shared.unique("r")
        items: list[exp.Expr] = []
        values: list[Value] = []
        lengths: list[exp.Expr] = []

        def add(unnested: exp.Expr, kind: types.Type) -> Value:
            name = self._queries.shared.unique("c")
            items.append(exp.alias_(call("unnest", unnested), name, quoted=True))
            return Value(_column(symbol, name), kind)

        for item in node.expressions:
            position = self._queries.at(item)
            value = tx.value(item)
            if value.type.base == "map":
                for part, kind in zip(("map_keys", "map_values"), value.type.args, strict=True):
                    values.append(add(call(part, value.node.copy()), kind))
                lengths.append(call("cardinality", value.node.copy()))
            elif value.type.base == "array":
                element = add(value.node, value.type.args[0])
                lengths.append(call("len", value.node.copy()))
                values += _members(element)
            else:
                raise type_mismatch(f"Cannot unnest type: {value.type}", position)
        if node.args.get("offset"):
            longest = call("coalesce", call("greatest", *lengths), exp.Literal.number(0))
            end = exp.Add(this=longest, expression=exp.Literal.number(1))
            numbers = call("range", exp.Literal.number(1), as_type(end, types.BIGINT))
            values.append(add(numbers, types.BIGINT))
        alias = node.args.get("alias")
        names = [one.name for one in alias.columns] if alias is not None else []
        if isinstance(node.args.get("offset"), exp.Identifier) and names:
            names.append(node.args["offset"].name)
        qualifier = (alias.name.lower(),) if alias is not None and alias.name else ()
        given = self._renamed(names, len(values), node) if names else [None] * len(values)
        fields = [Field(name, value, qualifier) for name, value in zip(given, values, strict=True)]
        query = exp.Subquery(this=exp.select(*items))
        return exp.Lateral(this=query, alias=alias_of(symbol)), fields


def _members(element: Value) -> list[Value]:
    """An array of rows becomes columns."""
    if element.type.base != "row":
        return [element]
    return [
        Value(call("struct_extract", element.node.copy(), name), kind)
        for name, kind in zip(element.type.names, element.type.args, strict=True)
    ]


def _column(relation: str, name: str) -> exp.Column:
    return exp.column(name, table=relation, quoted=True)
