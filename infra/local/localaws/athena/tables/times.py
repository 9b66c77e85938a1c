"""Dates and times in partition values and JSON documents."""

from __future__ import annotations

import re
from datetime import date, datetime


def parse_date(text: str) -> date:
    """``yyyy-MM-dd``; raises ValueError."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        raise ValueError(text)
    return date.fromisoformat(text)


def parse_timestamp(text: str) -> datetime:
    """``yyyy-MM-dd HH:mm:ss`` with at most milliseconds, in UTC; raises ValueError."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(\.\d{1,3})?", text, re.ASCII):
        raise ValueError(text)
    return datetime.fromisoformat(text.ljust(23, "0") if "." in text else text)
