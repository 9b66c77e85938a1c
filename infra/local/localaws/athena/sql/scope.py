"""Names: the columns an expression may refer to, and what is shared while one statement is read."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlglot import exp

from localaws.athena.errors import Position, QueryError
from localaws.athena.sql.types import Type
from localaws.athena.tables.relations import PATH_COLUMN, Table, View

_DENIED = "or requester is not authorized to access requested resources"


class Relations(Protocol):
    """Where tables and views come from."""

    def find(self, database: str | None, name: str) -> Table | View | None:
        """The relation (lower-case names; None: the query's database); None if there is none.

        Raises QueryError when no database is given or known, or the caller may not look.
        """


@dataclass(frozen=True, slots=True)
class Value:
    """An expression as DuckDB has it, and its Trino type."""

    node: exp.Expr
    type: Type

    @property
    def literal(self) -> str | None:
        """The text of a string literal; None for anything else."""
        return self.node.name if isinstance(self.node, exp.Literal) else None


@dataclass(frozen=True, slots=True)
class Field:
    """A column in scope; `qualifier` is what may stand before its name, `source` its table."""

    name: str | None
    value: Value
    qualifier: tuple[str, ...] = ()
    source: str | None = None

    def answers(self, parts: Sequence[str]) -> bool:
        """Whether ``qualifier.name`` is what `parts` say."""
        *qualifier, name = parts
        known = self.name is not None and self.name.lower() == name
        return known and (not qualifier or self.qualifier[-len(qualifier) :] == tuple(qualifier))


@dataclass(frozen=True, slots=True)
class Output:
    """A column of a query: what it is called (None: nothing), and by DuckDB."""

    name: str | None
    type: Type
    symbol: str


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """One of WITH: its text, the named queries it may refer to, and its columns' names."""

    node: exp.Expr
    known: Mapping[str, NamedQuery]
    columns: tuple[str, ...]


Known = Mapping[str, NamedQuery]


@dataclass(slots=True)
class Shared:
    """What the queries of one statement share.

    `tables` are the catalog tables it reads by the name of the DuckDB table that stands for each,
    `used` the columns it looks at.
    """

    relations: Relations
    now: datetime
    tables: dict[str, Table] = field(default_factory=dict)
    used: dict[str, set[str]] = field(default_factory=dict)
    counter: Iterator[int] = field(default_factory=itertools.count)
    views: int = 0

    def unique(self, prefix: str) -> str:
        """A name used nowhere else in the statement."""
        return f"{prefix}{next(self.counter)}"

    def source_of(self, table: Table) -> str:
        """The DuckDB table that stands for a catalog table."""
        for name, known in self.tables.items():
            if (known.database, known.name) == (table.database, table.name):
                return name
        name = self.unique("t")
        self.tables[name] = table
        self.used[name] = set()
        return name


@dataclass(frozen=True, slots=True)
class Scope:
    """The columns of a FROM clause, inside those of the query around it."""

    fields: Sequence[Field]
    parent: Scope | None = None

    def resolve(self, parts: Sequence[str], position: Position | None) -> tuple[Field, int]:
        """The column that the beginning of ``a.b.c`` names, and how many parts that takes.

        Raises QueryError.
        """
        scope: Scope | None = self
        while scope is not None:
            # What follows the column's name are fields of rows.
            for count in range(len(parts), 0, -1):
                found = [one for one in scope.fields if one.answers(parts[:count])]
                if len(found) > 1:
                    raise QueryError(
                        "AMBIGUOUS_NAME",
                        f"Column '{'.'.join(parts)}' is ambiguous",
                        position=position,
                    )
                if found:
                    return found[0], count
            scope = scope.parent
        raise column_not_found(".".join(parts), position)

    def visible(self, qualifier: Sequence[str]) -> list[Field]:
        """What ``qualifier.*`` stands for."""
        return [
            one
            for one in self.fields
            if one.name != PATH_COLUMN
            and (not qualifier or one.qualifier[-len(qualifier) :] == tuple(qualifier))
        ]


def column_not_found(name: str, position: Position | None) -> QueryError:
    """Trino's error for a column that is not there, with what Athena adds to it."""
    return QueryError(
        "COLUMN_NOT_FOUND", f"Column '{name}' cannot be resolved {_DENIED}", position=position
    )


def alias_of(name: str) -> exp.TableAlias:
    """``AS name`` of a relation."""
    return exp.TableAlias(this=exp.to_identifier(name, quoted=True))
