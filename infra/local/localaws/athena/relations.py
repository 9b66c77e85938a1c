"""What the translator needs to know of tables and views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from localaws.athena.types import Type

CATALOG = "awsdatacatalog"
PATH_COLUMN = "$path"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: lower-case name, Trino type, and Hive type as the catalog has it."""

    name: str
    type: Type
    hive: str


@dataclass(frozen=True, slots=True)
class Storage:
    """How a table's or partition's objects are found and read."""

    location: str
    serde: str = ""
    input_format: str = ""
    serde_parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Table:
    """A table with data."""

    database: str
    name: str
    columns: tuple[Column, ...]
    partition_keys: tuple[Column, ...]
    storage: Storage
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """Data columns, then partition columns, as ``SELECT *`` shows them."""
        return (*self.columns, *self.partition_keys)


@dataclass(frozen=True, slots=True)
class View:
    """A stored query; `columns` are its names and Trino types when it was created."""

    database: str
    name: str
    statement: str
    schema: str
    columns: tuple[tuple[str, str], ...]


class Relations(Protocol):
    """Where tables and views come from."""

    def find(self, database: str | None, name: str) -> Table | View | None:
        """The relation (lower-case names; None: the query's database); None if there is none.

        Raises QueryError when no database is given or known, or the caller may not look.
        """
