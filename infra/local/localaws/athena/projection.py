"""Partition projection: partitions computed from table properties instead of the catalog.

https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from localaws.athena.errors import QueryError, not_supported
from localaws.athena.relations import Table

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

    def is_injected(self, column: str) -> bool:
        """Whether the query itself must name the column's values."""
        return self._property(column, "type").lower() == "injected"

    def values(self, column: str) -> Sequence[str]:
        """Every value the properties allow for a column that is not injected, as text."""
        kind = self._property(column, "type").lower()
        if kind == "enum":
            return [value.strip() for value in self._property(column, "values").split(",")]
        if kind == "integer":
            return list(_bounded(self._integers(column), column))
        if kind == "date":
            return list(_bounded(self._dates(column), column))
        raise self._invalid(column, f"type {kind!r} is not known")

    def location(self, values: Mapping[str, str]) -> str:
        """Where the partition with these values (by column) lies."""
        template = self.table.parameters.get("storage.location.template")
        if template is None:
            base = self.table.storage.location.rstrip("/")
            return base + "".join(f"/{name}={value}" for name, value in values.items()) + "/"
        missing = [name for name in values if f"${{{name}}}" not in template]
        if missing:
            raise QueryError(
                "INVALID_TABLE_PROPERTY",
                f"storage.location.template of {self.table.name} does not name {missing[0]}",
            )
        for name, value in values.items():
            template = template.replace(f"${{{name}}}", value)
        return template

    def _property(self, column: str, name: str, default: str | None = None) -> str:
        value = self.table.parameters.get(f"projection.{column}.{name}", default)
        if value is None:
            raise QueryError(
                "INVALID_TABLE_PROPERTY",
                f"Table {self.table.database}.{self.table.name} is configured for partition "
                f"projection, but the property projection.{column}.{name} is missing",
            )
        return value

    def _invalid(self, column: str, problem: str) -> QueryError:
        return QueryError(
            "INVALID_TABLE_PROPERTY",
            f"Projection of column {column} of {self.table.database}.{self.table.name}: {problem}",
        )

    def _range(self, column: str) -> tuple[str, str]:
        ends = self._property(column, "range").split(",")
        if len(ends) != 2:
            raise self._invalid(column, "the range must have two ends")
        return ends[0].strip(), ends[1].strip()

    def _interval(self, column: str, default: str | None) -> int:
        text = self._property(column, "interval", default)
        if not text.isdecimal() or int(text) < 1:
            raise self._invalid(column, f"the interval {text!r} is not a positive number")
        return int(text)

    def _integers(self, column: str) -> Iterator[str]:
        low, high = self._range(column)
        if not re.fullmatch(r"-?\d+", low) or not re.fullmatch(r"-?\d+", high):
            raise self._invalid(column, "the range is not of whole numbers")
        digits = self.table.parameters.get(f"projection.{column}.digits", "0")
        if not digits.isdecimal():
            raise self._invalid(column, f"digits {digits!r} is not a number")
        for value in range(int(low), int(high) + 1, self._interval(column, "1")):
            yield f"{value:0{int(digits)}d}"

    def _dates(self, column: str) -> Iterator[str]:
        pattern = DatePattern.of(self._property(column, "format"))
        start, end = (self._moment(text, pattern, column) for text in self._range(column))
        # AWS's defaults: a step of one day or month where the format shows no more.
        by_default = {"d": "DAYS", "M": "MONTHS"}.get(pattern.finest)
        step = self._interval(column, "1" if by_default else None)
        unit = self._property(column, "interval.unit", by_default).upper()
        if unit not in _UNITS:
            raise self._invalid(column, f"the interval unit {unit!r} is not known")
        previous = None
        count = 0
        while True:
            moment = _moved(start, step * count, unit)
            if moment > end:
                return
            text = pattern.write(moment)
            if text != previous:
                yield text
            previous = text
            count += 1

    def _moment(self, text: str, pattern: DatePattern, column: str) -> datetime:
        relative = _NOW.fullmatch(text)
        if relative is None:
            try:
                return pattern.read(text)
            except ValueError as error:
                raise self._invalid(column, f"{text!r} does not fit the format") from error
        amount = int(relative["amount"] or 0) * (-1 if relative["sign"] == "-" else 1)
        unit = (relative["unit"] or "SECONDS").upper().rstrip("S") + "S"
        # Only what the format shows of it counts.
        return pattern.read(pattern.write(_moved(self.now, amount, unit)))


_NOW = re.compile(
    r"NOW(?:\s*(?P<sign>[+-])\s*(?P<amount>\d+)\s*"
    r"(?P<unit>YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?)?",
    re.IGNORECASE,
)
_UNITS = {
    "WEEKS": timedelta(weeks=1),
    "DAYS": timedelta(days=1),
    "HOURS": timedelta(hours=1),
    "MINUTES": timedelta(minutes=1),
    "SECONDS": timedelta(seconds=1),
    "MONTHS": None,
    "YEARS": None,
}


def _moved(moment: datetime, amount: int, unit: str) -> datetime:
    delta = _UNITS[unit]
    if delta is not None:
        return moment + amount * delta
    months = moment.year * 12 + moment.month - 1 + amount * (12 if unit == "YEARS" else 1)
    year, month = divmod(months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def _bounded(values: Iterator[str], column: str) -> Iterator[str]:
    for count, value in enumerate(values):
        if count >= _MAX_VALUES:
            raise not_supported(f"a projection of {column} with more than {_MAX_VALUES} values")
        yield value


_PIECES = re.compile(r"yyyy|MM|dd|HH|mm|ss|'([^']*)'|([^A-Za-z']+)")
_FINENESS = "yMdHms"


@dataclass(frozen=True, slots=True)
class DatePattern:
    """A Java date format of full-width numbers; `finest` is its smallest unit's letter."""

    pieces: tuple[str, ...]
    finest: str

    @classmethod
    def of(cls, text: str) -> DatePattern:
        """Parse; raises QueryError for letters that are not supported."""
        pieces: list[str] = []
        finest = "y"
        index = 0
        while index < len(text):
            match = _PIECES.match(text, index)
            if match is None:
                raise not_supported(f"the date format {text!r} of a projection")
            if match.group(1) is not None:
                pieces.append(f"'{match.group(1) or chr(39)}")
            elif match.group(2) is not None:
                pieces.append(f"'{match.group(2)}")
            else:
                pieces.append(match.group())
                finest = max(finest, match.group()[0], key=_FINENESS.index)
            index = match.end()
        return cls(tuple(pieces), finest)

    def write(self, moment: datetime) -> str:
        """`moment` in this format."""
        numbers = {
            "yyyy": f"{moment.year:04}",
            "MM": f"{moment.month:02}",
            "dd": f"{moment.day:02}",
            "HH": f"{moment.hour:02}",
            "mm": f"{moment.minute:02}",
            "ss": f"{moment.second:02}",
        }
        return "".join(numbers.get(piece, piece[1:]) for piece in self.pieces)

    def read(self, text: str) -> datetime:
        """The moment a text in this format names; raises ValueError."""
        groups: dict[str, str] = {}
        expression = ""
        for piece in self.pieces:
            if piece.startswith("'"):
                expression += re.escape(piece[1:])
            elif piece in groups:
                expression += rf"(?P={piece})"
            else:
                expression += rf"(?P<{piece}>\d{{{len(piece)}}})"
                groups[piece] = ""
        match = re.fullmatch(expression, text, re.ASCII)
        if match is None:
            raise ValueError(text)
        found = match.groupdict()
        names = (("yyyy", "1970"), ("MM", "1"), ("dd", "1"), ("HH", "0"), ("mm", "0"), ("ss", "0"))
        year, month, day, hour, minute, second = (
            int(found.get(name) or default) for name, default in names
        )
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001
