"""From one Trino query to one DuckDB query.

Names are resolved, types checked and coercions written out here, as Trino's analyser does, so that
DuckDB never has to decide: every column gets a name of its own (``c1``, ``c2``…) and every relation
an alias of its own (``r1``…). Named queries are put where their names stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlglot import exp

from localaws.athena.errors import Position, QueryError, not_supported, syntax_error, type_mismatch
from localaws.athena.sql import calls, operators, types  # noqa: F401  (they know syntax)
from localaws.athena.sql.expressions import Clause, Expressions, check_orderable
from localaws.athena.sql.functions import as_type, coerce, unified
from localaws.athena.sql.parsing import position_of, shown
from localaws.athena.sql.scope import (
    Field,
    Known,
    NamedQuery,
    Output,
    Relations,
    Scope,
    Shared,
    Value,
    alias_of,
)
from localaws.athena.sql.sources import Sources
from localaws.athena.sql.types import Type
from localaws.athena.tables.relations import Table, View


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
        found, outputs = Queries(statement, shared, database).query(tree, None, {})
    except RecursionError as error:
        raise not_supported("a statement nested this deeply") from error
    return Translation(
        found,
        tuple((one.name or f"_col{place}", one.type) for place, one in enumerate(outputs)),
        tuple(place for place, one in enumerate(outputs) if one.name is None),
        shared.tables,
        {name: frozenset(used) for name, used in shared.used.items()},
    )


_SELECT_PARTS = (
    *("expressions", "from_", "joins", "where", "group", "having", "order", "limit", "offset"),
    *("distinct", "with_", "kind", "hint"),
)
_SET_PARTS = ("this", "expression", "distinct", "order", "limit", "offset", "with_")


class Queries:
    """Translates the queries of one text: the statement's, or a view's."""

    def __init__(self, statement: str, shared: Shared, database: str | None) -> None:
        self.statement = statement
        self.shared = shared
        self.database = database
        # Expressions are translated while their query is: its named queries are the current ones.
        self.known: Known = {}

    def at(self, node: exp.Expr) -> Position | None:
        """Where something stands."""
        return position_of(self.statement, node)

    def subquery(self, node: exp.Expr, scope: Scope) -> tuple[exp.Expr, list[Type]]:
        """A query inside an expression, translated, and the types of its columns."""
        found, outputs = self.query(node, scope, self.known)
        return found, [output.type for output in outputs]

    def of_view(self, view: View) -> Queries:
        """A translator of the view's own text."""
        return Queries(view.statement, self.shared, view.schema)

    def only(self, node: exp.Expr, *parts: str) -> None:
        """Refuse a clause that is not handled."""
        for name, value in node.args.items():
            if value and name not in parts:
                raise not_supported(
                    f"the clause {name.strip('_').upper()} in '{shown(node)}'", self.at(node)
                )

    def query(
        self, node: exp.Expr, parent: Scope | None, known: Known
    ) -> tuple[exp.Expr, list[Output]]:
        """Any query, translated, and its columns; `node` is used up. Raises QueryError."""
        while isinstance(node, exp.Subquery) and not node.args.get("alias"):
            self.only(node, "this")
            node = node.this
        outer, self.known = self.known, self._with(node, known)
        try:
            if isinstance(node, exp.Select):
                return self._select(node, parent)
            if isinstance(node, exp.SetOperation):
                return self._set_operation(node, parent)
            if isinstance(node, exp.Values):
                return self._values(node, parent)
        finally:
            self.known = outer
        raise not_supported(f"'{shown(node)}'", self.at(node))

    def _with(self, node: exp.Expr, known: Known) -> Known:
        clause = node.args.get("with_")
        if clause is None:
            return known
        if clause.args.get("recursive"):
            raise not_supported("WITH RECURSIVE", self.at(clause))
        node.set("with_", None)
        names: set[str] = set()
        for cte in clause.expressions:
            name = cte.alias.lower()
            if name in names:
                raise QueryError(
                    "DUPLICATE_NAMED_QUERY", f"WITH query name '{name}' specified more than once"
                )
            names.add(name)
            columns = tuple(column.name for column in cte.args["alias"].columns)
            one = NamedQuery(cte.this, known, columns)
            # Also one that is not used must be right.
            self.query(one.node.copy(), None, known)
            known = {**known, name: one}
        return known

    # --- SELECT ---

    def _select(self, node: exp.Select, parent: Scope | None) -> tuple[exp.Expr, list[Output]]:
        self.only(node, *_SELECT_PARTS)
        scope = Scope(Sources(self).translate(node, parent), parent)
        where, having = node.args.get("where"), node.args.get("having")
        if where is not None:
            where.set("this", self._in(scope, "WHERE clause").boolean(where.this, "WHERE clause"))
        keys = self._group_keys(node, scope)
        items = self._items(node, scope)
        if keys is not None:
            node.set("group", exp.Group(expressions=[self._key(key, items) for key in keys]))
        if having is not None:
            tx = Expressions(self, scope, Clause("HAVING clause", aggregates=True))
            having.set("this", tx.boolean(having.this, "HAVING clause"))
        outputs = [Output(name, one.type, self.shared.unique("c")) for name, one in items]
        self._order(node, scope, items, outputs)
        self._limit(node)
        node.set(
            "expressions",
            [
                exp.alias_(one.node, output.symbol, quoted=True)
                for (_, one), output in zip(items, outputs, strict=True)
            ],
        )
        return node, outputs

    def _in(self, scope: Scope, clause: str) -> Expressions:
        return Expressions(self, scope, Clause(clause))

    def _items(self, node: exp.Select, scope: Scope) -> list[tuple[str | None, Value]]:
        """The select list: names (None: unnamed) and values, stars expanded."""
        tx = Expressions(self, scope, Clause("SELECT clause", aggregates=True, windows=True))
        items: list[tuple[str | None, Value]] = []
        for item in node.expressions:
            star = item.this if isinstance(item, exp.Column) else item
            if isinstance(star, exp.Star):
                if any(star.args.values()):
                    raise not_supported(f"'{shown(item)}'", self.at(item))
                items += self._star(item, scope)
            elif isinstance(item, exp.Alias):
                items.append((item.alias, tx.value(item.this)))
            else:
                named = isinstance(item, (exp.Column, exp.Dot))
                name = item.name or item.expression.name if named else None
                items.append((name, tx.value(item)))
        if not items:
            raise syntax_error("mismatched input 'FROM'", self.at(node))
        return items

    def _star(self, item: exp.Expr, scope: Scope) -> list[tuple[str | None, Value]]:
        qualifier = []
        if isinstance(item, exp.Column):
            parts = (item.args.get(name) for name in ("catalog", "db", "table"))
            qualifier = [part.name.lower() for part in parts if part is not None]
        fields = scope.visible(qualifier)
        if not fields:
            shown_ = f"Unable to resolve reference {'.'.join(qualifier)}"
            raise QueryError(
                "TABLE_NOT_FOUND" if qualifier else "COLUMN_NOT_FOUND",
                shown_ if qualifier else "SELECT * not allowed in queries without FROM clause",
                position=self.at(item),
            )
        for one in fields:
            if one.source is not None and one.name is not None:
                self.shared.used[one.source].add(one.name)
        return [(one.name, replace(one.value, node=one.value.node.copy())) for one in fields]

    def _group_keys(self, node: exp.Select, scope: Scope) -> list[exp.Expr | Value] | None:
        """The keys, translated but for ordinals; None without GROUP BY."""
        group = node.args.get("group")
        if group is None:
            return None
        self.only(group, "expressions")
        tx = self._in(scope, "GROUP BY clause")
        keys: list[exp.Expr | Value] = []
        for item in group.expressions:
            parts = item.expressions if isinstance(item, exp.Tuple) else [item]
            keys += [part if _is_number(part) else tx.value(part) for part in parts]
        return keys

    def _key(self, key: exp.Expr | Value, items: Sequence[tuple[str | None, Value]]) -> exp.Expr:
        if isinstance(key, Value):
            return key.node
        node = items[self._ordinal(key, len(items), "GROUP BY")][1].node
        return node.copy()

    def _ordinal(self, node: exp.Expr, count: int, clause: str) -> int:
        if not node.name.isdecimal() or not 1 <= int(node.name) <= count:
            raise QueryError(
                "INVALID_COLUMN_REFERENCE",
                f"{clause} position {node.name} is not in select list",
                position=self.at(node),
            )
        return int(node.name) - 1

    def _order(
        self,
        node: exp.Select,
        scope: Scope,
        items: Sequence[tuple[str | None, Value]],
        outputs: Sequence[Output],
    ) -> None:
        """Keys may name columns of the result, which win, and of the query."""
        distinct = node.args.get("distinct")
        if distinct is not None and distinct.args.get("on"):
            raise syntax_error("mismatched input 'ON'", self.at(distinct))
        order = node.args.get("order")
        if order is None:
            return
        named = [Field(name, value) for name, value in items]
        clause = Clause("ORDER BY clause", aggregates=True, windows=True)
        tx = Expressions(self, Scope(named, scope), clause)
        for ordered in order.expressions:
            position = self.at(ordered)
            key = ordered.this
            if _is_number(key):
                found = items[self._ordinal(key, len(items), "ORDER BY")][1]
            else:
                found = tx.value(key)
            check_orderable(found.type, position)
            same = (i for i, (_, item) in enumerate(items) if item.node == found.node)
            index = next(same, None)
            if index is None and distinct is not None:
                raise QueryError(
                    "EXPRESSION_NOT_IN_DISTINCT",
                    "For SELECT DISTINCT, ORDER BY expressions must appear in select list",
                    position=position,
                )
            symbol = None if index is None else exp.column(outputs[index].symbol, quoted=True)
            ordered.set("this", symbol or found.node)

    def _limit(self, node: exp.Expr) -> None:
        """LIMIT, OFFSET and FETCH of plain numbers."""
        for name in ("limit", "offset"):
            clause = node.args.get(name)
            if clause is None:
                continue
            count = clause.args.get("count") or clause.args.get("expression")
            options = clause.args.get("limit_options")
            if options is not None and any(
                options.args.get(one) for one in ("with_ties", "percent")
            ):
                raise not_supported(f"'{shown(clause)}'", self.at(clause))
            if isinstance(count, exp.Column) and count.name.upper() == "ALL" and name == "limit":
                node.set("limit", None)
                continue
            if not _is_number(count) or not count.name.isdecimal() or clause.expressions:
                raise syntax_error(f"mismatched input in '{shown(clause)}'", self.at(clause))

    # --- Set operations and VALUES ---

    def _set_operation(
        self, node: exp.SetOperation, parent: Scope | None
    ) -> tuple[exp.Expr, list[Output]]:
        self.only(node, *_SET_PARTS)
        position, word = self.at(node), type(node).__name__.upper()
        known = self.known
        sides = [self.query(side, parent, known) for side in (node.this, node.expression)]
        left, right = (outputs for _, outputs in sides)
        if len(left) != len(right):
            raise type_mismatch(
                f"{word} query has different number of fields: {len(left)}, {len(right)}", position
            )
        kinds = []
        for place, (one, other) in enumerate(zip(left, right, strict=True), 1):
            kind = types.common_type(one.type, other.type)
            if kind is None:
                raise type_mismatch(
                    f"column {place} in {word} query has incompatible types: "
                    f"{one.type}, {other.type}",
                    position,
                )
            kinds.append(kind)
        outputs = [
            Output(one.name, kind, self.shared.unique("c"))
            for one, kind in zip(left, kinds, strict=True)
        ]
        for name, (side, own) in zip(("this", "expression"), sides, strict=True):
            node.set(name, self._coerced(side, own, outputs))
        order = node.args.get("order")
        for ordered in [] if order is None else order.expressions:
            key = ordered.this
            if _is_number(key):
                index = self._ordinal(key, len(outputs), "ORDER BY")
            else:
                if not isinstance(key, exp.Column):
                    raise not_supported(f"{word} ordered by '{shown(key)}'", self.at(key))
                fields = [
                    Field(one.name, Value(exp.column(one.symbol), one.type)) for one in outputs
                ]
                found, _ = Scope(fields).resolve([key.name.lower()], self.at(key))
                index = fields.index(found)
            check_orderable(outputs[index].type, self.at(key))
            ordered.set("this", exp.column(outputs[index].symbol, quoted=True))
        self._limit(node)
        return node, outputs

    def _coerced(self, side: exp.Expr, own: Sequence[Output], wanted: Sequence[Output]) -> exp.Expr:
        """One side with the columns of the whole."""
        alias = self.shared.unique("r")
        columns = []
        for inner, output in zip(own, wanted, strict=True):
            column = Value(exp.column(inner.symbol, table=alias, quoted=True), inner.type)
            node = coerce(column, output.type).node
            columns.append(exp.alias_(node, output.symbol, quoted=True))
        return exp.select(*columns).from_(exp.Subquery(this=side, alias=alias_of(alias)))

    def _values(self, node: exp.Values, parent: Scope | None) -> tuple[exp.Expr, list[Output]]:
        self.only(node, "expressions", "alias")
        position = self.at(node)
        tx = self._in(Scope((), parent), "VALUES")
        rows = [
            [tx.value(one) for one in (row.expressions if isinstance(row, exp.Tuple) else [row])]
            for row in node.expressions
        ]
        if len({len(row) for row in rows}) != 1:
            raise type_mismatch("Values rows have mismatched sizes", position)
        columns = [
            unified(list(column), "Values of one column", position)
            for column in zip(*rows, strict=True)
        ]
        outputs = [Output(None, column[0].type, self.shared.unique("c")) for column in columns]
        made: exp.Expr | None = None
        for row in zip(*columns, strict=True):
            items = [
                exp.alias_(as_type(one.node, one.type), output.symbol, quoted=True)
                for one, output in zip(row, outputs, strict=True)
            ]
            select = exp.select(*items)
            made = (
                select if made is None else exp.Union(this=made, expression=select, distinct=False)
            )
        if made is None:
            raise syntax_error("mismatched input 'VALUES'", position)
        return made, outputs


def _is_number(node: exp.Expr | None) -> bool:
    return isinstance(node, exp.Literal) and not node.args["is_string"]
