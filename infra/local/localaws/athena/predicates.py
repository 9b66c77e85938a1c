"""Conditions of a query in the form in which `pruning` moves them."""

from __future__ import annotations

from sqlglot import exp

from localaws.athena.expression import Expr
from localaws.athena.expressions import Expressions
from localaws.athena.pruning import (
    AllOf,
    AnyOf,
    Leaf,
    Predicate,
)
from localaws.athena.sql import Ref


def predicates_of(node: exp.Expr, expressions: Expressions) -> list[Predicate]:
    """What a condition says that can be moved elsewhere."""
    found = _predicate(node, expressions)
    return [] if found is None else [found]


def _predicate(node: exp.Expr, expressions: Expressions) -> Predicate | None:
    """What a condition says that can be moved; None when nothing can."""
    if isinstance(node, exp.Paren):
        return _predicate(node.this, expressions)
    if isinstance(node, (exp.And, exp.Or)):
        parts = [_predicate(side, expressions) for side in (node.this, node.expression)]
        kept = tuple(part for part in parts if part is not None)
        if isinstance(node, exp.And):
            return AllOf(kept) if kept else None
        return AnyOf(kept) if len(kept) == 2 else None
    if node.find(exp.Query, exp.Lambda) is not None:
        return None
    condition = expressions.boolean(node, "WHERE clause")
    if not condition.movable:
        return None
    return _leaf(condition, node, expressions)


def _leaf(condition: Expr, node: exp.Expr, expressions: Expressions) -> Leaf:
    """A condition, and what it says if it is of the form ``column = …`` or ``column IN …``."""
    if isinstance(node, exp.EQ):
        sides = [expressions.translate(side) for side in (node.this, node.expression)]
        columns = [_column_of(side) for side in sides]
        if sides[0].type == sides[1].type and columns[0] and columns[1]:
            return Leaf(condition.sql, equal=(columns[0], columns[1]))
        if isinstance(sides[0].literal, str):
            sides.reverse()
        column, values = _column_of(sides[0]), sides[1:]
    elif isinstance(node, exp.In):
        column = _column_of(expressions.translate(node.this))
        values = [expressions.translate(value) for value in node.expressions]
    else:
        return Leaf(condition.sql)
    literals = [value.literal for value in values]
    if column is None or not all(isinstance(one, str) for one in literals):
        return Leaf(condition.sql)
    return Leaf(condition.sql, values=(column, frozenset(str(one) for one in literals)))


def _column_of(expr: Expr) -> Ref | None:
    """The column an expression is, if it is nothing else."""
    parts = expr.sql.parts
    return parts[0] if len(parts) == 1 and isinstance(parts[0], Ref) else None
