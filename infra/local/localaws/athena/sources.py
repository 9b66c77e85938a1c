"""FROM: tables, views, subqueries, joins, UNNEST, VALUES."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from sqlglot import exp

from localaws.athena import casts, types
from localaws.athena.errors import Position, QueryError, not_supported, syntax_error
from localaws.athena.expression import Expr
from localaws.athena.expressions import Clause, Expressions, shown
from localaws.athena.predicates import predicates_of
from localaws.athena.pruning import (
    FromPlan,
    JoinPlan,
    Leaf,
    Nothing,
    Predicate,
    TablePlan,
)
from localaws.athena.queryparts import Cte, Output, Result, Scan, Shared, Source
from localaws.athena.relations import CATALOG, PATH_COLUMN, Table, View
from localaws.athena.scope import Field, Scope
from localaws.athena.sql import Sql, compose, join, ref, text
from localaws.athena.types import Type, quoted


class Queries(Protocol):
    """The query translator a FROM clause belongs to."""

    shared: Shared
    database: str | None
    ctes: Mapping[str, Cte]

    def query(self, node: exp.Expr, parent: Scope | None, ctes: Mapping[str, Cte]) -> Result:
        """Any query expression."""

    def values_query(self, node: exp.Expr, parent: Scope | None) -> Result:
        """``VALUES …``."""

    def view_query(self, view: View) -> Result:
        """The query of a view; raises QueryError when views nest too deeply."""

    def expressions(self, scope: Scope, clause: Clause) -> Expressions:
        """A translator of expressions."""

    def renamed(
        self, outputs: Sequence[Output], names: Sequence[str], node: exp.Expr
    ) -> tuple[Output, ...]:
        """The columns under the names of an alias list, if there is one."""

    def only(self, node: exp.Expr, parts: frozenset[str]) -> None:
        """Refuse a clause that is not handled."""

    def unique(self, prefix: str) -> str:
        """A name used nowhere else in the statement."""

    def at(self, node: exp.Expr) -> Position | None:
        """Where something stands."""


class Sources:
    """Translates what stands in FROM for one query translator."""

    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    def from_clause(self, node: exp.Expr, parent: Scope | None) -> Source:
        """Everything a SELECT reads from."""
        clause = node.args.get("from_")
        if clause is None:
            if node.args.get("joins"):
                raise syntax_error("mismatched input 'JOIN'", self._queries.at(node))
            return Source(text(""), (), Nothing(), frozenset())
        source = self._relation(clause.this, parent, ())
        inner_joins = clause.this.args.get("joins") or []
        for one in [*inner_joins, *(node.args.get("joins") or [])]:
            source = self._join(source, one, parent)
        return source

    def _join(self, left: Source, node: exp.Expr, parent: Scope | None) -> Source:
        self._queries.only(node, frozenset({"this", "side", "kind", "on", "using"}))
        side = str(node.args.get("side") or "").upper()
        kind = str(node.args.get("kind") or "").upper()
        condition, using = node.args.get("on"), node.args.get("using")
        if kind not in ("", "INNER", "CROSS", "OUTER") or side not in ("", "LEFT", "RIGHT", "FULL"):
            raise not_supported(f"'{shown(node)}'", self._queries.at(node))
        side = side or "INNER"
        right = self._relation(node.this, parent, left.fields)
        lateral = "LATERAL " if isinstance(node.this, (exp.Unnest, exp.Lateral)) else ""
        if lateral and side in ("RIGHT", "FULL"):
            raise not_supported(f"{side} JOIN with UNNEST or LATERAL", self._queries.at(node))
        names = left.names | right.names
        if using:
            on, fields, predicates = self._using(left, right, side, using, node)
        elif condition is not None:
            fields = (*left.fields, *right.fields)
            expressions = self._queries.expressions(Scope(fields, parent), Clause("JOIN clause"))
            on = expressions.boolean(condition, "JOIN ON clause").sql
            predicates = predicates_of(condition, expressions)
        else:
            if kind != "CROSS" and (kind or side != "INNER"):
                raise syntax_error(
                    "mismatched input: a join needs ON or USING", self._queries.at(node)
                )
            sql = compose(f"{{}} CROSS JOIN {lateral}{{}}", left.sql, right.sql)
            plan = JoinPlan(left.plan, right.plan, "INNER", (), left.names, right.names)
            return Source(sql, (*left.fields, *right.fields), plan, names)
        sql = compose(
            f"({{}} {'FULL OUTER' if side == 'FULL' else side} JOIN {lateral}{{}} ON {{}})",
            left.sql,
            right.sql,
            on,
        )
        plan = JoinPlan(left.plan, right.plan, side, predicates, left.names, right.names)
        return Source(sql, fields, plan, names)

    def _using(
        self,
        left: Source,
        right: Source,
        side: str,
        using: Sequence[exp.Expr],
        node: exp.Expr,
    ) -> tuple[Sql, tuple[Field, ...], list[Predicate]]:
        tests: list[Sql] = []
        merged: list[Field] = []
        wanted = [identifier.name.lower() for identifier in using]
        for name in wanted:
            one = self._using_field(left.fields, name, "left", node)
            other = self._using_field(right.fields, name, "right", node)
            kind = types.common_type(one.type, other.type)
            if kind is None or kind.args or kind in types.FLOATS:
                raise not_supported(
                    f"JOIN USING {one.type} and {other.type}", self._queries.at(node)
                )
            a, b = casts.coerce(one, kind), casts.coerce(other, kind)
            tests.append(compose("({} = {})", a.sql, b.sql))
            value = {"RIGHT": b.sql, "FULL": compose("COALESCE({}, {})", a.sql, b.sql)}
            merged.append(Field(name, Expr(value.get(side, a.sql), kind)))
        rest = [
            one
            for one in (*left.fields, *right.fields)
            if one.name is None or one.name.lower() not in wanted
        ]
        return join(" AND ", tests), (*merged, *rest), [Leaf(test) for test in tests]

    def _using_field(self, fields: Sequence[Field], name: str, side: str, node: exp.Expr) -> Expr:
        found = Scope(tuple(fields)).resolve([name], self._queries.at(node))
        if found is None:
            raise syntax_error(
                f"Column '{name}' is missing from {side} side of join", self._queries.at(node)
            )
        return found[0]

    def _relation(self, node: exp.Expr, parent: Scope | None, beside: tuple[Field, ...]) -> Source:
        if isinstance(node, exp.Table):
            return self._table(node)
        if isinstance(node, exp.Subquery):
            if _is_relation(node.this):
                return self._parenthesised(node, parent, beside)
            self._queries.only(node, frozenset({"this", "alias", "joins"}))
            return self._derived(self._queries.query(node.this, parent, self._queries.ctes), node)
        if isinstance(node, exp.Lateral):
            if not isinstance(node.this, exp.Subquery) or node.args.get("view"):
                raise not_supported(f"'{shown(node)}'", self._queries.at(node))
            scope = Scope(beside, parent)
            return self._derived(self._queries.query(node.this, scope, self._queries.ctes), node)
        if isinstance(node, exp.Values):
            return self._derived(self._queries.values_query(node, parent), node)
        if isinstance(node, exp.Unnest):
            return self._unnest(node, Scope(beside, parent))
        raise not_supported(f"'{shown(node)}' in FROM", self._queries.at(node))

    def _parenthesised(
        self, node: exp.Expr, parent: Scope | None, beside: tuple[Field, ...]
    ) -> Source:
        """``(a JOIN b ON …)``."""
        if node.args.get("alias") is not None:
            raise not_supported("an alias for a parenthesised join", self._queries.at(node))
        source = self._relation(node.this, parent, beside)
        for one in node.this.args.get("joins") or []:
            source = self._join(source, one, parent)
        return replace(source, sql=compose("({})", source.sql))

    def _derived(self, result: Result, node: exp.Expr) -> Source:
        """A query with an alias (or none) in FROM."""
        alias = self._queries.unique("r")
        outputs = self._queries.renamed(result.outputs, _alias_columns(node), node)
        fields = self._fields(outputs, alias, _alias(node))
        sql = compose(f"({{}}) AS {alias}", result.sql)
        return Source(sql, fields, FromPlan(alias, result.plan), frozenset({alias}))

    def _fields(self, outputs: Sequence[Output], alias: str, name: str | None) -> tuple[Field, ...]:
        qualifier = (name.lower(),) if name else ()
        return tuple(
            Field(output.name, Expr(ref(alias, output.symbol), output.type), qualifier)
            for output in outputs
        )

    def _table(self, node: exp.Expr) -> Source:
        self._queries.only(node, frozenset({"this", "db", "catalog", "alias", "joins"}))
        if not isinstance(node.this, exp.Identifier):
            raise not_supported(f"'{shown(node)}' in FROM", self._queries.at(node))
        name = node.name.lower()
        database = node.args["db"].name.lower() if node.args.get("db") else None
        catalog = node.args["catalog"].name.lower() if node.args.get("catalog") else CATALOG
        if catalog != CATALOG:
            raise QueryError(
                "CATALOG_NOT_FOUND",
                f"Catalog '{catalog}' does not exist",
                position=self._queries.at(node),
            )
        if database is None and name in self._queries.ctes:
            return self._cte(self._queries.ctes[name], node, name)
        found = self._queries.shared.relations.find(database or self._queries.database, name)
        if found is None:
            where = database or self._queries.database
            raise QueryError(
                "TABLE_NOT_FOUND",
                f"Table '{CATALOG}.{where}.{name}' does not exist",
                position=self._queries.at(node),
            )
        qualifier = (CATALOG, found.database, found.name)
        if isinstance(found, View):
            return self._view(found, node, qualifier)
        return self._scan(found, node, qualifier)

    def _cte(self, cte: Cte, node: exp.Expr, name: str) -> Source:
        alias = self._queries.unique("r")
        outputs = self._queries.renamed(cte.outputs, _alias_columns(node), node)
        fields = self._fields(outputs, alias, _alias(node) or name)
        plan = FromPlan(alias, cte.plan)
        return Source(text(f"{cte.name} AS {alias}"), fields, plan, frozenset({alias}))

    def _scan(self, table: Table, node: exp.Expr, qualifier: tuple[str, ...]) -> Source:
        alias = self._queries.unique("r")
        source = next(
            (
                scan.source
                for scan in self._queries.shared.scans
                if (scan.table.database, scan.table.name) == (table.database, table.name)
            ),
            None,
        ) or self._queries.unique("t")
        plan = TablePlan(alias, frozenset(key.name for key in table.partition_keys))
        self._queries.shared.scans.append(Scan(table, source, plan))
        named = _alias(node)
        own = (named.lower(),) if named else qualifier
        columns = [(column.name, column.type) for column in table.all_columns]
        names = _alias_columns(node)
        if names and len(names) != len(columns):
            raise syntax_error(
                f"Column alias list has {len(names)} entries but '{table.name}' has "
                f"{len(columns)} columns available",
                self._queries.at(node),
            )
        fields = [
            Field(shown, Expr(ref(alias, column), kind), own)
            for shown, (column, kind) in zip(
                names or [column for column, _ in columns], columns, strict=True
            )
        ]
        hidden = Field(PATH_COLUMN, Expr(ref(alias, PATH_COLUMN), types.VARCHAR), own, hidden=True)
        return Source(text(f"{source} AS {alias}"), (*fields, hidden), plan, frozenset({alias}))

    def _view(self, view: View, node: exp.Expr, qualifier: tuple[str, ...]) -> Source:
        try:
            result = self._queries.view_query(view)
        except QueryError as error:
            raise QueryError(
                "INVALID_VIEW",
                f"Failed analyzing stored view '{'.'.join(qualifier)}': {error}",
                position=self._queries.at(node),
            ) from error
        now = tuple(
            ((output.name or f"_col{index}").lower(), str(output.type))
            for index, output in enumerate(result.outputs)
        )
        if now != tuple((name.lower(), kind) for name, kind in view.columns):
            raise QueryError(
                "VIEW_IS_STALE",
                f"View '{'.'.join(qualifier)}' is stale or in invalid state: it was created with "
                f"other columns than its query has now; it must be re-created",
                position=self._queries.at(node),
            )
        alias = self._queries.unique("r")
        outputs = self._queries.renamed(result.outputs, _alias_columns(node), node)
        named = _alias(node)
        own = (named.lower(),) if named else qualifier
        fields = tuple(
            Field(output.name, Expr(ref(alias, output.symbol), output.type), own)
            for output in outputs
        )
        sql = compose(f"({{}}) AS {alias}", result.sql)
        return Source(sql, fields, FromPlan(alias, result.plan), frozenset({alias}))

    def _unnest(self, node: exp.Expr, scope: Scope) -> Source:
        self._queries.only(node, frozenset({"expressions", "alias", "offset", "joins"}))
        expressions = self._queries.expressions(scope, Clause("UNNEST"))
        lists: list[Sql] = []
        columns: list[tuple[Sql, Type]] = []
        alias, inner = self._queries.unique("r"), self._queries.unique("r")
        for item in node.expressions:
            value = expressions.translate(item)
            if value.type.base not in ("array", "map"):
                raise syntax_error(f"Cannot unnest type: {value.type}", self._queries.at(item))
            for expanded, kind in _unnested(value):
                symbol = self._queries.unique("c")
                lists.append(compose(f"unnest({{}}) AS {quoted(symbol)}", expanded))
                element = Expr(ref(inner, symbol), kind)
                if value.type.base == "array" and kind.base == "row":
                    members = [casts.field_of(element, i) for i in range(len(kind.args))]
                    columns += [(one.sql, one.type) for one in members]
                else:
                    columns.append((element.sql, kind))
        offset = node.args.get("offset") or None
        if offset is not None:
            symbol = self._queries.unique("c")
            lists.append(
                compose(
                    f"unnest(generate_series(1, {{}})) AS {quoted(symbol)}",
                    _longest(node, expressions),
                )
            )
            columns.append((ref(inner, symbol), types.BIGINT))
        names: list[str | None] = list(_alias_columns(node))
        if names and isinstance(offset, exp.Identifier):
            names.append(offset.name)
        if names and len(names) != len(columns):
            raise syntax_error(
                f"Column alias list has {len(names)} entries but relation has "
                f"{len(columns)} columns",
                self._queries.at(node),
            )
        outputs = [
            Output(name, kind, self._queries.unique("c"))
            for name, (_, kind) in zip(names or [None] * len(columns), columns, strict=True)
        ]
        selected = join(
            ", ",
            (
                compose(f"{{}} AS {quoted(output.symbol)}", sql)
                for output, (sql, _) in zip(outputs, columns, strict=True)
            ),
        )
        sql = compose(
            f"(SELECT {{}} FROM (SELECT {{}}) AS {inner}) AS {alias}", selected, join(", ", lists)
        )
        fields = self._fields(outputs, alias, _alias(node))
        return Source(sql, fields, Nothing(), frozenset({alias}))


def _unnested(value: Expr) -> list[tuple[Sql, Type]]:
    """The lists a value unnests to: an array to itself, a map to its keys and values."""
    if value.type.base == "array":
        return [(value.sql, value.type.args[0])]
    key, element = value.type.args
    return [
        (compose("map_keys({})", value.sql), key),
        (compose("map_values({})", value.sql), element),
    ]


def _longest(node: exp.Expr, expressions: Expressions) -> Sql:
    lengths = []
    for item in node.expressions:
        value = expressions.translate(item)
        function = "len" if value.type.base == "array" else "cardinality"
        lengths.append(compose(f"coalesce(CAST({function}({{}}) AS BIGINT), 0)", value.sql))
    return compose("greatest({})", join(", ", lengths)) if len(lengths) > 1 else lengths[0]


def _alias(node: exp.Expr) -> str | None:
    alias = node.args.get("alias")
    return alias.name or None if isinstance(alias, exp.TableAlias) else None


def _alias_columns(node: exp.Expr) -> list[str]:
    alias = node.args.get("alias")
    if not isinstance(alias, exp.TableAlias):
        return []
    return [column.name for column in alias.args.get("columns") or []]


def _is_relation(node: exp.Expr) -> bool:
    return isinstance(node, (exp.Table, exp.Unnest, exp.Lateral))
