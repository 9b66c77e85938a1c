"""CloudTrail's log files: their names and their bytes. Pure."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
from collections.abc import Sequence

from localaws.cloudtrail.journal import LogFile
from localaws.cloudtrail.place import Place
from localaws.cloudtrail.recording.events import Record
from localaws.cloudtrail.trails import Trail


def log_key(trail: Trail, place: Place, delivered_at: dt.datetime, unique: str) -> str:
    """The object key of a log file; `unique` is its 16 letters and digits."""
    account_id, region = place.account_id, place.region
    prefix = f"{trail.prefix}/" if trail.prefix else ""
    return (
        f"{prefix}AWSLogs/{account_id}/CloudTrail/{region}/{delivered_at:%Y/%m/%d}/"
        f"{account_id}_CloudTrail_{region}_{delivered_at:%Y%m%dT%H%MZ}_{unique}.json.gz"
    )


def log_file(trail: Trail, key: str, records: Sequence[Record]) -> LogFile:
    """A log file holding `records` (at least one), in the order given."""
    content = json.dumps({"Records": list(records)}, ensure_ascii=False, separators=(",", ":"))
    raw = content.encode()
    times = [record["eventTime"] for record in records]
    return LogFile(
        trail=trail.arn,
        bucket=trail.bucket,
        key=key,
        kms_key_id=trail.kms_key_id,
        body=gzip.compress(raw, mtime=0),
        sha256=hashlib.sha256(raw).hexdigest(),
        oldest=min(times),
        newest=max(times),
        events=len(records),
    )
