"""Which partitions a query can need: predicates moved from where they stand down to the tables.

Everything here is sound before it is clever: a predicate is moved only where keeping or dropping
it cannot change the result, and one that cannot be followed is left out, so that more is read.

A predicate is about columns (`sql.Ref`). Moving it through a subquery replaces each reference by
the expression the subquery gives it; at a table only what speaks of nothing but partition columns
is kept. Rows for which it is not true are filtered out later anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from localaws.athena.sql import Ref, Sql

# A CTE named more often than this is read without pruning, so that chains of CTEs stay cheap.
_MAX_USES = 32


@dataclass(frozen=True, slots=True)
class Leaf:
    """A condition as DuckDB text.

    `values` if it says that a column is one of these strings, `equal` if it says that two columns
    of one type are equal.
    """

    sql: Sql
    values: tuple[Ref, frozenset[str]] | None = None
    equal: tuple[Ref, Ref] | None = None

    def moved(self, mapping: Mapping[Ref, Sql]) -> Leaf:
        """The same condition with references replaced."""
        values = equal = None
        if self.values is not None:
            column = _renamed(self.values[0], mapping)
            values = None if column is None else (column, self.values[1])
        if self.equal is not None:
            left, right = (_renamed(column, mapping) for column in self.equal)
            equal = None if left is None or right is None else (left, right)
        return Leaf(self.sql.replace(mapping), values, equal)


def _renamed(column: Ref, mapping: Mapping[Ref, Sql]) -> Ref | None:
    """The column that stands for `column`; None when it is an expression."""
    parts = mapping.get(column, Sql((column,))).parts
    return parts[0] if len(parts) == 1 and isinstance(parts[0], Ref) else None


@dataclass(frozen=True, slots=True)
class AllOf:
    """AND."""

    parts: tuple[Predicate, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """OR."""

    parts: tuple[Predicate, ...]


Predicate = Leaf | AllOf | AnyOf


def implied(predicate: Predicate, change: Callable[[Leaf], Leaf | None]) -> Predicate | None:
    """The part of `predicate` that remains when `change` drops (None) or rewrites its conditions.

    What is returned is implied by the predicate; None when nothing is.
    """
    if isinstance(predicate, Leaf):
        return change(predicate)
    parts = [implied(part, change) for part in predicate.parts]
    if isinstance(predicate, AnyOf):
        if any(part is None for part in parts):
            return None
        return AnyOf(tuple(part for part in parts if part is not None))
    kept = tuple(part for part in parts if part is not None)
    return AllOf(kept) if kept else None


def all_implied(
    predicates: Iterable[Predicate], change: Callable[[Leaf], Leaf | None]
) -> list[Predicate]:
    """What remains of each."""
    found = (implied(predicate, change) for predicate in predicates)
    return [predicate for predicate in found if predicate is not None]


class Plan(Protocol):
    """A part of the query that rows come from."""

    def constrain(self, predicates: Sequence[Predicate]) -> None:
        """Once for every use: of its rows, only those for which all `predicates` are true count."""


@dataclass(slots=True)
class Nothing:
    """Rows that come from no table."""

    def constrain(self, predicates: Sequence[Predicate]) -> None:
        """Nothing to read."""


@dataclass(slots=True)
class TablePlan:
    """One use of a table in the text; `uses` collects what each execution of it needs."""

    alias: str
    partition_columns: frozenset[str]
    uses: list[list[Predicate]] = field(default_factory=list)

    def constrain(self, predicates: Sequence[Predicate]) -> None:
        """Keep what speaks of partition columns only."""
        self.uses.append(all_implied(predicates, self._own))

    def _own(self, leaf: Leaf) -> Leaf | None:
        own = all(
            ref.relation == self.alias and ref.column in self.partition_columns
            for ref in leaf.sql.refs()
        )
        return leaf if own else None


@dataclass(slots=True)
class JoinPlan:
    """A join; `left_names` and `right_names` are the relations on either side."""

    left: Plan
    right: Plan
    side: str
    condition: Sequence[Predicate]
    left_names: frozenset[str]
    right_names: frozenset[str]

    def constrain(self, predicates: Sequence[Predicate]) -> None:
        """A side that may be filled with NULLs takes only what a match needs.

        A match needs the join's condition, and of a column that must equal one of the other side
        whatever is said of that one.
        """
        of_rows = list(predicates)
        of_matches = [*of_rows, *self.condition]
        equal = self._equal_columns(of_matches if self.side == "INNER" else self.condition)
        to_right = {left: Sql((right,)) for left, right in equal}
        to_left = {right: Sql((left,)) for left, right in equal}
        left: list[Predicate] = []
        right: list[Predicate] = []
        match self.side:
            case "INNER":
                left = [*of_matches, *all_implied(of_matches, _said_of(to_left))]
                right = [*of_matches, *all_implied(of_matches, _said_of(to_right))]
            case "LEFT":
                left = of_rows
                of_left = all_implied(of_matches, _about(self.left_names))
                right = [*self.condition, *all_implied(of_left, _said_of(to_right))]
            case "RIGHT":
                right = of_rows
                of_right = all_implied(of_matches, _about(self.right_names))
                left = [*self.condition, *all_implied(of_right, _said_of(to_left))]
        self.left.constrain(all_implied(left, _about(self.left_names)))
        self.right.constrain(all_implied(right, _about(self.right_names)))

    def _equal_columns(self, predicates: Sequence[Predicate]) -> list[tuple[Ref, Ref]]:
        """Columns of the left and the right side that these predicates say are equal."""
        found = []
        for leaf in conjuncts(predicates):
            if leaf.equal is None:
                continue
            one, other = leaf.equal
            if one.relation in self.left_names and other.relation in self.right_names:
                found.append((one, other))
            elif other.relation in self.left_names and one.relation in self.right_names:
                found.append((other, one))
        return found


def conjuncts(predicates: Iterable[Predicate]) -> Iterable[Leaf]:
    """The conditions that must all be true."""
    for predicate in predicates:
        if isinstance(predicate, Leaf):
            yield predicate
        elif isinstance(predicate, AllOf):
            yield from conjuncts(predicate.parts)


def _said_of(mapping: Mapping[Ref, Sql]) -> Callable[[Leaf], Leaf | None]:
    """What is said of the mapped columns only, said of what they are mapped to."""

    def change(leaf: Leaf) -> Leaf | None:
        refs = list(leaf.sql.refs())
        return leaf.moved(mapping) if refs and all(ref in mapping for ref in refs) else None

    return change


def _about(names: frozenset[str]) -> Callable[[Leaf], Leaf | None]:
    return lambda leaf: leaf if all(ref.relation in names for ref in leaf.sql.refs()) else None


OUTPUT = ""
"""The relation name of a query's own columns in predicates about it."""


@dataclass(slots=True)
class SelectPlan:
    """One SELECT: `outputs` gives each column's expression over `source`, if it may be moved.

    `transparent` says whether a condition on these expressions may be checked before grouping,
    windows and LIMIT.
    """

    source: Plan
    where: Sequence[Predicate]
    outputs: Mapping[str, Sql]
    transparent: Callable[[Sql], bool]

    def constrain(self, predicates: Sequence[Predicate]) -> None:
        """Its own WHERE and what is said of its columns."""
        self.source.constrain([*self.where, *all_implied(predicates, self._inner)])

    def _inner(self, leaf: Leaf) -> Leaf | None:
        mapping: dict[Ref, Sql] = {}
        for ref in leaf.sql.refs():
            expression = self.outputs.get(ref.column) if ref.relation == OUTPUT else None
            if expression is None or not self.transparent(expression):
                return None
            mapping[ref] = expression
        return leaf.moved(mapping) if mapping else None


@dataclass(slots=True)
class UnionPlan:
    """A set operation: each side with the expression it gives every output column."""

    sides: Sequence[tuple[Plan, Mapping[str, Sql]]]
    open: bool

    def constrain(self, predicates: Sequence[Predicate]) -> None:
        """What is said of the result holds for either side (UNION, INTERSECT and EXCEPT alike)."""
        for plan, outputs in self.sides:
            inside = SelectPlan(plan, (), outputs, lambda _: self.open)
            inside.constrain(predicates)


@dataclass(slots=True)
class FromPlan:
    """A query standing in FROM under an alias."""

    alias: str
    query: Plan

    def constrain(self, predicates: Sequence[Predicate]) -> None:
        """Speak of the query's own columns instead of the alias's."""
        self.query.constrain(all_implied(predicates, self._own))

    def _own(self, leaf: Leaf) -> Leaf | None:
        refs = list(leaf.sql.refs())
        if any(ref.relation != self.alias for ref in refs):
            return None
        return leaf.moved({ref: Sql((Ref(OUTPUT, ref.column),)) for ref in refs})


@dataclass(slots=True)
class CtePlan:
    """A named query: constrained once for every place that names it."""

    query: Plan
    uses: int = 0

    def constrain(self, predicates: Sequence[Predicate]) -> None:
        """Follow the first uses, then give up pruning."""
        self.uses += 1
        if self.uses <= _MAX_USES:
            self.query.constrain(predicates)
        elif self.uses == _MAX_USES + 1:
            self.query.constrain([])
