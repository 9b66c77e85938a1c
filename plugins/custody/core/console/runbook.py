"""A runbook's commands and queries, with the values of a finding filled in.

Values are whatever somebody typed: a key may be named like a command. So a value is quoted for what
it stands in, as text of SQL or as one word of a shell, and left out where it cannot be.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Final

from custody.core.formats.plain_text import is_plain
from custody.core.ledger.rows import LedgerRow

_PLACE: Final = re.compile(r"<([A-Za-z_][A-Za-z_/, -]{0,60})>")
_FILED: Final = re.compile(r"/dt=(\d{4}-\d\d-\d\d)/", re.ASCII)
_TEXT_OF_SQL: Final = re.compile(r"'[^'\n]*'")


def values_of(finding: LedgerRow, settings: Mapping[str, str]) -> dict[str, str]:
    """What the names in angle brackets stand for, for one finding of a deployment; `settings` are
    the deployment's (project, stage, buckets)."""
    at = finding.event_time.astimezone(UTC)
    # A record is filed under the day of the write that it is of.
    upload = _FILED.search(finding.record_key or "")
    uploaded = upload[1] if upload else f"{at:%Y-%m-%d}"
    values: dict[str, str | None] = {
        "bucket": finding.bucket,
        "key": finding.object_key,
        "version_id": finding.version_id,
        "principal": finding.principal_arn,
        "event": finding.event_id,
        "record": finding.record_key,
        "name of the record object": (finding.record_key or "").rpartition("/")[2] or None,
        "first day": f"{at - timedelta(days=1):%Y-%m-%d}",
        "last day": f"{at + timedelta(days=1):%Y-%m-%d}",
        "a month before": f"{at - timedelta(days=31):%Y-%m-%d}",
        "day of event_time": f"{at:%Y-%m-%d}",
        "day": f"{at:%Y-%m-%d}",
        "day of the upload": uploaded,
        "day of the upload, yyyy-MM-dd": uploaded,
        # A log file may be delivered the day after.
        "yyyy/MM/dd": f"{at:%Y/%m/%d}",
        "yyyy/MM/dd of a month before": f"{at - timedelta(days=31):%Y/%m/%d}",
        "to yyyy/MM/dd": f"{at + timedelta(days=1):%Y/%m/%d}",
        "project": settings.get("project"),
        "stage": settings.get("stage"),
        "database": settings.get("database"),
        "trail": settings.get("trail_name"),
        "trail bucket": settings.get("trail_bucket"),
        "provenance bucket": settings.get("provenance_bucket"),
    }
    return {name: value for name, value in values.items() if value}


def filled(code: str, language: str, values: Mapping[str, str]) -> str:
    """The code of a runbook with `values`; a name without one stays as it stands.

    `language` is that of the fence: `sql`, or what a shell reads (`console`, `sh`, `bash`). In any
    other, values are only shown. What is not printable is never filled in.
    """
    code = _until(code)
    if language == "sql":
        # Only inside of text: anywhere else a value would be a part of the statement.
        return _TEXT_OF_SQL.sub(
            lambda text: _PLACE.sub(lambda place: _sql(place, values), text[0]), code
        )
    return _PLACE.sub(lambda place: _word(place, values), code)


def _until(code: str) -> str:
    """The second of two days in a BETWEEN is the later one."""
    return code.replace("AND '<yyyy/MM/dd>'", "AND '<to yyyy/MM/dd>'")


def _sql(place: re.Match[str], values: Mapping[str, str]) -> str:
    value = _value(place, values)
    return place[0] if value is None else value.replace("'", "''")


def _word(place: re.Match[str], values: Mapping[str, str]) -> str:
    value = _value(place, values)
    if value is None:
        return place[0]
    before, after = place.string[: place.start()][-1:], place.string[place.end() :][:1]
    alone = not (before.strip() or after.strip())
    # Beside other characters, or inside of quotes, only what no shell reads as anything else.
    if value.startswith("-"):  # would be read as an option
        return place[0]
    harmless = re.fullmatch(r"[\w./:@%+=,-]+", value, re.ASCII) is not None
    return value if harmless else shlex.quote(value) if alone else place[0]


def _value(place: re.Match[str], values: Mapping[str, str]) -> str | None:
    value = values.get(place[1])
    return value if value is not None and is_plain(value) else None
