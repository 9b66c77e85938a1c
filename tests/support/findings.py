"""A row of the ledger as texts, and findings made of it."""

from custody.core.ledger.rows import LedgerRow, fingerprint
from custody.core.paging.findings import read_row
from custody.objects import ObjectVersion

ROW = {
    "verdict": "UNRECORDED",
    "bucket": "raw",
    "object_key": "incoming/customers/dt=2026-11-01/a b.csv",
    "version_id": "v1",
    "principal_arn": "arn:aws:iam::111122223333:user/crm-export",
    "principal_type": "IAMUser",
    "event_time": "2026-11-01T06:00:01Z",
    "verdict_reason": "because",
    "fingerprint": "f1",
    "event_name": "PutObject",
    "source_ip": "203.0.113.7",
    "user_agent": None,
    "request_id": "r1",
    "event_id": "e1",
    "sha256": None,
    "pipeline_layer": "bronze",
    "record_key": None,
    "log_key": "AWSLogs/l1.json.gz",
    "digest_key": "AWSLogs/d1.json.gz",
}


def finding(verdict: str = "UNRECORDED", **columns: str | None) -> LedgerRow:
    """A row with the fingerprint its verdict and version give it."""
    row = ROW | {"verdict": verdict} | columns
    bucket, key, version_id = (
        row[column] or "" for column in ("bucket", "object_key", "version_id")
    )
    own = fingerprint(verdict, ObjectVersion(bucket, key, version_id))
    return read_row(row | {"fingerprint": columns.get("fingerprint", own)})
