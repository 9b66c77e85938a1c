"""Aggregates and window functions."""

from __future__ import annotations

from sqlglot import exp

from localaws.athena import aggregates
from localaws.athena.errors import not_supported, syntax_error
from localaws.athena.expression import Expr
from localaws.athena.expressions.translator import Clause, Expressions, shown, translates
from localaws.athena.sql import Sql, compose, join, text


@translates(exp.Filter, exp.WithinGroup)
def _aggregate_with_clause(tx: Expressions, node: exp.Expr) -> Expr:
    return aggregate_call(tx, node, None)


def aggregate_call(
    tx: Expressions,
    node: exp.Expr,
    over: Sql | None,
    keys: frozenset[Sql] = frozenset(),
    *,
    ignore_nulls: bool = False,
) -> Expr:
    """An aggregate; `over` is what stands in OVER, `keys` its PARTITION BY keys."""
    filtered = None
    order: Sql | None = None
    if isinstance(node, exp.Filter):
        filtered, node = node.args["expression"].this, node.this
    if isinstance(node, exp.WithinGroup):
        order, node = tx.order_by(node.expression), node.this
    name = str(node.this).lower() if isinstance(node, exp.Anonymous) else ""
    if not aggregates.is_aggregate(name) or ignore_nulls:
        raise not_supported(f"'{shown(node)}'", tx.at(node))
    allowed = tx.clause.windows if over else tx.clause.aggregates
    if not allowed:
        raise syntax_error(
            f"{tx.clause.name} cannot contain aggregations, window functions or grouping "
            f"operations: [{shown(node)}]",
            tx.at(node),
        )
    arguments, distinct, inner_order = _aggregate_arguments(node)
    inner = Expressions(tx.query, tx.scope, Clause("Aggregate", aggregates=bool(over)))
    if inner_order is not None:
        order = inner.order_by(inner_order)
    args = tuple(inner.translate(argument) for argument in arguments)
    found = aggregates.aggregate(aggregates.AggregateCall(name, args, distinct, order, tx.at(node)))
    if over is not None and distinct:
        raise not_supported("DISTINCT in a window function", tx.at(node))
    suffix = text("")
    if filtered is not None:
        suffix = compose(" FILTER (WHERE {})", inner.boolean(filtered, "FILTER clause").sql)
    if over is not None:
        suffix = compose("{} OVER ({})", suffix, over)
    calls = [compose("{}{}", call, suffix) for call in found.calls]
    return Expr(
        compose(found.result, *calls),
        found.type,
        movable=False,
        aggregate=over is None,
        window=over is not None,
        partitions=() if over is None else (keys,),
    )


@translates(exp.Window)
def _window(tx: Expressions, node: exp.Expr) -> Expr:
    if node.args.get("alias") is not None or node.args.get("first") is not None:
        raise not_supported("a named window", tx.at(node))
    over, keys = _over(tx, node)
    call, ignore_nulls = node.this, False
    if isinstance(call, (exp.IgnoreNulls, exp.RespectNulls)):
        ignore_nulls, call = isinstance(call, exp.IgnoreNulls), call.this
    name = str(call.this).lower() if isinstance(call, exp.Anonymous) else ""
    if not aggregates.is_window(name):
        return aggregate_call(tx, call, over, keys, ignore_nulls=ignore_nulls)
    if not tx.clause.windows:
        raise syntax_error(
            f"{tx.clause.name} cannot contain aggregations, window functions or grouping "
            f"operations: [{shown(node)}]",
            tx.at(node),
        )
    inner = _inside_window(tx)
    args = tuple(inner.translate(argument) for argument in call.expressions)
    found = aggregates.window_function(name, args, tx.at(node))
    nulls = " IGNORE NULLS" if ignore_nulls else ""
    slots = ", ".join("{}" for _ in found.args)
    sql = compose(
        f"{found.call}{slots}{nulls}) OVER ({{}})", *(arg.sql for arg in found.args), over
    )
    return Expr(sql, found.type, movable=False, window=True, partitions=(keys,))


def _inside_window(tx: Expressions) -> Expressions:
    clause = Clause("Window function", aggregates=tx.clause.aggregates)
    return Expressions(tx.query, tx.scope, clause)


def _over(tx: Expressions, node: exp.Expr) -> tuple[Sql, frozenset[Sql]]:
    """What stands in OVER, and its PARTITION BY keys."""
    inner = _inside_window(tx)
    clauses: list[Sql] = []
    keys = [inner.translate(key).sql for key in node.args.get("partition_by") or []]
    if keys:
        clauses.append(compose("PARTITION BY {}", join(", ", keys)))
    order = node.args.get("order")
    if order is not None:
        clauses.append(inner.order_by(order))
    spec = node.args.get("spec")
    if spec is not None:
        clauses.append(text(_frame(tx, spec)))
    return join(" ", clauses), frozenset(keys)


def _frame(tx: Expressions, spec: exp.Expr) -> str:
    kind = str(spec.args.get("kind") or "").upper()
    if kind not in ("ROWS", "RANGE") or spec.args.get("exclude"):
        raise not_supported(f"'{shown(spec)}'", tx.at(spec))
    start = _frame_bound(tx, spec, "start", kind)
    end = spec.args.get("end")
    bound = _frame_bound(tx, spec, "end", kind) if end is not None else "CURRENT ROW"
    return f"{kind} BETWEEN {start} AND {bound}"


def _frame_bound(tx: Expressions, spec: exp.Expr, which: str, kind: str) -> str:
    bound, side = spec.args[which], str(spec.args.get(f"{which}_side") or "").upper()
    if isinstance(bound, str):
        word = bound.upper()
        if word == "CURRENT ROW":
            return word
        if word == "UNBOUNDED" and side in ("PRECEDING", "FOLLOWING"):
            return f"{word} {side}"
    elif isinstance(bound, exp.Literal) and bound.name.isdecimal() and kind == "ROWS":
        return f"{int(bound.name)} {side}"
    raise not_supported(f"the window frame '{shown(spec)}'", tx.at(spec))


def _aggregate_arguments(
    node: exp.Expr,
) -> tuple[list[exp.Expr], bool, exp.Expr | None]:
    """The arguments, whether DISTINCT, and the ORDER BY inside the parentheses."""
    arguments = list(node.expressions)
    distinct, order = False, None
    if arguments and isinstance(arguments[-1], exp.Order):
        ordered = arguments.pop()
        order = ordered
        arguments.append(ordered.this)
    if len(arguments) == 1 and isinstance(arguments[0], exp.Distinct):
        distinct = True
        arguments = list(arguments[0].expressions)
        if arguments and isinstance(arguments[-1], exp.Order):
            order = arguments.pop()
            arguments.append(order.this)
    if arguments and isinstance(arguments[0], exp.Star):
        arguments = arguments[1:]
    return arguments, distinct, order
