"""What is known while a query is translated: the columns in scope, and the tables that it reads."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from sqlglot import exp

from localaws.athena.errors import QueryError
from localaws.athena.sql.types import Type
from localaws.athena.tables.relations import Table, View


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
class Source:
    """A relation in FROM: its DuckDB alias, its columns, and the DuckDB table, if it is one."""

    symbol: str
    columns: Mapping[str, Value]
    table: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """The relations of a FROM by alias, and what ORDER BY may name, inside the query around it."""

    sources: Mapping[str, Source]
    parent: Scope | None = None
    outputs: Mapping[str, Value] = field(default_factory=dict)


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


def column_not_found(name: str) -> QueryError:
    """Trino's error for a column that is not there, with what Athena adds to it."""
    return QueryError(
        "COLUMN_NOT_FOUND",
        f"Column '{name}' cannot be resolved or requester is not authorized to access requested "
        "resources",
    )
