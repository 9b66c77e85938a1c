"""Partition projection: partitions computed from table properties instead of the catalog.

Of type date only.
https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from localaws.athena.errors import QueryError, not_supported
from localaws.athena.tables.relations import Table

_MAX_VALUES = 1_000_000
_UNITS = ("WEEKS", "DAYS", "HOURS", "MINUTES", "SECONDS")
_NOW = re.compile(r"NOW(?:\s*([+-])\s*(\d+)\s*(WEEK|DAY|HOUR|MINUTE|SECOND)S?)?", re.IGNORECASE)
# Letters of a Java date format, and strftime's.
_LETTERS = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_PIECES = re.compile(r"(yyyy|MM|dd|HH|mm|ss)|'([^']+)'|([^A-Za-z'%]+)")


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
        if kind != "date":
            raise not_supported(f"a projection of type {kind}")
        written = self._property(column, "format")
        pattern = _strftime(written)
        ends = [end.strip() for end in self._property(column, "range").split(",")]
        if len(ends) != 2:
            raise self._invalid(column, "the range must have two ends")
        moment, last = (self._moment(end, pattern, column) for end in ends)
        # AWS's default is a step of one day where the format shows no more.
        default = ("1", "DAYS") if "dd" in written and "HH" not in written else (None, None)
        step = self._property(column, "interval", default[0])
        unit = self._property(column, "interval.unit", default[1]).upper()
        if not step.isdecimal() or int(step) < 1 or unit not in _UNITS:
            raise not_supported(f"the interval {step} {unit} of a projection")
        found: list[str] = []
        while moment <= last:
            found.append(moment.strftime(pattern))
            moment += timedelta(**{unit.lower(): int(step)})
            if len(found) > _MAX_VALUES:
                raise not_supported(f"a projection of more than {_MAX_VALUES} values")
        return list(dict.fromkeys(found))

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
            sign, amount, unit = match.groups()
            units = {f"{unit.lower()}s": int(f"{sign}{amount}")} if unit else {}
            text = (self.now + timedelta(**units)).strftime(pattern)
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
