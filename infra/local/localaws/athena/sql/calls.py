"""Functions, CASE, casts, subscripts and subqueries in expressions."""

from __future__ import annotations

import re

from sqlglot import exp

from localaws.athena.errors import not_supported
from localaws.athena.sql import types
from localaws.athena.sql.aggregates import aggregate
from localaws.athena.sql.expressions import Expressions, now, number_literal, translates
from localaws.athena.sql.functions import as_type, call, cast, is_known, scalar, unified
from localaws.athena.sql.operators import comparison
from localaws.athena.sql.parsing import LITERAL, shown
from localaws.athena.sql.scope import Value
from localaws.athena.sql.types import BOOLEAN, VARCHAR, Type


@translates(exp.Case, exp.If)
def _case(tx: Expressions, node: exp.Expr) -> Value:
    branches = [node] if isinstance(node, exp.If) else node.args["ifs"]
    default = node.args.get("false") or node.args.get("default")
    subject = None if isinstance(node, exp.If) else node.this
    conditions = [
        tx.boolean(branch.this, "CASE WHEN clause")
        if subject is None
        else comparison(tx, exp.EQ(this=subject.copy(), expression=branch.this)).node
        for branch in branches
    ]
    results = [tx.value(branch.args["true"]) for branch in branches]
    results.append(tx.value(default) if default is not None else Value(exp.Null(), types.UNKNOWN))
    *results, last = unified(results, "All CASE results")
    ifs = [exp.If(this=c, true=r.node) for c, r in zip(conditions, results, strict=True)]
    return Value(exp.Case(ifs=ifs, default=last.node), last.type)


@translates(exp.Cast)
def _cast(tx: Expressions, node: exp.Expr) -> Value:
    inner = node.this
    if node.meta.get(LITERAL):
        return _typed_literal(inner.name, node.args["to"])
    return cast(tx.value(inner), types.parse_sql(node.args["to"]))


_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.(\d{1,6}))?( UTC| Z)?", re.ASCII)


def _typed_literal(text: str, written: exp.DataType) -> Value:
    """``DATE '…'`` and the like; a TIMESTAMP has the precision and the zone written in it."""
    if written.this == exp.DType.DECIMAL:
        return number_literal(text)
    if written.this not in (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ):
        return cast(Value(exp.Literal.string(text), VARCHAR), types.parse_sql(written))
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise not_supported(f"the timestamp '{text}', as it is written,")
    kind = Type(types.ZONED if match[2] else "timestamp", (len(match[1] or ""),))
    node = exp.Literal.string(text.removesuffix(match[2] or ""))
    return Value(as_type(node, kind), kind)


@translates(exp.Coalesce)
def _coalesce(tx: Expressions, node: exp.Expr) -> Value:
    """What sqlglot makes of a column that USING names."""
    values = [tx.value(one) for one in (node.this, *node.expressions)]
    return scalar("coalesce", values)


@translates(exp.Anonymous)
def _call(tx: Expressions, node: exp.Expr) -> Value:
    name = str(node.this).lower()
    if is_known(f"aggregate:{name}") or is_known(f"window:{name}"):
        return aggregate(tx, node)
    if name == "now" and not node.expressions:
        return now(tx, exp.CurrentTimestamp())
    return scalar(name, [tx.value(one) for one in node.expressions])


_TRIMS = {"LEADING": "ltrim", "TRAILING": "rtrim"}


@translates(exp.Extract, exp.StrPosition, exp.Substring, exp.Trim)
def _written_otherwise(tx: Expressions, node: exp.Expr) -> Value:
    """Syntax that is another way to write a call."""
    name, keys = "strpos", ["this", "substr"]
    if isinstance(node, exp.Extract):
        name, keys = node.this.name.lower(), ["expression"]
    elif isinstance(node, exp.Substring):
        name, keys = "substr", ["this", "start", "length"]
    elif isinstance(node, exp.Trim):
        name, keys = _TRIMS.get(str(node.args.get("position") or ""), "trim"), ["this"]
        if node.args.get("expression") is not None:
            raise not_supported(f"'{shown(node)}'")
    args = [tx.value(node.args[key]) for key in keys if node.args.get(key) is not None]
    return scalar(name, args)


@translates(exp.Array)
def _array(tx: Expressions, node: exp.Expr) -> Value:
    values = [tx.value(one) for one in node.expressions]
    if not values:
        raise not_supported("an empty ARRAY")
    values = unified(values, "All ARRAY elements")
    return Value(call("list_value", *(one.node for one in values)), types.array(values[0].type))


@translates(exp.Bracket)
def _subscript(tx: Expressions, node: exp.Expr) -> Value:
    if len(node.expressions) != 1:
        raise not_supported(f"'{shown(node)}'")
    values = [tx.value(node.this), tx.value(node.expressions[0])]
    return scalar("subscript", values)


@translates(exp.Subquery)
def _subquery(tx: Expressions, node: exp.Expr) -> Value:
    kinds = tx.query.subquery(node.this, tx.scope)
    if len(kinds) != 1:
        raise not_supported(f"a subquery of {len(kinds)} columns in an expression")
    return Value(exp.Subquery(this=node.this), kinds[0])


@translates(exp.Exists)
def _exists(tx: Expressions, node: exp.Expr) -> Value:
    tx.query.subquery(node.this, tx.scope)
    return Value(exp.Exists(this=node.this), BOOLEAN)
