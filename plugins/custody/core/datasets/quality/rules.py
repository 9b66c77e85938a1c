"""The rules of a table: what is measured, what it must be, and what a breach costs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from custody.core.datasets.quality.limits import Limit


class Severity(StrEnum):
    """What a breach costs: the day, or a word in the log."""

    ERROR = "error"
    WARNING = "warning"


class Unit(StrEnum):
    """What the limit counts."""

    ROWS = "rows"
    PERCENT = "percent"
    HOURS = "h"
    NONE = ""


@dataclass(frozen=True, slots=True)
class RowCount:
    """The rows of the day."""


@dataclass(frozen=True, slots=True)
class SameWeekdays:
    """The rows of the day, of a hundred of the median of so many weeks before, same weekday."""

    weeks: int


@dataclass(frozen=True, slots=True)
class Nulls:
    """The rows without a value of the column."""

    column: str


@dataclass(frozen=True, slots=True)
class Missing:
    """The rows whose value of the column is none by what it says; null is one if it is listed."""

    column: str
    values: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Invalid:
    """The rows with another value of the column than these."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Duplicates:
    """The values of the columns, together, that more than one row has."""

    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long before the end of the day (UTC) the newest value of the column is."""

    column: str


@dataclass(frozen=True, slots=True)
class Unresolved:
    """The rows whose value of the column is in no row of silver of another dataset, as that is
    published of the day and of so many `days` before."""

    column: str
    dataset: str
    other: str
    days: int


@dataclass(frozen=True, slots=True)
class Query:
    """What a query finds, which reads the day's rows as `OBJECT`."""

    sql: str


Measure = (
    RowCount
    | SameWeekdays
    | Nulls
    | Missing
    | Invalid
    | Duplicates
    | Freshness
    | Unresolved
    | Query
)

PARTITION: Final = "dt"
"""The column by which every table is partitioned: the day, which no file has."""

OBJECT: Final = "{object}"
"""What the table is called in a query (ODCS)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a table. That of a property is named `<property>.<name>`."""

    name: str
    measure: Measure
    limit: Limit
    unit: Unit
    severity: Severity
    dimension: str | None
    description: str

    @property
    def expected(self) -> str:
        """What must be found, in words."""
        match self.measure:
            case SameWeekdays(weeks):
                return (
                    f"{self.limit} percent of the median of the same weekday in the {weeks} weeks "
                    "before"
                )
            case Freshness():
                return f"{self.limit} h before the end of the day"
            case _:
                return f"{self.limit} {self.unit}".rstrip()

    @property
    def measured(self) -> str:
        """What is measured, in words."""
        match self.measure:
            case RowCount() | SameWeekdays():
                told = "the rows of the day"
            case Nulls(column):
                told = f"rows without `{column}`"
            case Missing(column, values):
                listed = ", ".join("null" if value is None else f"`{value}`" for value in values)
                told = f"rows whose `{column}` is one of {listed}"
            case Invalid(column, values):
                told = f"rows whose `{column}` is none of {len(values)} values"
            case Duplicates(columns):
                together = ", ".join(f"`{column}`" for column in columns)
                told = f"values of {together} that more than one row has"
            case Freshness(column):
                told = f"the newest `{column}`"
            case Unresolved(column, dataset, other, days):
                before = f" or the {days} days before" if days else ""
                told = f"rows whose `{column}` is no `{other}` of {dataset} on the day{before}"
            case Query(sql):
                told = f"`{' '.join(sql.split())}`"
        return told
