"""From one Trino query to one DuckDB query.

Names are resolved, types checked and coercions written out here, as Trino's analyser does, so
that DuckDB never has to decide: every column gets a name of its own (``c1``, ``c2``…), every
relation an alias of its own (``r1``…), and every literal its type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from localaws.athena import casts, types
from localaws.athena.errors import Position, QueryError, not_supported, syntax_error
from localaws.athena.expression import Expr, null
from localaws.athena.expressions import Clause, Expressions, direction, shown
from localaws.athena.parsing import parse_query, position_of
from localaws.athena.predicates import predicates_of
from localaws.athena.pruning import (
    CtePlan,
    Nothing,
    Plan,
    Predicate,
    SelectPlan,
    UnionPlan,
)
from localaws.athena.queryparts import Cte, Output, Result, Scan, Shared, Source
from localaws.athena.relations import Relations, View
from localaws.athena.scope import Field, Scope
from localaws.athena.sources import Sources
from localaws.athena.sql import Sql, compose, join, ref, text
from localaws.athena.types import Type, quoted


@dataclass(frozen=True, slots=True)
class Translation:
    """A query ready to run: `columns` are the names and types of the result.

    `unnamed` holds the places (from 0) of columns that the query gives no name; `used` names, per
    DuckDB source table, the columns the query looks at.
    """

    sql: str
    columns: tuple[tuple[str, Type], ...]
    unnamed: frozenset[int]
    scans: tuple[Scan, ...]
    used: Mapping[str, frozenset[str]]


def translate(
    statement: str, tree: exp.Expr, relations: Relations, database: str | None, now: Expr
) -> Translation:
    """Translate a query; raises QueryError in Athena's words for what is wrong with it.

    `tree` is `statement` parsed (or the query inside it); `now` the start of the query.
    """
    shared = Shared(relations, now)
    try:
        result = QueryTranslator(statement, shared, database, depth=0).query(tree, None, {})
    except RecursionError as error:
        raise not_supported("a statement nested this deeply") from error
    for output in result.outputs:
        if types.has_unknown_zone(output.type):
            raise not_supported(
                f"a result ({output.name or output.type}) whose time zone is only known per row"
            )
    for plan in (result.plan, *shared.detached):
        plan.constrain([])
    sources = {scan.plan.alias: scan.source for scan in shared.scans}
    used: dict[str, set[str]] = {scan.source: set() for scan in shared.scans}
    for column in result.sql.refs():
        if column.relation in sources:
            used[sources[column.relation]].add(column.column)
    columns = tuple(
        (output.name or f"_col{index}", output.type) for index, output in enumerate(result.outputs)
    )
    return Translation(
        str(result.sql),
        columns,
        frozenset(index for index, one in enumerate(result.outputs) if one.name is None),
        tuple(shared.scans),
        {source: frozenset(names) for source, names in used.items()},
    )


_VIEW_DEPTH = 16
_SELECT_PARTS = frozenset(
    {
        *("expressions", "from_", "joins", "where", "group", "having", "order", "limit"),
        *("offset", "distinct", "with_"),
    }
)
_SET_PARTS = frozenset({"this", "expression", "distinct", "order", "limit", "offset", "with_"})


class QueryTranslator:
    """Translates the queries of one text: the statement's, or a view's."""

    def __init__(self, statement: str, shared: Shared, database: str | None, *, depth: int) -> None:
        self.statement = statement
        self.shared = shared
        self.database = database
        self.depth = depth
        # Expressions are translated while their query is: its named queries are the current ones.
        self.ctes: Mapping[str, Cte] = {}
        self._sources = Sources(self)

    @property
    def now(self) -> Expr:
        """The start of the query."""
        return self.shared.now

    def unique(self, prefix: str) -> str:
        """A name used nowhere else in the statement."""
        return f"{prefix}{next(self.shared.counter)}"

    def subquery(self, node: exp.Expr, scope: Scope) -> tuple[Sql, tuple[Type, ...]]:
        """A query inside an expression."""
        result = self.query(node, scope, self.ctes)
        self.shared.detached.append(result.plan)
        return result.sql, tuple(output.type for output in result.outputs)

    def at(self, node: exp.Expr) -> Position | None:
        """Where something stands."""
        return position_of(self.statement, node)

    def query(self, node: exp.Expr, parent: Scope | None, ctes: Mapping[str, Cte]) -> Result:
        """Any query expression."""
        node = _unwrapped(node)
        outer = self.ctes
        definitions: list[Sql] = []
        self.ctes = self._with(node, ctes, definitions)
        try:
            if isinstance(node, exp.Select):
                result = self._select(node, parent)
            elif isinstance(node, exp.SetOperation):
                result = self._set_operation(node, parent)
            elif isinstance(node, exp.Values):
                result = self.values_query(node, parent)
            else:
                raise not_supported(f"'{shown(node)}'", self.at(node))
        finally:
            self.ctes = outer
        if not definitions:
            return result
        return replace(result, sql=compose("WITH {} {}", join(", ", definitions), result.sql))

    def _with(
        self, node: exp.Expr, ctes: Mapping[str, Cte], definitions: list[Sql]
    ) -> Mapping[str, Cte]:
        clause = node.args.get("with_")
        if clause is None:
            return ctes
        if clause.args.get("recursive"):
            raise not_supported("WITH RECURSIVE", self.at(clause))
        known = dict(ctes)
        own: set[str] = set()
        for cte in clause.expressions:
            name = cte.alias.lower()
            if name in own:
                raise syntax_error(f"WITH query name '{name}' specified more than once")
            own.add(name)
            if not isinstance(cte, exp.CTE) or cte.args.get("materialized") is not None:
                raise not_supported(f"'{shown(cte)}'", self.at(cte))
            inner = self.query(cte.this, None, known)
            renamed = self.renamed(
                inner.outputs, [column.name for column in cte.args["alias"].columns], cte
            )
            symbol = self.unique("q")
            definitions.append(compose(f"{symbol} AS ({{}})", inner.sql))
            known[name] = Cte(symbol, renamed, CtePlan(inner.plan))
        return known

    def view_query(self, view: View) -> Result:
        """The query of a view, its names found in the view's own database."""
        if self.depth >= _VIEW_DEPTH:
            raise syntax_error(f"View is recursive: {view.database}.{view.name}")
        inner = QueryTranslator(view.statement, self.shared, view.schema, depth=self.depth + 1)
        return inner.query(parse_query(view.statement), None, {})

    def renamed(
        self, outputs: Sequence[Output], names: Sequence[str], node: exp.Expr
    ) -> tuple[Output, ...]:
        """The columns under the names of an alias list, if there is one."""
        if not names:
            return tuple(outputs)
        if len(names) != len(outputs):
            raise syntax_error(
                f"Column alias list has {len(names)} entries but relation has "
                f"{len(outputs)} columns",
                self.at(node),
            )
        return tuple(
            replace(output, name=name) for output, name in zip(outputs, names, strict=True)
        )

    def only(self, node: exp.Expr, parts: frozenset[str]) -> None:
        """Refuse a clause that is not handled."""
        for name, value in node.args.items():
            if value and name not in parts:
                raise not_supported(
                    f"the clause {name.strip('_').upper()} in '{shown(node)}'", self.at(node)
                )

    def _select(self, node: exp.Expr, parent: Scope | None) -> Result:
        self.only(node, _SELECT_PARTS)
        source = self._sources.from_clause(node, parent)
        scope = Scope(source.fields, parent)
        where, predicates = self._where(node, scope)
        keys, ordinals = self._group_keys(node, scope)
        items = self._items(node, source, scope)
        keys = self._ordinal_keys(keys, ordinals, items)
        having = self._having(node, scope)
        distinct = node.args.get("distinct") is not None
        if distinct and node.args["distinct"].args.get("on"):
            raise not_supported("DISTINCT ON", self.at(node))
        outputs = tuple(Output(name, expr.type, self.unique("c")) for name, expr in items)
        order = self._select_order(node, scope, items, outputs, distinct=distinct)
        grouped = bool(
            node.args.get("group")
            or any(expr.aggregate for _, expr in items)
            or (having is not None and having.aggregate)
        )
        pieces = [
            compose(
                "SELECT DISTINCT {}" if distinct else "SELECT {}",
                join(
                    ", ",
                    (
                        compose(f"{{}} AS {quoted(output.symbol)}", expr.sql)
                        for (_, expr), output in zip(items, outputs, strict=True)
                    ),
                ),
            )
        ]
        if source.names or source.fields:
            pieces.append(compose("FROM {}", source.sql))
        if where is not None:
            pieces.append(compose("WHERE {}", where.sql))
        if keys:
            pieces.append(compose("GROUP BY {}", join(", ", (key.sql for key in keys))))
        if having is not None:
            pieces.append(compose("HAVING {}", having.sql))
        limit = self._limit(node)
        pieces += [piece for piece in (order, limit) if piece is not None]
        plan = SelectPlan(
            source.plan,
            predicates,
            {
                output.symbol: expr.sql
                for (_, expr), output in zip(items, outputs, strict=True)
                if expr.movable
            },
            _transparency(limit, keys, items, grouped=grouped),
        )
        return Result(join(" ", pieces), outputs, plan)

    def expressions(self, scope: Scope, clause: Clause) -> Expressions:
        """A translator of expressions."""
        return Expressions(self, scope, clause)

    def _where(self, node: exp.Expr, scope: Scope) -> tuple[Expr | None, list[Predicate]]:
        where = node.args.get("where")
        if where is None:
            return None, []
        expressions = self.expressions(scope, Clause("WHERE clause"))
        condition = expressions.boolean(where.this, "WHERE clause")
        return condition, predicates_of(where.this, expressions)

    def _group_keys(self, node: exp.Expr, scope: Scope) -> tuple[list[Expr], dict[int, exp.Expr]]:
        """The keys as expressions; an ordinal leaves a gap to be filled (see `_ordinal_keys`)."""
        group = node.args.get("group")
        if group is None:
            return [], {}
        self.only(group, frozenset({"expressions"}))
        expressions = self.expressions(scope, Clause("GROUP BY clause"))
        keys: list[Expr] = []
        ordinals: dict[int, exp.Expr] = {}
        for item in _group_items(group):
            if isinstance(item, exp.Literal) and not item.args["is_string"]:
                ordinals[len(keys)] = item
                keys.append(null())
            else:
                keys.append(expressions.translate(item))
        return keys, ordinals

    def _ordinal_keys(
        self,
        keys: list[Expr],
        ordinals: Mapping[int, exp.Expr],
        items: Sequence[tuple[str | None, Expr]],
    ) -> list[Expr]:
        for place, node in ordinals.items():
            expr = items[self._ordinal(node, len(items), "GROUP BY")][1]
            if expr.aggregate or expr.window:
                raise syntax_error(
                    "GROUP BY clause cannot contain aggregations or window functions",
                    self.at(node),
                )
            keys[place] = expr
        return keys

    def _ordinal(self, node: exp.Expr, count: int, clause: str) -> int:
        if not node.name.isdecimal() or not 1 <= int(node.name) <= count:
            raise QueryError(
                "INVALID_COLUMN_REFERENCE",
                f"{clause} position {node.name} is not in select list",
                position=self.at(node),
            )
        return int(node.name) - 1

    def _items(self, node: exp.Expr, source: Source, scope: Scope) -> list[tuple[str | None, Expr]]:
        """The select list: names (None: unnamed) and expressions, stars expanded."""
        expressions = self.expressions(
            scope, Clause("SELECT clause", aggregates=True, windows=True)
        )
        items: list[tuple[str | None, Expr]] = []
        for item in node.expressions:
            star = _star(item)
            if star is not None:
                items.extend(self._star_fields(item, star, source))
            elif isinstance(item, exp.Alias):
                items.append((item.alias, expressions.translate(item.this)))
            else:
                items.append((_implicit_name(item), expressions.translate(item)))
        if not items:
            raise syntax_error("SELECT * not allowed from relation that has no columns")
        return items

    def _star_fields(
        self, node: exp.Expr, qualifier: tuple[str, ...], source: Source
    ) -> list[tuple[str | None, Expr]]:
        fields = [
            (one.name, one.expr)
            for one in source.fields
            if not one.hidden and (not qualifier or one.qualifier[-len(qualifier) :] == qualifier)
        ]
        if not fields:
            if qualifier:
                raise syntax_error(
                    f"Unable to resolve reference {'.'.join(qualifier)}", self.at(node)
                )
            raise syntax_error("SELECT * not allowed in queries without FROM clause", self.at(node))
        return fields

    def _having(self, node: exp.Expr, scope: Scope) -> Expr | None:
        having = node.args.get("having")
        if having is None:
            return None
        expressions = self.expressions(scope, Clause("HAVING clause", aggregates=True))
        return expressions.boolean(having.this, "HAVING clause")

    def _select_order(
        self,
        node: exp.Expr,
        scope: Scope,
        items: Sequence[tuple[str | None, Expr]],
        outputs: Sequence[Output],
        *,
        distinct: bool,
    ) -> Sql | None:
        order = node.args.get("order")
        if order is None:
            return None
        named = tuple(Field(name, expr) for name, expr in items)
        expressions = self.expressions(
            Scope(named, scope), Clause("ORDER BY clause", aggregates=True, windows=True)
        )
        keys = []
        for ordered in order.expressions:
            key = ordered.this
            if isinstance(key, exp.Literal) and not key.args["is_string"]:
                expr = items[self._ordinal(key, len(items), "ORDER BY")][1]
            else:
                expr = expressions.translate(key)
            self._check_orderable(expr, ordered)
            place = next(
                (index for index, (_, item) in enumerate(items) if item.sql == expr.sql), None
            )
            if place is not None:
                sql = text(quoted(outputs[place].symbol))
            elif distinct:
                raise syntax_error(
                    "For SELECT DISTINCT, ORDER BY expressions must appear in select list",
                    self.at(ordered),
                )
            else:
                sql = expr.sql
            keys.append(compose("{}" + direction(ordered), sql))
        return compose("ORDER BY {}", join(", ", keys))

    def _check_orderable(self, expr: Expr, node: exp.Expr) -> None:
        if not types.is_orderable(expr.type):
            raise syntax_error(
                f"Type {expr.type} is not orderable, and therefore cannot be used in ORDER BY",
                self.at(node),
            )

    def _limit(self, node: exp.Expr) -> Sql | None:
        pieces = []
        limit, offset = node.args.get("limit"), node.args.get("offset")
        if limit is not None:
            count = self._count(limit)
            if count is not None:
                pieces.append(f"LIMIT {count}")
        if offset is not None:
            pieces.append(f"OFFSET {self._whole(offset.expression, 'OFFSET')}")
        return text(" ".join(pieces)) if pieces else None

    def _count(self, limit: exp.Expr) -> int | None:
        if isinstance(limit, exp.Fetch):
            options = limit.args.get("limit_options")
            if options is not None and (
                options.args.get("with_ties") or options.args.get("percent")
            ):
                raise not_supported("FETCH … WITH TIES", self.at(limit))
            return self._whole(limit.args["count"], "FETCH")
        if limit.args.get("offset") or limit.args.get("expressions"):
            raise syntax_error("mismatched input ','", self.at(limit))
        if isinstance(limit.expression, exp.Var) and limit.expression.name.upper() == "ALL":
            return None
        return self._whole(limit.expression, "LIMIT")

    def _whole(self, node: exp.Expr, clause: str) -> int:
        if not isinstance(node, exp.Literal) or not node.name.isdecimal():
            raise not_supported(f"{clause} of anything but a whole number", self.at(node))
        return int(node.name)

    def _set_operation(self, node: exp.Expr, parent: Scope | None) -> Result:
        self.only(node, _SET_PARTS)
        word = type(node).__name__.upper()
        if not node.args.get("distinct"):
            word += " ALL"
        sides = [self.query(side, parent, self.ctes) for side in (node.this, node.expression)]
        kinds = self._set_types(sides, word, node)
        outputs = tuple(
            Output(output.name, kind, self.unique("c"))
            for output, kind in zip(sides[0].outputs, kinds, strict=True)
        )
        limit = self._limit(node)
        texts: list[Sql] = []
        plans: list[tuple[Plan, dict[str, Sql]]] = []
        for side in sides:
            sql, mapping = self._coerced_side(side, outputs)
            texts.append(sql)
            plans.append((side.plan, mapping))
        sql = compose(f"({{}}) {word} ({{}})", *texts)
        order = node.args.get("order")
        if order is not None or limit is not None:
            alias = self.unique("r")
            pieces = [compose(f"SELECT * FROM ({{}}) AS {alias}", sql)]
            if order is not None:
                pieces.append(self._set_order(order, outputs, alias, parent))
            if limit is not None:
                pieces.append(limit)
            sql = join(" ", pieces)
        return Result(sql, outputs, UnionPlan(plans, open=limit is None))

    def _set_types(self, sides: Sequence[Result], word: str, node: exp.Expr) -> list[Type]:
        left, right = (side.outputs for side in sides)
        if len(left) != len(right):
            raise syntax_error(
                f"{word.partition(' ')[0]} query has different number of fields: "
                f"{len(left)}, {len(right)}",
                self.at(node),
            )
        kinds = []
        for place, (one, other) in enumerate(zip(left, right, strict=True), 1):
            kind = types.common_type(one.type, other.type)
            if kind is None:
                raise QueryError(
                    "TYPE_MISMATCH",
                    f"column {place} in {word.partition(' ')[0]} query has incompatible types: "
                    f"{one.type}, {other.type}",
                    position=self.at(node),
                )
            kinds.append(kind)
        return kinds

    def _coerced_side(self, side: Result, outputs: Sequence[Output]) -> tuple[Sql, dict[str, Sql]]:
        alias = self.unique("r")
        columns, mapping = [], {}
        for inner, output in zip(side.outputs, outputs, strict=True):
            value = casts.coerce(Expr(ref(alias, inner.symbol), inner.type), output.type)
            columns.append(compose(f"{{}} AS {quoted(output.symbol)}", value.sql))
            own = casts.coerce(Expr(ref("", inner.symbol), inner.type), output.type)
            mapping[output.symbol] = own.sql
        sql = compose(f"SELECT {{}} FROM ({{}}) AS {alias}", join(", ", columns), side.sql)
        return sql, mapping

    def _set_order(
        self, order: exp.Expr, outputs: Sequence[Output], alias: str, parent: Scope | None
    ) -> Sql:
        fields = tuple(
            Field(output.name, Expr(ref(alias, output.symbol), output.type)) for output in outputs
        )
        expressions = self.expressions(Scope(fields, parent), Clause("ORDER BY clause"))
        keys = []
        for ordered in order.expressions:
            key = ordered.this
            if isinstance(key, exp.Literal) and not key.args["is_string"]:
                expr = fields[self._ordinal(key, len(fields), "ORDER BY")].expr
            else:
                expr = expressions.translate(key)
            self._check_orderable(expr, ordered)
            keys.append(compose("{}" + direction(ordered), expr.sql))
        return compose("ORDER BY {}", join(", ", keys))

    def values_query(self, node: exp.Expr, parent: Scope | None) -> Result:
        """``VALUES …``."""
        self.only(node, frozenset({"expressions", "alias"}))
        expressions = self.expressions(Scope((), parent), Clause("VALUES"))
        rows = [
            [
                expressions.translate(value)
                for value in (row.expressions if isinstance(row, exp.Tuple) else [row])
            ]
            for row in node.expressions
        ]
        if len({len(row) for row in rows}) != 1:
            raise syntax_error("Values rows have mismatched sizes", self.at(node))
        columns = []
        for place, values in enumerate(zip(*rows, strict=True)):
            kind = values[0].type
            for value in values[1:]:
                common = types.common_type(kind, value.type)
                if common is None:
                    raise QueryError(
                        "TYPE_MISMATCH",
                        f"Values rows have mismatched types: column {place + 1}: "
                        f"{kind} vs {value.type}",
                        position=self.at(node),
                    )
                kind = common
            columns.append(kind)
        outputs = tuple(Output(None, kind, self.unique("c")) for kind in columns)
        selects = [
            compose(
                "SELECT {}",
                join(
                    ", ",
                    (
                        compose(
                            f"{{}} AS {quoted(output.symbol)}",
                            casts.coerce(value, output.type).sql,
                        )
                        for value, output in zip(row, outputs, strict=True)
                    ),
                ),
            )
            for row in rows
        ]
        return Result(join(" UNION ALL ", selects), outputs, Nothing())


def _transparency(
    limit: Sql | None,
    keys: Sequence[Expr],
    items: Sequence[tuple[str | None, Expr]],
    *,
    grouped: bool,
) -> Callable[[Sql], bool]:
    """Whether a condition on an output's expression may be checked on the rows of FROM."""
    if limit is not None:
        return lambda _: False
    if any(expr.window for _, expr in items):
        partitions = [
            partition for _, expr in items if expr.window for partition in expr.partitions
        ]
        if grouped:
            return lambda _: False
        return lambda sql: all(sql in partition for partition in partitions)
    if grouped:
        allowed = {key.sql for key in keys}
        return lambda sql: sql in allowed
    return lambda _: True


def _unwrapped(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.Subquery) and not any(
        value for name, value in node.args.items() if name != "this"
    ):
        node = node.this
    return node


def _group_items(group: exp.Expr) -> Iterator[exp.Expr]:
    for item in group.expressions:
        if isinstance(item, exp.Tuple):
            yield from item.expressions
        else:
            yield item.this if isinstance(item, exp.Paren) else item


def _star(node: exp.Expr) -> tuple[str, ...] | None:
    """The qualifier of ``*`` or ``a.b.*``; None for anything else."""
    star = node.this if isinstance(node, exp.Column) else node
    if not isinstance(star, exp.Star):
        return None
    if any(star.args.values()):
        raise not_supported(f"'{shown(node)}'")
    if not isinstance(node, exp.Column):
        return ()
    parts = [node.args.get(name) for name in ("catalog", "db", "table")]
    return tuple(part.name.lower() for part in parts if part is not None)


def _implicit_name(node: exp.Expr) -> str | None:
    """A column or field reference is called by its last name."""
    if isinstance(node, exp.Column):
        return str(node.name)
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Identifier):
        return str(node.expression.name)
    return None
