"""Aggregates and window functions: what stands around their arguments."""

from __future__ import annotations

from sqlglot import exp

from localaws.athena.errors import QueryError, not_supported
from localaws.athena.sql.expressions import Clause, Expressions, translates
from localaws.athena.sql.functions import as_type, call, chosen, is_known
from localaws.athena.sql.parsing import shown
from localaws.athena.sql.scope import Value


def aggregate(tx: Expressions, node: exp.Expr, window: exp.Expr | None = None) -> Value:
    """A call of an aggregate with FILTER, or `window` with its OVER."""
    whole = window or node
    filtered = None
    if isinstance(node, exp.Filter):
        filtered, node = node.expression.this, node.this
    known = _known(tx, node, whole, windowed=window is not None)
    if filtered is not None and known.startswith("window:"):
        raise not_supported(f"'{shown(whole)}'")
    arguments, distinct, order = _arguments(node)
    inner = tx.within(Clause("Aggregate", aggregates=window is not None))
    args = [inner.value(one) for one in arguments]
    duckdb, nodes, kind = chosen(known, args)
    if distinct:
        nodes = [exp.Distinct(expressions=nodes)]
    if distinct and (window is not None or len(args) != 1 or order is not None):
        raise not_supported(f"'{shown(whole)}'")
    if order is not None:
        nodes[-1] = exp.Order(this=nodes[-1], expressions=inner.order(order).expressions)
    result = call(duckdb, *(nodes or [exp.Star()] * known.endswith(":count")))
    if filtered is not None:
        condition = inner.boolean(filtered, "FILTER clause")
        result = exp.Filter(this=result, expression=exp.Where(this=condition))
    if window is not None:
        window.set("this", result)
        result = window
    # DuckDB's counts and sums are wider.
    return Value(as_type(result, kind) if not kind.args else result, kind)


def _known(tx: Expressions, node: exp.Expr, whole: exp.Expr, *, windowed: bool) -> str:
    """What the function is called in the list; raises QueryError if it may not stand there."""
    name = str(node.this).lower() if isinstance(node, exp.Anonymous) else ""
    if is_known(f"window:{name}") and not windowed:
        message = f"Window function {name} requires an OVER clause"
        raise QueryError("MISSING_OVER", message)
    known = f"window:{name}" if is_known(f"window:{name}") else f"aggregate:{name}"
    if not is_known(known):
        raise not_supported(f"'{shown(whole)}'")
    if not (tx.clause.windows if windowed else tx.clause.aggregates):
        raise QueryError(
            "NESTED_AGGREGATION" if tx.clause.name == "Aggregate" else "EXPRESSION_NOT_SCALAR",
            f"{tx.clause.name} cannot contain aggregations, window functions or grouping "
            f"operations: [{shown(whole)}]",
        )
    return known


@translates(exp.Filter)
def _with_clause(tx: Expressions, node: exp.Expr) -> Value:
    return aggregate(tx, node)


def _arguments(node: exp.Expr) -> tuple[list[exp.Expr], bool, exp.Expr | None]:
    """The arguments, whether DISTINCT, and the ORDER BY inside the parentheses."""
    arguments = list(node.expressions)
    order = None
    distinct = len(arguments) == 1 and isinstance(arguments[0], exp.Distinct)
    if distinct:
        arguments = list(arguments[0].expressions)
    if arguments and isinstance(arguments[-1], exp.Order):
        order = arguments.pop()
        arguments.append(order.this)
    if len(arguments) == 1 and isinstance(arguments[0], exp.Star):
        arguments = []
    return arguments, distinct, order


@translates(exp.Window)
def _window(tx: Expressions, node: exp.Expr) -> Value:
    spec = node.args.get("spec")
    frame_known = spec is None or (
        spec.args.get("kind") in ("ROWS", "RANGE")
        and not spec.args.get("exclude")
        and all(
            isinstance(bound, str) or bound is None or spec.args["kind"] == "ROWS"
            for bound in (spec.args.get("start"), spec.args.get("end"))
        )
    )
    if node.args.get("alias") or node.args.get("first") or not frame_known:
        raise not_supported(f"'{shown(node)}'")
    inner = tx.within(Clause("Window function", aggregates=tx.clause.aggregates))
    keys = [inner.value(key).node for key in node.args.get("partition_by") or []]
    made = aggregate(tx, node.this, node)
    node.set("partition_by", keys)
    if node.args.get("order") is not None:
        node.set("order", inner.order(node.args["order"]))
    return made
