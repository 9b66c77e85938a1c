"""Calls of scalar functions, and those with a syntax of their own."""

from __future__ import annotations

from sqlglot import exp

from localaws.athena import aggregates, functions
from localaws.athena.errors import not_supported, syntax_error
from localaws.athena.expression import Expr
from localaws.athena.expressions.translator import Expressions, translates
from localaws.athena.expressions.windows import aggregate_call


@translates(exp.Anonymous)
def _call(tx: Expressions, node: exp.Expr) -> Expr:
    name = str(node.this).lower()
    if aggregates.is_aggregate(name):
        return aggregate_call(tx, node, None)
    if aggregates.is_window(name):
        raise syntax_error(f"Window function {name} requires an OVER clause", tx.at(node))
    nodes = tuple(node.expressions)
    if any(isinstance(arg, (exp.Distinct, exp.Order)) for arg in nodes):
        raise syntax_error(f"DISTINCT or ORDER BY in a call of {name}", tx.at(node))
    args: tuple[Expr, ...] = ()
    if name not in functions.LAMBDA_FUNCTIONS:
        if not functions.is_known(name):
            raise not_supported(f"the function '{name}'", tx.at(node))
        args = tuple(tx.translate(arg) for arg in nodes)
    return functions.call_function(functions.Call(name, args, nodes, tx, tx.at(node)))


def _named_call(tx: Expressions, name: str, *nodes: exp.Expr | None) -> Expr:
    given = tuple(node for node in nodes if node is not None)
    args = tuple(tx.translate(node) for node in given)
    return functions.call_function(functions.Call(name, args, given, tx, tx.at(given[0])))


@translates(exp.StrPosition)
def _position(tx: Expressions, node: exp.Expr) -> Expr:
    return _named_call(tx, "strpos", node.this, node.args["substr"])


@translates(exp.Substring)
def _substring(tx: Expressions, node: exp.Expr) -> Expr:
    return _named_call(tx, "substr", node.this, node.args.get("start"), node.args.get("length"))


@translates(exp.Trim)
def _trim(tx: Expressions, node: exp.Expr) -> Expr:
    if node.expression is not None:
        raise not_supported("trim of given characters", tx.at(node))
    side = (node.args.get("position") or "BOTH").upper()
    return _named_call(
        tx, {"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}[side], node.this
    )


@translates(exp.Extract)
def _extract(tx: Expressions, node: exp.Expr) -> Expr:
    value = tx.translate(node.expression)
    call = functions.Call("extract", (value,), (), tx, tx.at(node))
    return functions.extract_field(node.name.lower(), value, call)
