"""What a query under translation is made of."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from localaws.athena.expression import Expr
from localaws.athena.pruning import (
    CtePlan,
    Plan,
    TablePlan,
)
from localaws.athena.relations import Relations, Table
from localaws.athena.scope import Field
from localaws.athena.sql import Sql
from localaws.athena.types import Type


@dataclass(frozen=True, slots=True)
class Scan:
    """One use of a table: `source` is the DuckDB table that must hold its rows."""

    table: Table
    source: str
    plan: TablePlan


@dataclass(frozen=True, slots=True)
class Output:
    """A column of a query: its name (None: Trino would call it ``_col<n>``), type and symbol."""

    name: str | None
    type: Type
    symbol: str


@dataclass(frozen=True, slots=True)
class Result:
    """A translated query: DuckDB text whose columns carry the outputs' symbols."""

    sql: Sql
    outputs: tuple[Output, ...]
    plan: Plan


@dataclass(frozen=True, slots=True)
class Source:
    """Something in FROM: text, what it brings into scope, and the aliases inside it."""

    sql: Sql
    fields: tuple[Field, ...]
    plan: Plan
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Cte:
    name: str
    outputs: tuple[Output, ...]
    plan: CtePlan


@dataclass(slots=True)
class Shared:
    """What all parts of one statement, its views included, have in common."""

    relations: Relations
    now: Expr
    counter: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    scans: list[Scan] = field(default_factory=list)
    detached: list[Plan] = field(default_factory=list)
