"""Translating expressions: dispatch by kind of syntax; what has no translator is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sqlglot import exp

from localaws.athena import casts, types
from localaws.athena.errors import Position, not_supported, syntax_error
from localaws.athena.expression import Expr
from localaws.athena.parsing import position_of
from localaws.athena.scope import Scope
from localaws.athena.sql import Sql, compose, join, text
from localaws.athena.types import BOOLEAN, Type


class Query(Protocol):
    """The query an expression stands in."""

    @property
    def statement(self) -> str:
        """The statement's text, for positions."""

    @property
    def now(self) -> Expr:
        """The start of the query, as timestamp(3) with time zone."""

    def subquery(self, node: exp.Expr, scope: Scope) -> tuple[Sql, tuple[Type, ...]]:
        """A nested query as DuckDB text, and the types of its columns."""

    def unique(self, prefix: str) -> str:
        """A name used nowhere else in the statement."""


@dataclass(frozen=True, slots=True)
class Clause:
    """Where an expression stands, and so what it may contain."""

    name: str
    aggregates: bool = False
    windows: bool = False


Translator = Callable[["Expressions", exp.Expr], Expr]

_TRANSLATORS: dict[type[exp.Expr], Translator] = {}


def translates(*kinds: type[exp.Expr]) -> Callable[[Translator], Translator]:
    """Register the translator of these kinds of syntax."""

    def add(translator: Translator) -> Translator:
        _TRANSLATORS.update(dict.fromkeys(kinds, translator))
        return translator

    return add


class Expressions:
    """Translates expressions in one scope and clause."""

    def __init__(self, query: Query, scope: Scope, clause: Clause) -> None:
        self.query = query
        self.scope = scope
        self.clause = clause

    @property
    def now(self) -> Expr:
        """The start of the query, as timestamp(3) with time zone."""
        return self.query.now

    def translate(self, node: exp.Expr) -> Expr:
        """The expression; raises QueryError with the place of what is wrong."""
        handler = _TRANSLATORS.get(type(node))
        if handler is None:
            raise not_supported(f"'{shown(node)}'", self.at(node))
        return handler(self, node)

    def boolean(self, node: exp.Expr, what: str) -> Expr:
        """An expression that must be boolean."""
        found = self.translate(node)
        if found.type not in (BOOLEAN, types.UNKNOWN):
            raise syntax_error(
                f"{what} must evaluate to a boolean: actual type {found.type}", self.at(node)
            )
        return casts.coerce(found, BOOLEAN)

    def lambda_body(self, node: exp.Expr, *parameters: Type) -> tuple[tuple[str, ...], Expr]:
        """See `functions.Translator`."""
        if not isinstance(node, exp.Lambda) or len(node.expressions) != len(parameters):
            raise syntax_error(
                f"Expected a lambda that takes {len(parameters)} argument(s)", self.at(node)
            )
        names = tuple(self.query.unique("l") for _ in parameters)
        bound = {
            identifier.name.lower(): Expr(text(name), kind)
            for identifier, name, kind in zip(node.expressions, names, parameters, strict=True)
        }
        inner = Expressions(self.query, self.scope.with_parameters(bound), Clause("lambda"))
        return names, inner.translate(node.this)

    def at(self, node: exp.Expr) -> Position | None:
        return position_of(self.query.statement, node)

    # --- Names and literals ---

    def order_by(self, order: exp.Expr) -> Sql:
        """``ORDER BY …`` with Trino's default: NULLs last, whatever the direction."""
        items = []
        for ordered in order.expressions:
            key = self.translate(ordered.this)
            if not types.is_orderable(key.type):
                raise syntax_error(
                    f"Type {key.type} is not orderable, and therefore cannot be used in ORDER BY",
                    self.at(ordered),
                )
            items.append(compose("{}" + direction(ordered), key.sql))
        return compose("ORDER BY {}", join(", ", items))


def direction(ordered: exp.Expr) -> str:
    """`` ASC|DESC NULLS FIRST|LAST``."""
    way = "DESC" if ordered.args.get("desc") else "ASC"
    return f" {way} NULLS {'FIRST' if ordered.args.get('nulls_first') else 'LAST'}"


def shown(node: exp.Expr) -> str:
    """A piece of syntax for a message, cut to a line."""
    text = node.sql("trino")
    return text if len(text) <= 80 else text[:77] + "..."


def flattened(node: exp.Expr, kind: type[exp.Expr]) -> list[exp.Expr]:
    """The operands of a chain of one operator, without recursing over its length."""
    operands: list[exp.Expr] = []
    rest: list[exp.Expr] = [node]
    while rest:
        current = rest.pop()
        if type(current) is kind:
            rest.extend((current.expression, current.this))
        else:
            operands.append(current)
    return operands
