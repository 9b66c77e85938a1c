"""UTC instants as S3 writes them: `2026-11-01T06:00:00.000Z`."""

from __future__ import annotations

import re
from datetime import UTC, datetime

_ISO_UTC = re.compile(
    r"\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d{1,9})?Z",
    re.ASCII,
)

_YEARS = range(1970, 9999)


def parse_utc(text: str) -> datetime:
    """Read an ISO 8601 instant that ends in `Z`; digits beyond microseconds are cut off.

    Raises `ValueError` for anything else, a missing `Z` included: a time without a zone proves
    nothing about when something happened. And for a year in which nothing did, however a stranger
    may name it: times are added to and taken off, and must be written as they were read.
    """
    if _ISO_UTC.fullmatch(text) is None:
        raise ValueError("must be a UTC time such as 2026-11-01T06:00:00.000Z")
    instant = datetime.fromisoformat(text)
    if instant.year not in _YEARS:
        raise ValueError(f"must be a time of the years {_YEARS[0]} to {_YEARS[-1]}")
    return instant


def format_utc(instant: datetime) -> str:
    """Write an aware `instant` in UTC with milliseconds; raises `ValueError` if it is naive."""
    if instant.tzinfo is None:
        raise ValueError("a naive time has no place in a record: give it a time zone")
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + (
        f"{instant.microsecond // 1000:03d}Z"
    )
