"""Reading and writing times as Trino does. All instants are naive datetimes in UTC."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta

_TEXT = re.compile(
    r"\s*(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
    r"(?:[ ](?:(?P<hour>\d{1,2}):(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})"
    r"(?:\.(?P<fraction>\d+))?)?)?\s*(?P<zone>\S.*?)?)?\s*",
    re.ASCII,
)
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})?", re.ASCII)
_UTC_NAMES = frozenset({"UTC", "Z", "Etc/UTC", "GMT", "Zulu", "UCT"})
_ISO = re.compile(
    r"(?P<year>\d{4})(?:-(?P<month>\d{2})(?:-(?P<day>\d{2}))?)?"
    r"(?:T(?P<hour>\d{2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?)?"
    r"(?P<zone>Z|[+-]\d{2}(?::?\d{2})?)?)?",
    re.ASCII,
)


class BadTime(ValueError):
    """Text that is not the time it should be."""


def _unread(text: str) -> ValueError:
    """Text that Trino may well understand."""
    return ValueError(
        f"NOT_SUPPORTED: the time '{text}' is written in a way that is not supported by the local "
        "Athena"
    )


def _micros(fraction: str | None) -> int:
    return int((fraction or "0")[:6].ljust(6, "0"))


def _offset(zone: str) -> timedelta:
    if zone in _UTC_NAMES:
        return timedelta()
    match = _OFFSET.fullmatch(zone)
    if match is None:
        raise _unread(zone)
    delta = timedelta(hours=int(match["hours"]), minutes=int(match["minutes"] or 0))
    return -delta if match["sign"] == "-" else delta


def _make(parts: dict[str, str | None]) -> datetime:
    year, month, day, hour, minute, second = (int(parts[name] or least) for name, least in _FIELDS)
    try:
        return datetime(  # noqa: DTZ001
            year, month, day, hour, minute, second, _micros(parts["fraction"])
        )
    except ValueError as error:
        raise BadTime(str(error)) from error


_FIELDS = (("year", 1), ("month", 1), ("day", 1), ("hour", 0), ("minute", 0), ("second", 0))


def parse_timestamp(text: str) -> datetime:
    """``CAST(varchar AS timestamp)``: a date with an optional time and no zone.

    Raises BadTime, and another ValueError for what only Trino reads (see `_matched`).
    """
    match = _matched(text)
    if match["zone"]:
        raise BadTime(text)
    return _make(match.groupdict())


_OTHER_YEARS = re.compile(r"\s*[+-]?\d+-\d{1,2}-\d{1,2}(\s.*)?", re.ASCII)


def _matched(text: str) -> re.Match[str]:
    """The parts of a time; years have four digits and seconds at most six after the point."""
    match = _TEXT.fullmatch(text)
    if match is None:
        raise _unread(text) if _OTHER_YEARS.fullmatch(text) else BadTime(text)
    if len(match["fraction"] or "") > 6:
        raise _unread(text)
    return match


def parse_zoned(text: str) -> datetime:
    """A literal with a UTC name or an offset as an instant; raises as `parse_timestamp`."""
    match = _matched(text)
    zone = match["zone"]
    return _make(match.groupdict()) - (_offset(zone) if zone else timedelta())


def is_utc_text(text: str) -> bool:
    """Whether a timestamp literal's zone is UTC, so that its local time is its instant."""
    match = _TEXT.fullmatch(text)
    return match is not None and (match["zone"] or "UTC") in _UTC_NAMES


def parse_date(text: str) -> date:
    """``CAST(varchar AS date)``; raises as `parse_timestamp`."""
    match = _matched(text)
    if match["hour"] or match["zone"] or " " in text.strip():
        raise BadTime(text)
    return _make(match.groupdict()).date()


# What else ISO 8601 is written with: week and ordinal dates, single digits, fractions of an hour.
_ISO_LIKE = re.compile(r"[+-]?\d[\dTWZ:.,+-]*", re.ASCII)


def _iso(text: str) -> tuple[datetime, timedelta]:
    match = _ISO.fullmatch(text)
    if match is None:
        raise _unread(text) if _ISO_LIKE.fullmatch(text) else BadTime(text)
    parts = match.groupdict()
    parts["fraction"] = (parts["fraction"] or "")[:3]
    return _make(parts), _offset(match["zone"]) if match["zone"] else timedelta()


def iso_instant(text: str) -> datetime:
    """``from_iso8601_timestamp``: the instant, to the millisecond; raises as `parse_timestamp`."""
    local, offset = _iso(text)
    return local - offset


def iso_local(text: str) -> datetime:
    """The same text's time of day in its own zone."""
    return _iso(text)[0]


def iso_date(text: str) -> date:
    """``from_iso8601_date``; raises as `parse_timestamp`."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        raise _unread(text) if _ISO_LIKE.fullmatch(text) else BadTime(text)
    return _iso(text)[0].date()


_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)

# MySQL's specifiers, as Trino's date_format writes them; the others it refuses or we do.
_WRITERS: dict[str, Callable[[datetime], str]] = {
    "a": lambda t: _DAYS[t.weekday()][:3],
    "b": lambda t: _MONTHS[t.month - 1][:3],
    "c": lambda t: str(t.month),
    "d": lambda t: f"{t.day:02}",
    "e": lambda t: str(t.day),
    "f": lambda t: f"{t.microsecond // 1000 * 1000:06}",
    "H": lambda t: f"{t.hour:02}",
    "h": lambda t: f"{(t.hour + 11) % 12 + 1:02}",
    "I": lambda t: f"{(t.hour + 11) % 12 + 1:02}",
    "i": lambda t: f"{t.minute:02}",
    "j": lambda t: f"{t.timetuple().tm_yday:03}",
    "k": lambda t: str(t.hour),
    "l": lambda t: str((t.hour + 11) % 12 + 1),
    "M": lambda t: _MONTHS[t.month - 1],
    "m": lambda t: f"{t.month:02}",
    "p": lambda t: "AM" if t.hour < 12 else "PM",
    "r": lambda t: (
        f"{(t.hour + 11) % 12 + 1:02}:{t.minute:02}:{t.second:02} "
        + ("AM" if t.hour < 12 else "PM")
    ),
    "S": lambda t: f"{t.second:02}",
    "s": lambda t: f"{t.second:02}",
    "T": lambda t: f"{t.hour:02}:{t.minute:02}:{t.second:02}",
    "v": lambda t: f"{t.isocalendar().week:02}",
    "W": lambda t: _DAYS[t.weekday()],
    "Y": lambda t: f"{t.year:04}",
    "y": lambda t: f"{t.year % 100:02}",
    "x": lambda t: f"{t.isocalendar().year:04}",
}
_SPECIFIER = re.compile(r"%(.?)", re.DOTALL)


def mysql_format(value: datetime, pattern: str) -> str:
    """``date_format(value, pattern)``; raises ValueError for a specifier it does not know."""

    def write(match: re.Match[str]) -> str:
        specifier = match.group(1)
        writer = _WRITERS.get(specifier)
        if writer is not None:
            return writer(value)
        if specifier.isalpha():
            raise _bad_specifier("date_format", specifier)
        return specifier

    return _SPECIFIER.sub(write, pattern)


def _bad_specifier(function: str, specifier: str) -> ValueError:
    return ValueError(
        f"NOT_SUPPORTED: %{specifier} in {function} is not supported by the local Athena"
    )


_READERS = {
    "Y": r"(?P<year>\d{4})",
    "m": r"(?P<month>\d{2})",
    "c": r"(?P<month>\d{1,2})",
    "d": r"(?P<day>\d{2})",
    "e": r"(?P<day>\d{1,2})",
    "H": r"(?P<hour>\d{2})",
    "k": r"(?P<hour>\d{1,2})",
    "i": r"(?P<minute>\d{2})",
    "s": r"(?P<second>\d{2})",
    "S": r"(?P<second>\d{2})",
    "f": r"(?P<fraction>\d{1,9})",
    "T": r"(?P<hour>\d{2}):(?P<minute>\d{2}):(?P<second>\d{2})",
}


def mysql_parse(text: str, pattern: str) -> datetime:
    """``date_parse(text, pattern)``, to the millisecond; raises ValueError.

    Numbers must have their full width (``%c``, ``%e``, ``%k`` may have one digit); a text that only
    a more lenient reader understands is refused.
    """

    def reader(match: re.Match[str]) -> str:
        if match.group(1) is None:
            return re.escape(match.group())
        specifier = match.group(1)
        if specifier in _READERS:
            return _READERS[specifier]
        if specifier.isalpha():
            raise _bad_specifier("date_parse", specifier)
        return re.escape(specifier)

    expression = re.sub(r"%(.)|.", reader, pattern, flags=re.DOTALL)
    try:
        match = re.fullmatch(expression, text, re.ASCII)
    except re.error as error:
        raise _bad_specifier("date_parse", "… used twice") from error
    if match is None:
        lenient = re.sub(r"\\d\{[\d,]+\}", r"[+-]?\\d+", expression)
        raise _unread(text) if re.fullmatch(lenient, text, re.IGNORECASE) else BadTime(text)
    found = match.groupdict()
    parts: dict[str, str | None] = {name: found.get(name) for name, _ in _FIELDS}
    if parts["year"] is None:
        parts["year"] = "1970"
    parts["fraction"] = (found.get("fraction") or "")[:3]
    return _make(parts)


def from_unixtime(seconds: float) -> datetime:
    """The instant, rounded half up to the millisecond."""
    milliseconds = math.floor(seconds * 1000 + 0.5)
    return datetime(1970, 1, 1) + timedelta(milliseconds=milliseconds)  # noqa: DTZ001
