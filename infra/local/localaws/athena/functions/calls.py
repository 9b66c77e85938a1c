"""One call of a scalar function, and what its handler may ask of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlglot import exp

from localaws.athena import casts, types
from localaws.athena.errors import Position, QueryError, not_supported, syntax_error
from localaws.athena.expression import Expr
from localaws.athena.types import Type, can_coerce


class Translator(Protocol):
    """What a function that evaluates its arguments itself needs."""

    def translate(self, node: exp.Expr) -> Expr:
        """The expression in the current scope."""

    def lambda_body(self, node: exp.Expr, *parameters: Type) -> tuple[tuple[str, ...], Expr]:
        """The parameter names and the body of a lambda whose parameters have these types."""

    @property
    def now(self) -> Expr:
        """The start of the query, as timestamp(3) with time zone."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: `args` are translated, `nodes` are not."""

    name: str
    args: tuple[Expr, ...]
    nodes: tuple[exp.Expr, ...]
    translator: Translator
    position: Position | None

    def mismatch(self, expected: str) -> QueryError:
        """The error for arguments of the wrong number or type."""
        given = ", ".join(str(arg.type) for arg in self.args)
        return syntax_error(
            f"Unexpected parameters ({given}) for function {self.name}. Expected: {expected}",
            self.position,
        )

    def arg(self, index: int, kind: Type) -> Expr:
        """An argument widened to `kind`; raises QueryError when it is something else."""
        if index >= len(self.args) or not can_coerce(self.args[index].type, kind):
            raise self.mismatch(f"{self.name}(… {kind} …)")
        return casts.coerce(self.args[index], kind)

    def literal(self, index: int, what: str) -> str:
        """A string argument that must be a literal."""
        value = self.args[index].literal if index < len(self.args) else None
        if not isinstance(value, str):
            raise not_supported(f"{self.name} whose {what} is not a literal", self.position)
        return value

    def count(self, *allowed: int) -> None:
        """Refuse any other number of arguments."""
        if len(self.args) not in allowed:
            raise self.mismatch(f"{' or '.join(map(str, allowed))} arguments")


def unified(args: Sequence[Expr], what: str, position: Position | None) -> list[Expr]:
    """The arguments widened to their common type; raises QueryError when there is none."""
    kind = args[0].type
    for arg in args[1:]:
        common = types.common_type(kind, arg.type)
        if common is None:
            raise syntax_error(f"{what} must be the same type: {kind}", position)
        kind = common
    return [casts.coerce(arg, kind) for arg in args]
