"""Comparison, logic and arithmetic, with Trino's types and errors."""

from __future__ import annotations

from sqlglot import exp

from localaws.athena.errors import QueryError, not_supported, syntax_error, type_mismatch
from localaws.athena.sql import types
from localaws.athena.sql.expressions import Expressions, translates
from localaws.athena.sql.functions import as_type, call, coerce, scalar
from localaws.athena.sql.parsing import shown
from localaws.athena.sql.scope import Value
from localaws.athena.sql.types import BOOLEAN, VARCHAR, Type


@translates(exp.And, exp.Or)
def _logic(tx: Expressions, node: exp.Expr) -> Value:
    """AND and OR, without recursing over the length of a chain."""
    kind = type(node)
    operands: list[exp.Expr] = []
    rest = [node]
    while rest:
        current = rest.pop()
        if type(current) is kind:
            rest.extend((current.expression, current.this))
        else:
            operands.append(current)
    word = "AND" if kind is exp.And else "OR"
    found = [tx.boolean(one, f"Logical expression {word}") for one in operands]
    result = found[0]
    for one in found[1:]:
        result = kind(this=result, expression=one)
    return Value(exp.Paren(this=result), BOOLEAN)


@translates(exp.Not)
def _not(tx: Expressions, node: exp.Expr) -> Value:
    return Value(exp.Not(this=exp.Paren(this=tx.boolean(node.this, "NOT operand"))), BOOLEAN)


_OPERATORS: dict[type[exp.Expr], str] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
    exp.Mod: "%",
    exp.NullSafeEQ: "IS DISTINCT FROM",
    exp.NullSafeNEQ: "IS DISTINCT FROM",
}


@translates(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ)
def comparison(tx: Expressions, node: exp.Expr) -> Value:
    one, other = _comparable(tx, [node.this, node.expression], _OPERATORS[type(node)])
    if isinstance(node, (exp.LT, exp.LTE, exp.GT, exp.GTE)) and not types.is_orderable(one.type):
        raise _inapplicable(one.type, _OPERATORS[type(node)], other.type)
    result: exp.Expr = type(node)(this=one.node, expression=other.node)
    return Value(exp.Paren(this=result), BOOLEAN)


def _inapplicable(left: Type, operator: str, right: Type) -> QueryError:
    return type_mismatch(f"Cannot apply operator: {left} {operator} {right}")


def _comparable(tx: Expressions, nodes: list[exp.Expr], operator: str) -> list[Value]:
    """Values of one type that can be compared; raises QueryError."""
    values = [tx.value(node) for node in nodes]
    kind = values[0].type
    for value in values[1:]:
        common = types.common_type(kind, value.type)
        if common is None:
            raise _inapplicable(kind, operator, value.type)
        kind = common
    if kind.args:
        # Trino's answer is NULL for a NULL inside, DuckDB compares it.
        raise not_supported(f"comparing values of type {kind} with {operator}")
    return [coerce(value, kind) for value in values]


@translates(exp.Is)
def _is(tx: Expressions, node: exp.Expr) -> Value:
    if not isinstance(node.expression, exp.Null):
        raise not_supported(f"'{shown(node)}'")
    return Value(
        exp.Paren(this=exp.Is(this=tx.value(node.this).node, expression=exp.Null())), BOOLEAN
    )


@translates(exp.Between)
def _between(tx: Expressions, node: exp.Expr) -> Value:
    if node.args.get("symmetric"):
        raise not_supported(f"'{shown(node)}'")
    parts = [node.this, node.args["low"], node.args["high"]]
    one, low, high = _comparable(tx, parts, "BETWEEN")
    result = exp.Between(this=one.node, low=low.node, high=high.node)
    return Value(exp.Paren(this=result), BOOLEAN)


@translates(exp.In)
def _in(tx: Expressions, node: exp.Expr) -> Value:
    query = node.args.get("query")
    if query is None:
        if not node.expressions or node.args.get("field") or node.args.get("unnest"):
            raise syntax_error(f"mismatched input in '{shown(node)}'")
        one, *choices = _comparable(tx, [node.this, *node.expressions], "IN")
        inside = exp.In(this=one.node, expressions=[value.node for value in choices])
        return Value(exp.Paren(this=inside), BOOLEAN)
    value = tx.value(node.this)
    kinds = tx.query.subquery(query.this, tx.scope)
    if kinds != [value.type] or value.type.args or value.type in types.FLOATS:
        shown_types = ", ".join(map(str, kinds))
        if len(kinds) == 1 and types.common_type(value.type, kinds[0]) is None:
            raise type_mismatch(
                f"Value expression and result of subquery must be of the same type: {value.type} "
                f"vs {shown_types}"
            )
        raise not_supported(f"{value.type} IN a subquery of ({shown_types})")
    inside = exp.In(this=value.node, query=exp.Subquery(this=query.this))
    return Value(exp.Paren(this=inside), BOOLEAN)


@translates(exp.Like)
def _like(tx: Expressions, node: exp.Expr) -> Value:
    values = [tx.value(node.this), tx.value(node.expression)]
    for value in values:
        if value.type not in (VARCHAR, types.UNKNOWN):
            raise type_mismatch(
                f"Left side of LIKE expression must evaluate to a varchar (actual: {value.type})"
            )
    text, pattern = (coerce(value, VARCHAR).node for value in values)
    return Value(exp.Paren(this=exp.Like(this=text, expression=pattern)), BOOLEAN)


@translates(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod)
def _arithmetic(tx: Expressions, node: exp.Expr) -> Value:
    operator = _OPERATORS[type(node)]
    left, right = tx.value(node.this), tx.value(node.expression)
    kind = types.common_type(left.type, right.type)
    if kind is not None and types.is_number(kind):
        if kind.base == "decimal":
            shown_ = f"{left.type} {operator} {right.type}"
            raise not_supported(f"{shown_} (cast them to double)")
        one, other = coerce(left, kind).node, coerce(right, kind).node
        if operator == "%":
            if kind in types.FLOATS:
                raise not_supported(f"{kind} % {kind}")
            return Value(as_type(call("t_modulus", one, other), kind), kind)
        if operator == "/" and kind in types.INTEGERS:
            return Value(as_type(exp.IntDiv(this=one, expression=other), kind), kind)
        made = type(node)(this=one, expression=other)
        if operator == "/":
            made = exp.Div(this=one, expression=other, typed=False, safe=False)
        return Value(as_type(made, kind), kind)
    raise _inapplicable(left.type, operator, right.type)


@translates(exp.Neg)
def _negative(tx: Expressions, node: exp.Expr) -> Value:
    found = tx.value(node.this)
    if not types.is_number(found.type):
        raise type_mismatch(f"Cannot negate {found.type}")
    return Value(exp.Paren(this=exp.Neg(this=exp.Paren(this=found.node))), found.type)


@translates(exp.DPipe)
def _concatenation(tx: Expressions, node: exp.Expr) -> Value:
    operands, rest = [], node
    while isinstance(rest, exp.DPipe):
        operands.append(rest.expression)
        rest = rest.this
    values = [tx.value(one) for one in (rest, *reversed(operands))]
    return scalar("concat", values)
