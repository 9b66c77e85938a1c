"""CloudTrail's log files: the events in one, each read by its kind.

Failed calls, reads, and other services' events but those of `custody.core.trail.management_events`
are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from custody.core.formats.untrusted import Fields, MalformedInput, load_json
from custody.core.trail.events import TrailEvent, is_about_an_object, read_event
from custody.core.trail.management_events import (
    ManagementEvent,
    is_management,
    read_management_event,
)
from custody.core.trail.principals import Principal, better_known, read_principal

MAX_LOG_BYTES: Final = 256 * 1024 * 1024
"""Longest log file that is proven and read, packed or unpacked: far more than CloudTrail writes."""

MAX_LOG_EVENTS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class LogContent:
    """The content of the log file `log`: writes and removals, the principals of all data events
    (by id), a description of each event without CloudTrail's shape, and the management events that
    matter."""

    log: str
    events: tuple[TrailEvent, ...]
    principals: Mapping[str, Principal]
    problems: tuple[str, ...]
    calls: tuple[ManagementEvent, ...] = ()


def read_log(content: bytes, *, log: str, proven: bool, digest: str | None = None) -> LogContent:
    """Read a log file's uncompressed `content`.

    `digest` names the digest that proves it, where the caller knows it. An event without
    CloudTrail's shape is described in `problems`; the others are read. Raises `MalformedInput`
    if the file as a whole cannot be read.
    """
    document = Fields.of(load_json(content, what="log", max_bytes=MAX_LOG_BYTES), "log")
    events: list[TrailEvent] = []
    principals: dict[str, Principal] = {}
    problems: list[str] = []
    calls: list[ManagementEvent] = []
    for i, item in enumerate(document.items("Records", max_items=MAX_LOG_EVENTS)):
        try:
            fields = Fields.of(item, f"Records[{i}]")
            if is_management(fields) and not is_about_an_object(fields):
                call = read_management_event(fields, log=log, proven=proven, digest=digest)
                calls += [call] if call is not None else []
                continue
            who = read_principal(fields.child("userIdentity"))
            if who.id is not None:
                principals[who.id] = better_known(principals.get(who.id, who), who)
            digest_key = digest if proven else None
            event = read_event(fields, who, log=log, proven=proven, digest=digest_key)
        except MalformedInput as error:
            problems.append(str(error))
        else:
            if event is not None:
                events.append(event)
    return LogContent(log, tuple(events), principals, tuple(problems), tuple(calls))
