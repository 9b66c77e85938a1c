"""Partition projection: partitions computed from table properties instead of the catalog.

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
        if kind in ("enum", "integer", "injected"):
            raise not_supported(f"a projection of type {kind}")
        if kind != "date":
            raise self._invalid(column, f"type {kind!r} is not known")
        pattern = DatePattern.of(self._property(column, "format"))
        ends = [end.strip() for end in self._property(column, "range").split(",")]
        if len(ends) != 2:
            raise self._invalid(column, "the range must have two ends")
        moment, last = (self._moment(end, pattern, column) for end in ends)
        # AWS's default is a step of one day where the format shows no more.
        default = ("1", "DAYS") if pattern.finest == "d" else (None, None)
        step = self._property(column, "interval", default[0])
        unit = self._property(column, "interval.unit", default[1]).upper()
        if not step.isdecimal() or int(step) < 1:
            raise self._invalid(column, f"the interval {step!r} is not a positive number")
        if unit not in _UNITS:
            raise not_supported(f"the interval unit {unit} of a projection")
        found: list[str] = []
        while moment <= last:
            found.append(pattern.write(moment))
            moment += int(step) * _UNITS[unit]
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
        return QueryError(
            "INVALID_TABLE_PROPERTY",
            f"Projection of column {column} of {self.table.database}.{self.table.name}: {problem}",
        )

    def _moment(self, text: str, pattern: DatePattern, column: str) -> datetime:
        relative = _NOW.fullmatch(text)
        if relative is None:
            try:
                return pattern.read(text)
            except ValueError as error:
                raise self._invalid(column, f"{text!r} does not fit the format") from error
        amount = int(f"{relative['sign'] or ''}{relative['amount'] or 0}")
        unit = _UNITS[f"{(relative['unit'] or 'SECOND').upper()}S"]
        # Only what the format shows of it counts.
        return pattern.read(pattern.write(self.now + amount * unit))


_UNITS = {
    "WEEKS": timedelta(weeks=1),
    "DAYS": timedelta(days=1),
    "HOURS": timedelta(hours=1),
    "MINUTES": timedelta(minutes=1),
    "SECONDS": timedelta(seconds=1),
}
_NOW = re.compile(
    r"NOW(?:\s*(?P<sign>[+-])\s*(?P<amount>\d+)\s*(?P<unit>WEEK|DAY|HOUR|MINUTE|SECOND)S?)?",
    re.IGNORECASE,
)
# Letters of a Java date format, and strftime's.
_LETTERS = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_PIECES = re.compile(r"(yyyy|MM|dd|HH|mm|ss)|'([^']+)'|([^A-Za-z'%]+)")


@dataclass(frozen=True, slots=True)
class DatePattern:
    """A format of full-width numbers, as strftime's; `finest` is its smallest unit's letter."""

    strftime: str
    finest: str

    @classmethod
    def of(cls, text: str) -> DatePattern:
        """The pattern; raises QueryError for letters that are not supported."""
        pieces = _PIECES.findall(text)
        letters = [one for one, _, _ in pieces if one]
        if "".join("".join(p) for p in pieces) != text.replace("'", "") or "yyyy" not in letters:
            raise not_supported(f"the date format {text!r} of a projection")
        written = "".join(_LETTERS[one] if one else two or three for one, two, three in pieces)
        return cls(written, max((one[0] for one in letters), key="yMdHms".index))

    def write(self, moment: datetime) -> str:
        """`moment` in this format."""
        return moment.strftime(self.strftime)

    def read(self, text: str) -> datetime:
        """The moment a text in this format names; raises ValueError."""
        moment = datetime.strptime(text, self.strftime)  # noqa: DTZ007
        if self.write(moment) != text:
            raise ValueError(text)
        return moment
