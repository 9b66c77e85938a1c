"""Tables and views as a query sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from localaws.athena.sql.types import Type

CATALOG: Final = "awsdatacatalog"
PATH_COLUMN: Final = "$path"
"""Of every table: the object that a row is from."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its lower-case name and Trino type."""

    name: str
    type: Type


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
        """Data columns, then partition columns, as `SELECT *` shows them."""
        return (*self.columns, *self.partition_keys)


@dataclass(frozen=True, slots=True)
class View:
    """A stored query; `columns` are its names and Trino types when it was created."""

    database: str
    name: str
    statement: str
    schema: str
    columns: tuple[tuple[str, str], ...]
