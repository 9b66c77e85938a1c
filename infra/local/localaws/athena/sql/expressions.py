"""Expressions: names resolved, types checked, and what DuckDB would compute otherwise rewritten.

Only the kinds of syntax that a function here or in `operators`, `calls` and `aggregates` says it
`translates` are known; every other one is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sqlglot import exp

from localaws.athena.errors import Position, QueryError, not_supported, type_mismatch
from localaws.athena.sql import types
from localaws.athena.sql.functions import as_type, call, coerce
from localaws.athena.sql.parsing import position_of, shown
from localaws.athena.sql.scope import Scope, Shared, Value, column_not_found
from localaws.athena.sql.types import BOOLEAN, DATE, VARCHAR, Type


class Query(Protocol):
    """The query an expression stands in."""

    statement: str
    shared: Shared

    def subquery(self, node: exp.Expr, scope: Scope) -> list[Type]:
        """A query inside an expression, translated in place: the types of its columns."""


@dataclass(frozen=True, slots=True)
class Clause:
    """Where an expression stands, and so what it may contain."""

    name: str
    aggregates: bool = False
    windows: bool = False


Handler = Callable[["Expressions", exp.Expr], Value]
_HANDLERS: dict[type[exp.Expr], Handler] = {}


def translates(*kinds: type[exp.Expr]) -> Callable[[Handler], Handler]:
    """Make a function the translator of these kinds of syntax."""

    def add(handler: Handler) -> Handler:
        _HANDLERS.update(dict.fromkeys(kinds, handler))
        return handler

    return add


class Expressions:
    """Translates expressions in one scope and clause; the nodes given are used up."""

    def __init__(self, query: Query, scope: Scope, clause: Clause) -> None:
        self.query = query
        self.scope = scope
        self.clause = clause

    def value(self, node: exp.Expr) -> Value:
        """The expression; raises QueryError with the place of what is wrong."""
        handler = _HANDLERS.get(type(node))
        position = self.at(node)
        if handler is None:
            raise not_supported(f"'{shown(node)}'", position)
        try:
            return handler(self, node)
        except QueryError as error:
            raise error.at(position) from error.__cause__

    def boolean(self, node: exp.Expr, what: str) -> exp.Expr:
        """An expression that must be boolean."""
        found = self.value(node)
        if found.type not in (BOOLEAN, types.UNKNOWN):
            message = f"{what} must evaluate to a boolean: actual type {found.type}"
            raise type_mismatch(message, self.at(node))
        return coerce(found, BOOLEAN).node

    def order(self, order: exp.Expr) -> exp.Expr:
        """ORDER BY inside of an aggregate or a window."""
        for ordered in order.expressions:
            key = self.value(ordered.this)
            check_orderable(key.type)
            ordered.set("this", key.node)
        return order

    def at(self, node: exp.Expr) -> Position | None:
        """Where something stands."""
        return position_of(self.query.statement, node)

    def within(self, clause: Clause) -> Expressions:
        """The same scope in another clause."""
        return Expressions(self.query, self.scope, clause)


def check_orderable(kind: Type) -> None:
    """Raise QueryError for a type that cannot be sorted."""
    if not types.is_orderable(kind):
        raise type_mismatch(
            f"Type {kind} is not orderable, and therefore cannot be used in ORDER BY"
        )


# --- Names and literals ---------------------------------------------------------------------------


@translates(exp.Column)
def _column(tx: Expressions, node: exp.Expr) -> Value:
    *qualifier, name = (part.name for part in node.parts)  # type: ignore[attr-defined]
    if not qualifier and name in tx.scope.outputs:
        found = tx.scope.outputs[name]
        return Value(found.node.copy(), found.type)
    scope: Scope | None = tx.scope
    while scope is not None:
        known = [
            one
            for alias, one in scope.sources.items()
            if name in one.columns and qualifier in ([], [alias])
        ]
        if len(known) > 1:
            message = f"Column '{name}' is ambiguous"
            raise QueryError("AMBIGUOUS_NAME", message)
        if known:
            if known[0].table is not None:
                tx.query.shared.used[known[0].table].add(name)
            found = known[0].columns[name]
            return Value(found.node.copy(), found.type)
        scope = None if qualifier and qualifier[0] in scope.sources else scope.parent
    raise column_not_found(".".join((*qualifier, name)))


@translates(exp.Dot)
def _dot(tx: Expressions, node: exp.Expr) -> Value:
    return _field(tx.value(node.this), node.expression.name.lower())


def _field(value: Value, name: str) -> Value:
    """A field of a row."""
    if value.type.base != "row":
        raise type_mismatch(f"Expression of type {value.type} is not of type ROW")
    if name not in value.type.names:
        raise column_not_found(name)
    kind = value.type.args[value.type.names.index(name)]
    return Value(call("struct_extract", value.node, name), kind)


@translates(exp.Literal)
def _literal(_tx: Expressions, node: exp.Expr) -> Value:
    if node.args["is_string"]:
        if "\0" in node.name:
            raise not_supported("a NUL character in a string literal")
        return Value(exp.Literal.string(node.name), VARCHAR)
    return number_literal(node.name)


def number_literal(digits: str) -> Value:
    digits = digits.lower()
    if digits.isdecimal():
        kind = types.INTEGER if int(digits) < 2**31 else types.BIGINT
        if int(digits) >= 2**63:
            raise QueryError("INVALID_LITERAL", f"Invalid numeric literal: {digits}")
        return Value(as_type(exp.Literal.number(int(digits)), kind), kind)
    if "e" in digits:
        return Value(as_type(exp.Literal.string(repr(float(digits))), types.DOUBLE), types.DOUBLE)
    whole, _, fraction = digits.partition(".")
    precision = max(1, len(whole.lstrip("0")) + len(fraction))
    if precision > types.MAX_DECIMAL or not (whole + fraction).isdecimal():
        raise QueryError("INVALID_LITERAL", f"Invalid decimal literal: {digits}")
    kind = types.decimal(precision, len(fraction))
    return Value(as_type(exp.Literal.string(f"{whole or 0}.{fraction}"), kind), kind)


@translates(exp.Boolean)
def _truth(_tx: Expressions, node: exp.Expr) -> Value:
    return Value(node, BOOLEAN)


@translates(exp.Null)
def _null(_tx: Expressions, node: exp.Expr) -> Value:
    return Value(node, types.UNKNOWN)


@translates(exp.Paren)
def _paren(tx: Expressions, node: exp.Expr) -> Value:
    found = tx.value(node.this)
    return found if found.literal is not None else Value(exp.Paren(this=found.node), found.type)


@translates(exp.HexString)
def _hex(_tx: Expressions, node: exp.Expr) -> Value:
    return Value(call("unhex", node.name), types.VARBINARY)


@translates(exp.CurrentTimestamp, exp.CurrentDate)
def now(tx: Expressions, node: exp.Expr) -> Value:
    if node.args.get("this") is not None:
        raise not_supported(f"'{shown(node)}'")
    now = tx.query.shared.now
    stamp = str(now.replace(microsecond=now.microsecond // 1000 * 1000))
    node_ = as_type(exp.Literal.string(stamp), types.TIMESTAMP)
    if isinstance(node, exp.CurrentDate):
        return Value(as_type(node_, DATE), DATE)
    return Value(node_, types.TIMESTAMP_TZ)
