"""Columns and the fields of rows."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from localaws.athena import casts
from localaws.athena.errors import not_supported, syntax_error
from localaws.athena.expression import Expr
from localaws.athena.expressions.translator import Expressions, shown, translates


@translates(exp.Column, exp.Identifier)
def _column(tx: Expressions, node: exp.Expr) -> Expr:
    parts = [part.name for part in _parts(node)]
    return _resolve(tx, parts, node)


def _resolve(tx: Expressions, parts: Sequence[str], node: exp.Expr) -> Expr:
    found = tx.scope.resolve([part.lower() for part in parts], tx.at(node))
    if found is None:
        raise syntax_error(f"Column '{'.'.join(parts)}' cannot be resolved", tx.at(node))
    value, taken = found
    for part in parts[taken:]:
        value = _field(tx, value, part, node)
    return value


def _field(tx: Expressions, base: Expr, name: str, node: exp.Expr) -> Expr:
    if base.type.base != "row":
        raise syntax_error(f"Expression {shown(node)} is not of type ROW", tx.at(node))
    places = [index for index, field in enumerate(base.type.names) if field == name.lower()]
    if len(places) != 1:
        problem = "Ambiguous row field reference" if places else "Column"
        tail = "" if places else " cannot be resolved"
        raise syntax_error(f"{problem} '{name}'{tail}", tx.at(node))
    return casts.field_of(base, places[0])


@translates(exp.Dot)
def _dot(tx: Expressions, node: exp.Expr) -> Expr:
    if not isinstance(node.expression, exp.Identifier):
        raise not_supported(f"'{shown(node)}'", tx.at(node))
    parts = _dotted(node)
    if parts is not None:
        return _resolve(tx, parts, node)
    return _field(tx, tx.translate(node.this), node.expression.name, node)


def _parts(node: exp.Expr) -> list[exp.Expr]:
    """The identifiers of a column reference, outermost first."""
    if isinstance(node, exp.Identifier):
        return [node]
    names = ("catalog", "db", "table", "this")
    return [node.args[name] for name in names if node.args.get(name) is not None]


def _dotted(node: exp.Expr) -> list[str] | None:
    """The names of ``a.b.c…`` when it is nothing but names."""
    if isinstance(node, exp.Dot):
        head = _dotted(node.this)
        if head is None or not isinstance(node.expression, exp.Identifier):
            return None
        return [*head, node.expression.name]
    if isinstance(node, (exp.Column, exp.Identifier)):
        return [part.name for part in _parts(node)]
    return None
