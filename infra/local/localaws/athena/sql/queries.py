"""From one Trino query to one DuckDB query.

Types are checked and coercions written out here, as Trino's analyser does, so that DuckDB never has
to decide: every relation gets an alias of its own (``r1``…).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlglot import exp

from localaws.athena.errors import Position, QueryError, not_supported, syntax_error, type_mismatch
from localaws.athena.sql import calls, operators, types  # noqa: F401  (they know syntax)
from localaws.athena.sql.expressions import Clause, Expressions, check_orderable
from localaws.athena.sql.functions import coerce
from localaws.athena.sql.parsing import parse_query, position_of, shown
from localaws.athena.sql.resolving import UNNAMED, Relation, resolve
from localaws.athena.sql.rows import unnest, values
from localaws.athena.sql.scope import Relations, Scope, Shared, Source, Value
from localaws.athena.sql.types import Type
from localaws.athena.tables.relations import CATALOG, Table, View

Outputs = list[tuple[str, Type]]


@dataclass(frozen=True, slots=True)
class Translation:
    """A query ready to run.

    `columns` are the names and types of the result, `unnamed` the places (from 0) of those that the
    query gives no name; `tables` are the catalog tables by the name of the DuckDB table that is to
    be filled for each, and `used` the columns the query looks at.
    """

    tree: exp.Expr
    columns: tuple[tuple[str, Type], ...]
    unnamed: tuple[int, ...]
    tables: Mapping[str, Table]
    used: Mapping[str, frozenset[str]]

    @property
    def sql(self) -> str:
        """The query as DuckDB takes it."""
        return self.tree.sql(dialect="duckdb", identify=True, normalize_functions=False)


def translate(
    statement: str, tree: exp.Expr, relations: Relations, database: str | None, now: datetime
) -> Translation:
    """Translate a query; raises QueryError in Athena's words for what is wrong with it.

    `tree` is `statement` parsed (or the query inside it); `now` the start of the query.
    """
    shared = Shared(relations, now)
    try:
        found, outputs = translated(statement, tree, shared, database)
    except RecursionError as error:
        raise not_supported("a statement nested this deeply") from error
    unnamed = tuple(i for i, (name, _) in enumerate(outputs) if name.startswith(UNNAMED))
    names = (f"_col{i}" if i in unnamed else name for i, (name, _) in enumerate(outputs))
    return Translation(
        found,
        tuple(zip(names, (kind for _, kind in outputs), strict=True)),
        unnamed,
        shared.tables,
        {name: frozenset(used) for name, used in shared.used.items()},
    )


def translated(
    statement: str, tree: exp.Expr, shared: Shared, database: str | None
) -> tuple[exp.Expr, Outputs]:
    """A whole query, translated in place, and its columns, named as written."""
    while isinstance(tree, exp.Subquery) and not tree.alias:
        tree = tree.this
    if not isinstance(tree, exp.Query):
        raise not_supported(f"'{shown(tree)}'", position_of(statement, tree))
    written = {name.lower(): name for name in tree.named_selects}
    relations = resolve(statement, tree, shared, database)
    outputs = Queries(statement, shared, relations).query(tree, None, {})
    return tree, [(written.get(name, name), kind) for name, kind in outputs]


_SELECT_PARTS = (
    *("expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset"),
    *("distinct", "with_", "kind", "hint"),
)
_SET_PARTS = ("this", "expression", "distinct", "order", "limit", "offset", "with_")


class Queries:
    """Translates the queries of one text: the statement's, or a view's."""

    def __init__(self, statement: str, shared: Shared, relations: Mapping[str, Relation]) -> None:
        self.statement = statement
        self.shared = shared
        self._relations = relations
        # Of the query under way: its named queries' DuckDB names and columns.
        self._known: Mapping[str, tuple[str, Outputs]] = {}

    def at(self, node: exp.Expr) -> Position | None:
        """Where something stands."""
        return position_of(self.statement, node)

    def subquery(self, node: exp.Expr, scope: Scope) -> list[Type]:
        """A query inside an expression, translated in place: the types of its columns."""
        return [kind for _, kind in self.query(node, scope, self._known)]

    def only(self, node: exp.Expr, *parts: str) -> None:
        """Refuse a clause that is not handled."""
        for name, value in node.args.items():
            if value and name not in parts:
                raise not_supported(f"the clause {name.strip('_').upper()}", self.at(node))

    def query(
        self, node: exp.Expr, parent: Scope | None, known: Mapping[str, tuple[str, Outputs]]
    ) -> Outputs:
        """Translate any query in place; returns its columns. Raises QueryError."""
        if isinstance(node, exp.Subquery):
            self.only(node, "this", "alias")
            return self.query(node.this, parent, known)
        outer, self._known, position = self._known, known, self.at(node)
        try:
            self._with(node)
            if isinstance(node, exp.Select):
                return self._select(node, parent)
            if isinstance(node, exp.SetOperation):
                return self._set_operation(node, parent)
            raise not_supported(f"'{shown(node)}'")
        except QueryError as error:
            raise error.at(position) from error.__cause__
        finally:
            self._known = outer

    def _with(self, node: exp.Expr) -> None:
        clause = node.args.get("with_")
        if clause is None:
            return
        if clause.args.get("recursive"):
            raise not_supported("WITH RECURSIVE")
        names: set[str] = set()
        for cte in clause.expressions:
            symbol, outputs = self.shared.unique("q"), self.query(cte.this, None, self._known)
            if cte.alias in names:
                message = f"WITH query name '{cte.alias}' specified more than once"
                raise QueryError("DUPLICATE_NAMED_QUERY", message)
            names.add(cte.alias)
            self._known = {**self._known, cte.alias: (symbol, outputs)}
            cte.set("alias", exp.TableAlias(this=exp.to_identifier(symbol)))

    # --- SELECT ---

    def _select(self, node: exp.Select, parent: Scope | None) -> Outputs:
        self.only(node, *_SELECT_PARTS)
        scope = Scope(self._sources(node, parent), parent)
        where, having, group = (node.args.get(name) for name in ("where", "having", "group"))
        if where is not None:
            tx = Expressions(self, scope, Clause("WHERE clause"))
            where.set("this", tx.boolean(where.this, "WHERE clause"))
        tx = Expressions(self, scope, Clause("SELECT clause", aggregates=True, windows=True))
        items = [(item.alias, tx.value(item.this)) for item in self._items(node)]
        if group is not None:
            self.only(group, "expressions")
            tx = Expressions(self, scope, Clause("GROUP BY clause"))
            keys = [
                one
                for key in group.expressions
                for one in (key.expressions if isinstance(key, exp.Tuple) else [key])
            ]
            group.set("expressions", [tx.value(key).node for key in keys])
        if having is not None:
            tx = Expressions(self, scope, Clause("HAVING clause", aggregates=True))
            having.set("this", tx.boolean(having.this, "HAVING clause"))
        self._order(node, scope, items)
        self._limit(node)
        selected = [exp.alias_(one.node, name, quoted=True) for name, one in items]
        node.set("expressions", selected)
        return [(name, one.type) for name, one in items]

    def _items(self, node: exp.Select) -> list[exp.Expr]:
        if not node.expressions:
            raise syntax_error("mismatched input 'FROM'")
        for item in node.expressions:
            if not isinstance(item, exp.Alias):
                message = "SELECT * not allowed in queries without FROM clause"
                raise QueryError("COLUMN_NOT_FOUND", message, position=self.at(item))
        return list(node.expressions)

    def _order(self, node: exp.Expr, scope: Scope, items: Sequence[tuple[str, Value]]) -> None:
        """Keys may name columns of the result, which win, and of the query."""
        distinct, order = node.args.get("distinct"), node.args.get("order")
        if isinstance(distinct, exp.Distinct) and distinct.args.get("on"):
            raise syntax_error("mismatched input 'ON'")
        names = [name for name, _ in items]
        clause = Clause("ORDER BY clause", aggregates=True, windows=True)
        tx = Expressions(self, Scope(scope.sources, scope.parent, dict(items)), clause)
        for ordered in [] if order is None else order.expressions:
            position, key = self.at(ordered), ordered.this
            if isinstance(key, exp.Column) and not key.table and names.count(key.name) > 1:
                message = f"Column '{key.name}' is ambiguous"
                raise QueryError("AMBIGUOUS_NAME", message, position=position)
            found = tx.value(key)
            check_orderable(found.type)
            same = next((name for name, item in items if item.node == found.node), None)
            if same is None and isinstance(node, exp.SetOperation):
                raise not_supported(f"'{shown(key)}' in ORDER BY of a set operation", position)
            if same is None and distinct:
                message = "For SELECT DISTINCT, ORDER BY expressions must appear in select list"
                raise QueryError("EXPRESSION_NOT_IN_DISTINCT", message, position=position)
            plain = same is not None and names.count(same) == 1
            ordered.set("this", exp.column(same, quoted=True) if plain and same else found.node)

    def _limit(self, node: exp.Expr) -> None:
        """LIMIT and OFFSET of plain numbers."""
        for name in ("limit", "offset"):
            clause = node.args.get(name)
            count = clause and clause.args.get("expression")
            if clause is not None and (count is None or not count.is_int):
                raise not_supported(f"'{shown(clause)}'")

    # --- FROM ---

    def _sources(self, node: exp.Select, parent: Scope | None) -> dict[str, Source]:
        """The relations of a FROM by alias; raises QueryError."""
        clause, joins = node.args.get("from_"), node.args.get("joins") or []
        sources: dict[str, Source] = {}
        if clause is not None:
            clause.set("this", self._relation(clause.this, parent, sources))
        for join in joins:
            self.only(join, "this", "side", "kind", "on")
            on = join.args.get("on")
            side, kind = (str(join.args.get(name) or "").upper() for name in ("side", "kind"))
            if clause is None or kind not in ("", "INNER", "CROSS", "OUTER"):
                raise not_supported(f"'{shown(join)}'")
            if isinstance(join.this, exp.Unnest) and side in ("RIGHT", "FULL"):
                raise not_supported(f"{side} JOIN with UNNEST")
            if on is None and kind != "CROSS" and (kind or side):
                raise syntax_error("mismatched input: a join needs ON or USING")
            join.set("this", self._relation(join.this, parent, sources))
            if on is not None:
                tx = Expressions(self, Scope(sources, parent), Clause("JOIN clause"))
                join.set("on", tx.boolean(on, "JOIN ON clause"))
            else:
                join.set("kind", "CROSS")
        return sources

    def _relation(
        self, node: exp.Expr, parent: Scope | None, sources: dict[str, Source]
    ) -> exp.Expr:
        """One relation, translated and added to `sources`."""
        symbol, name, table = self.shared.unique("r"), node.alias_or_name, None
        alias = exp.TableAlias(this=exp.to_identifier(symbol))
        columns: Outputs = []
        made: exp.Expr
        if isinstance(node, exp.Unnest):
            self.only(node, "expressions", "alias", "offset")
            tx = Expressions(self, Scope(dict(sources), parent), Clause("UNNEST"))
            made, unnested = unnest(tx, node, symbol)
            sources[name] = Source(symbol, unnested)
            made.set("alias", alias)
            return made
        if isinstance(node, exp.Table):
            self.only(node, "this", "alias")
            relation = self._relations.get(node.name)
            if relation is None:
                source, columns = self._known[node.name]
                made = exp.Table(this=exp.to_identifier(source))
            elif relation.view is not None:
                made, columns = self._view(relation.view, node)
            else:
                table, columns = relation.table, list(relation.columns.items())
                made = exp.Table(this=exp.to_identifier(table))
        elif isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query):
            columns = self.query(node, parent, self._known)
            made = exp.Subquery(this=node.this)
        elif isinstance(node, exp.Values):
            tx = Expressions(self, Scope({}, parent), Clause("VALUES"))
            made, columns = values(tx, node)
        else:
            raise not_supported(f"'{shown(node)}' in FROM", self.at(node))
        made.set("alias", alias)
        fields = {one: Value(exp.column(one, symbol, quoted=True), kind) for one, kind in columns}
        sources[name] = Source(symbol, fields, table)
        return made

    def _view(self, view: View, node: exp.Expr) -> tuple[exp.Expr, Outputs]:
        shared, name = self.shared, f"{CATALOG}.{view.database}.{view.name}"
        position = self.at(node)
        try:
            tree = parse_query(view.statement)
            query, outputs = translated(view.statement, tree, shared, view.schema)
        except QueryError as error:
            message = f"Failed analyzing stored view '{name}': {error}"
            raise QueryError("INVALID_VIEW", message, position=position) from error
        columns = [(one.lower(), kind) for one, kind in outputs]
        if [(one, str(kind)) for one, kind in columns] != [
            (one.lower(), kind) for one, kind in view.columns
        ]:
            message = f"View '{name}' is stale or in invalid state: its query has other columns now"
            raise QueryError("VIEW_IS_STALE", message, position=position)
        return exp.Subquery(this=query), columns

    # --- Set operations ---

    def _set_operation(self, node: exp.SetOperation, parent: Scope | None) -> Outputs:
        self.only(node, *_SET_PARTS)
        word, known = type(node).__name__.upper(), self._known
        left, right = (self.query(side, parent, known) for side in (node.this, node.expression))
        if len(left) != len(right):
            raise type_mismatch(
                f"{word} query has different number of fields: {len(left)}, {len(right)}"
            )
        outputs = []
        for place, ((name, one), (_, other)) in enumerate(zip(left, right, strict=True), 1):
            kind = types.common_type(one, other)
            if kind is None:
                raise type_mismatch(
                    f"column {place} in {word} query has incompatible types: {one}, {other}"
                )
            outputs.append((name, kind))
        for part, own in (("this", left), ("expression", right)):
            node.set(part, _coerced(node.args[part], own, outputs, self.shared.unique))
        items = [(name, Value(exp.column(name, quoted=True), kind)) for name, kind in outputs]
        self._order(node, Scope({}), items)
        self._limit(node)
        return outputs


def _coerced(
    side: exp.Expr, own: Outputs, wanted: Outputs, unique: Callable[[str], str]
) -> exp.Expr:
    """One side with the columns of the whole."""
    symbols = [unique("c") for _ in own]
    columns = [
        exp.alias_(
            coerce(Value(exp.column(symbol, quoted=True), kind), output).node, name, quoted=True
        )
        for symbol, (_, kind), (name, output) in zip(symbols, own, wanted, strict=True)
    ]
    query = side.this if isinstance(side, exp.Subquery) else side
    alias = exp.TableAlias(
        this=exp.to_identifier(unique("r")), columns=[exp.to_identifier(one) for one in symbols]
    )
    return exp.select(*columns).from_(exp.Subquery(this=query, alias=alias))
