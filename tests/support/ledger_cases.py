"""The evidence of a case in `core/ledger/cases`, and the rows of the ledger that come of it.

A case holds `cloudtrail_logs.yaml` and `hash_records.yaml`, in the columns of the tables of
those names, `expect.yaml` and, if it differs from 08:00 of 1 November, `as_of.yaml`.
`defaults.yaml` gives what holds for every row unless the case says otherwise.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from custody.core.formats.untrusted import MalformedInput
from custody.core.ledger.kinds.defects import malformed_record_row
from custody.core.ledger.kinds.undeclared import batch_rows, unread_record_rows
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.stored_records import found_records, is_notable_write
from custody.core.ledger.versions import histories, rows_of
from custody.core.records.checking import ReadEnvelope
from custody.core.records.statement import read_record
from custody.core.trail.events import TrailEvent, merge
from custody.core.trail.log_files import LogContent, read_log
from custody.objects import ObjectVersion

CASES = Path(__file__).parents[1] / "plugins" / "custody" / "core" / "ledger" / "cases"
RECORDER = "arn:aws:iam::111122223333:role/custody-local-recorder"
FIELDS = """
eventVersion eventSource eventCategory eventName eventTime awsRegion sourceIPAddress userAgent
userIdentity principalId sessionContext sessionIssuer invokedBy accountId requestParameters
responseElements additionalEventData requestID eventID errorCode originalEventID updatedFields
"""
CAMEL = {name.lower(): name for name in FIELDS.split()}
Row = dict[str, Any]


def policy(as_of: datetime) -> Policy:
    uploaders = ("crm-export", "web-shop", "partner-feed")
    return Policy(
        as_of=as_of,
        grace=timedelta(minutes=30),
        layers={
            "raw": "bronze",
            "processed": "silver",
            "analytics": "gold",
            "provenance": "provenance",
        },
        writers={
            "bronze": tuple(f"arn:aws:iam::111122223333:user/{name}" for name in uploaders),
            "silver": ("arn:aws:iam::111122223333:role/custody-local-glue",),
            "gold": ("arn:aws:iam::111122223333:role/custody-local-glue",),
        },
        recorders=(RECORDER, f"{RECORDER}-large"),
    )


@dataclass(frozen=True)
class CaseEvidence:
    """A log file, the envelopes, and the policy to judge them by."""

    log: LogContent
    envelopes: list[ReadEnvelope]
    policy: Policy


def read_case(
    case: Path, shuffled: random.Random | None = None, *, proven: bool = True
) -> CaseEvidence:
    """The evidence in a case; `shuffled` repeats and reorders it."""
    defaults = read(case.parent / "defaults.yaml")
    logs = [merged(defaults["cloudtrail_logs"], row) for row in read(case / "cloudtrail_logs.yaml")]
    records = [merged(defaults["hash_records"], row) for row in read(case / "hash_records.yaml")]
    if shuffled:
        logs = [row for row in logs for _ in range(shuffled.randint(1, 3))]
        shuffled.shuffle(logs)
        shuffled.shuffle(records)
    content = json.dumps({"Records": [camel(row) for row in logs]}).encode()
    log = read_log(content, log="log", proven=proven)
    assert log.problems == ()
    as_of = (read(case / "as_of.yaml") or {}).get("as_of", "2026-11-01T08:00:00+00:00")
    return CaseEvidence(
        log, [envelope(row) for row in records], policy(datetime.fromisoformat(as_of))
    )


def envelope(row: Row) -> ReadEnvelope:
    place = row["$path"].removeprefix("s3://provenance/")
    claim, trouble = None, row.get("trouble")
    statement = row["statement"]
    if statement and statement["subject"]:
        about = statement["predicate"]
        statement["subject"][0]["name"] = f"s3://{about['bucket']}/{about['key']}"
    try:
        claim = read_record(json.dumps(statement).encode())
    except MalformedInput as error:
        trouble = str(error)
    keys = [signature["keyid"] for signature in row["signatures"] or []]
    stored_at = datetime.fromisoformat(row.get("$stored", "2026-11-01T06:00:02+00:00"))
    return ReadEnvelope(
        ObjectVersion("provenance", place, row.get("$version", "p0")),
        stored_at,
        keys[0] if keys else None,
        claim,
        trouble,
    )


def camel(value: Any) -> Any:
    """A row of the Athena table as the CloudTrail record it was read from."""
    if isinstance(value, dict):
        return {CAMEL.get(name, name): camel(item) for name, item in value.items()}
    return value


def merged(defaults: Row, row: Row) -> Row:
    return defaults | {
        name: merged(defaults[name], value)
        if isinstance(value, dict) and isinstance(defaults.get(name), dict)
        else value
        for name, value in row.items()
    }


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text()) or [] if path.exists() else []


def rows_of_case(
    case: Path, shuffled: random.Random | None = None, *, proven: bool = True
) -> Iterator[LedgerRow]:
    evidence = read_case(case, shuffled, proven=proven)
    rules = evidence.policy
    by_id: dict[str, list[TrailEvent]] = {}
    for event in evidence.log.events:
        by_id.setdefault(event.event_id, []).append(event)
    events = [merge(deliveries) for deliveries in by_id.values()]
    found = found_records(
        evidence.envelopes, [event for event in events if is_notable_write(event, rules)], rules
    )
    for history in histories(events, found.records):
        yield from rows_of(history, rules, evidence.log.principals)
    yield from (malformed_record_row(record, rules) for record in found.malformed)
    for write in found.unread:
        yield from unread_record_rows(write, rules)
    for event in events:
        yield from batch_rows(event, rules)
