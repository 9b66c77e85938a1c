"""CloudTrail's event history: what changed anything in a region, whatever its trails log.

Answers `LookupEvents` as its API reference describes it: newest first, at most one attribute. AWS
keeps 90 days and knows an event some minutes after the call; this one keeps the latest events and
knows them at once. Calls that only read are not in it, and what resources an event is about is not
known: to be asked for that is an error, not an empty answer.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from localaws.cloudtrail.database import open_database
from localaws.cloudtrail.recording.events import Record
from localaws.protocol import AwsError

_KEPT: Final = 50_000
_PAGE: Final = 50

_COLUMNS: Final = {
    "EventId": "event_id",
    "EventName": "name",
    "EventSource": "source",
    "Username": "username",
    "AccessKeyId": "access_key_id",
}
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS event (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    time REAL NOT NULL,         -- epoch seconds
    event_id TEXT NOT NULL,
    name TEXT NOT NULL,
    source TEXT NOT NULL,
    username TEXT,
    access_key_id TEXT,
    record TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS event_name ON event (name, seq);
"""


class EventHistory:
    """The history of one region, in an SQLite file of its own."""

    def __init__(self, path: Path) -> None:
        self._db = open_database(path, _SCHEMA)

    def close(self) -> None:
        """Close the file; the history cannot be used afterwards."""
        self._db.close()

    def append(self, record: Record) -> None:
        """Keep a management event that is no read; others are passed over."""
        if record["readOnly"] or record["eventCategory"] != "Management":
            return
        identity = record["userIdentity"]
        row = (
            dt.datetime.fromisoformat(record["eventTime"]).timestamp(),
            record["eventID"],
            record["eventName"],
            record["eventSource"],
            _username(identity),
            identity.get("accessKeyId"),
            json.dumps(record, ensure_ascii=False, separators=(",", ":")),
        )
        seq = self._db.execute(
            "INSERT INTO event (time, event_id, name, source, username, access_key_id, record)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            row,
        ).lastrowid
        self._db.execute("DELETE FROM event WHERE seq <= ?", (int(seq or 0) - _KEPT,))

    def lookup(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to `LookupEvents`.

        Raises `AwsError` for what AWS refuses, and for what this history cannot tell.
        """
        where, values = _condition(request)
        if token := request.get("NextToken"):
            if not str(token).isdecimal():
                raise AwsError("InvalidNextTokenException", "NextToken is none of this history.")
            where, values = [*where, "seq < ?"], [*values, int(token)]
        most = _most(request)
        rows = self._db.execute(
            "SELECT seq, time, event_id, name, source, username, access_key_id, record FROM event"  # noqa: S608
            f" WHERE {' AND '.join(where) or '1'} ORDER BY seq DESC LIMIT ?",
            (*values, most + 1),
        ).fetchall()
        answer: dict[str, Any] = {"Events": [_told(*row[1:]) for row in rows[:most]]}
        if len(rows) > most:
            answer["NextToken"] = str(rows[most - 1][0])
        return answer


def _condition(request: Mapping[str, Any]) -> tuple[list[str], list[Any]]:
    where: list[str] = []
    values: list[Any] = []
    for name, comparison in (("StartTime", "time >= ?"), ("EndTime", "time <= ?")):
        if request.get(name) is not None:
            where.append(comparison)
            values.append(float(request[name]))
    attributes = request.get("LookupAttributes") or []
    if len(attributes) > 1:
        raise AwsError("InvalidLookupAttributesException", "Give one lookup attribute at most.")
    for attribute in attributes:
        name, value = attribute.get("AttributeKey"), attribute.get("AttributeValue")
        if name == "ReadOnly":
            where.append("1" if value == "false" else "0")
        elif name in _COLUMNS:
            where.append(f"{_COLUMNS[name]} = ?")
            values.append(value)
        else:
            raise AwsError(
                "InvalidLookupAttributesException",
                f"The local AWS looks events up by ReadOnly, {', '.join(_COLUMNS)}, not by {name}.",
            )
    return where, values


def _most(request: Mapping[str, Any]) -> int:
    most = request.get("MaxResults", _PAGE)
    if isinstance(most, bool) or not isinstance(most, int) or not 1 <= most <= _PAGE:
        raise AwsError("InvalidMaxResultsException", f"MaxResults is 1 to {_PAGE}.")
    return most


def _username(identity: Mapping[str, Any]) -> str | None:
    """The user's name, of a role that of the session."""
    if identity.get("type") == "Root":
        return "root"
    if "userName" in identity:
        return str(identity["userName"])
    arn = str(identity.get("arn", ""))
    return arn.rpartition("/")[2] or None


def _told(
    time: float,
    event_id: str,
    name: str,
    source: str,
    username: str | None,
    access_key_id: str | None,
    record: str,
) -> dict[str, Any]:
    known = {"Username": username, "AccessKeyId": access_key_id}
    return {
        "EventId": event_id,
        "EventName": name,
        "ReadOnly": "false",
        "EventTime": time,
        "EventSource": source,
        "Resources": [],
        "CloudTrailEvent": record,
        **{field: value for field, value in known.items() if value is not None},
    }
