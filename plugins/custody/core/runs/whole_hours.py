"""Hours: what windows and the chain of runs are made of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

HOUR: Final = timedelta(hours=1)

MAX_HOURS: Final = 96
"""Longest window in hours: Glue's catalog takes at most 100 partitions in one call, and a window
has one partition per hour."""


def floor_hour(instant: datetime) -> datetime:
    """The beginning of the hour that `instant` lies in."""
    return instant.replace(minute=0, second=0, microsecond=0)
