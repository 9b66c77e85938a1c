"""Partition projection: partitions computed from table properties instead of the catalog.

Of type date and whole days, and of a list of values.
https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from localaws.athena.errors import QueryError, not_supported
from localaws.athena.tables.relations import Table

_MAX_VALUES = 100_000
_NOW = re.compile(r"NOW(?:\s*([+-]\s*\d+)\s*DAYS?)?", re.IGNORECASE)
# Letters of a Java date format, and strftime's.
_LETTERS = {"yyyy": "%Y", "MM": "%m", "dd": "%d"}
_PIECES = re.compile(r"(yyyy|MM|dd)|'([^']+)'|([^A-Za-z'%]+)")


@dataclass(frozen=True, slots=True)
class Projection:
    """Where a projected table's partitions come from."""

    table: Table
    now: datetime

    @classmethod
    def of(cls, table: Table, now: datetime) -> Projection | None:
        """The table's projection; None when it has none. `now` is naive, in UTC."""
        enabled = table.parameters.get("projection.enabled", "false").lower() == "true"
        return cls(table, now) if enabled and table.partition_keys else None

    def values(self, column: str) -> list[str]:
        """Every value the properties allow for a column, as text; raises QueryError."""
        kind = self._property(column, "type").lower()
        if kind == "enum":
            return [value.strip() for value in self._property(column, "values").split(",")]
        if kind != "date":
            raise not_supported(f"a projection of type {kind}")
        written = self._property(column, "format")
        pattern = _strftime(written)
        ends = [end.strip() for end in self._property(column, "range").split(",")]
        if len(ends) != 2:
            raise self._invalid(column, "the range must have two ends")
        moment, last = (self._moment(end, pattern, column) for end in ends)
        step = self._property(column, "interval", "1")
        unit = self._property(column, "interval.unit", "DAYS").upper()
        if (step, unit) != ("1", "DAYS") or "dd" not in written:
            raise not_supported(f"the interval {step} {unit} of a projection on {written}")
        days = (last - moment).days + 1
        if days > _MAX_VALUES:
            raise not_supported(f"a projection of more than {_MAX_VALUES} values")
        return [(moment + timedelta(days=day)).strftime(pattern) for day in range(days)]

    def location(self, values: Sequence[str]) -> str:
        """Where the partition with these values, in the order of the keys, lies."""
        names = [key.name for key in self.table.partition_keys]
        template = self.table.parameters.get("storage.location.template")
        if template is None:
            folders = (f"/{name}=${{{name}}}" for name in names)
            template = f"{self.table.storage.location.rstrip('/')}{''.join(folders)}/"
        for name, value in zip(names, values, strict=True):
            if f"${{{name}}}" not in template:
                raise self._invalid(name, "storage.location.template does not name it")
            template = template.replace(f"${{{name}}}", value)
        return template

    def _property(self, column: str, name: str, default: str | None = None) -> str:
        value = self.table.parameters.get(f"projection.{column}.{name}", default)
        if value is None:
            raise self._invalid(column, f"the property projection.{column}.{name} is missing")
        return value

    def _invalid(self, column: str, problem: str) -> QueryError:
        where = f"column {column} of {self.table.database}.{self.table.name}"
        return QueryError("INVALID_TABLE_PROPERTY", f"Projection of {where}: {problem}")

    def _moment(self, text: str, pattern: str, column: str) -> datetime:
        """An end of a range; of NOW only what the format shows counts."""
        match = _NOW.fullmatch(text)
        if match is not None:
            days = timedelta(days=int((match[1] or "0").replace(" ", "")))
            text = (self.now + days).strftime(pattern)
        try:
            moment = datetime.strptime(text, pattern)  # noqa: DTZ007
        except ValueError as error:
            raise self._invalid(column, f"{text!r} does not fit the format") from error
        if moment.strftime(pattern) != text:
            raise self._invalid(column, f"{text!r} does not fit the format")
        return moment


def _strftime(text: str) -> str:
    """A Java date format as strftime's; raises QueryError for letters that are not supported."""
    pieces = _PIECES.findall(text)
    whole = "".join("".join(piece) for piece in pieces) == text.replace("'", "")
    if not whole or not any(letters == "yyyy" for letters, _, _ in pieces):
        raise not_supported(f"the date format {text!r} of a projection")
    return "".join(_LETTERS[one] if one else two or three for one, two, three in pieces)
