"""Names: what a column reference means at one place of a query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from localaws.athena.errors import Position, syntax_error
from localaws.athena.expression import Expr


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a relation in scope.

    `name` is as written where it was named (None: it has none); `qualifier` the names that may
    precede it, innermost last (``(catalog, database, table)`` or ``(alias,)``); a hidden field
    is found by name but not by ``*``.
    """

    name: str | None
    expr: Expr
    qualifier: tuple[str, ...] = ()
    hidden: bool = False

    def answers_to(self, qualifier: Sequence[str], name: str) -> bool:
        """Whether ``qualifier.name`` (lower case) means this field."""
        if self.name is None or self.name.lower() != name:
            return False
        if not qualifier:
            return True
        return len(qualifier) <= len(self.qualifier) and (
            tuple(part.lower() for part in self.qualifier[-len(qualifier) :]) == tuple(qualifier)
        )


@dataclass(frozen=True, slots=True)
class Scope:
    """The fields in scope, the scope of the enclosing query, and lambda parameters."""

    fields: tuple[Field, ...] = ()
    parent: Scope | None = None
    parameters: Mapping[str, Expr] = field(default_factory=dict)

    def resolve(self, parts: Sequence[str], position: Position | None) -> tuple[Expr, int] | None:
        """The longest prefix of `parts` (lower case) that is a column, and how many parts it took.

        None when there is none here or outside; raises QueryError when it is ambiguous.
        """
        if parts[0] in self.parameters:
            return self.parameters[parts[0]], 1
        for taken in range(len(parts), 0, -1):
            qualifier, name = parts[: taken - 1], parts[taken - 1]
            found = [one for one in self.fields if one.answers_to(qualifier, name)]
            if len(found) > 1:
                raise syntax_error(f"Column '{'.'.join(parts[:taken])}' is ambiguous", position)
            if found:
                return found[0].expr, taken
        return self.parent.resolve(parts, position) if self.parent else None

    def with_parameters(self, parameters: Mapping[str, Expr]) -> Scope:
        """The same scope inside a lambda."""
        return Scope(self.fields, self.parent, {**self.parameters, **parameters})
