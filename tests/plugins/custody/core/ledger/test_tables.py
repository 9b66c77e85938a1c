"""The columns of the tables: rows that were written before must still be read."""

from __future__ import annotations

from custody.core.ledger.tables import COLUMNS

LEDGER = """
event_time TIMESTAMP NOT NULL, event_name STRING, bucket STRING NOT NULL,
object_key STRING NOT NULL, version_id STRING NOT NULL, principal_arn STRING,
principal_type STRING, source_ip STRING, user_agent STRING, request_id STRING, event_id STRING,
sha256 STRING, size_bytes BIGINT, hashed_at TIMESTAMP, key_id STRING, pipeline_layer STRING,
verdict STRING NOT NULL, verdict_reason STRING NOT NULL, fingerprint STRING NOT NULL,
record_key STRING, log_key STRING, digest_key STRING
"""
RECORD_CHECKS = """
bucket STRING NOT NULL, record_key STRING NOT NULL, record_version STRING NOT NULL,
stored_at TIMESTAMP NOT NULL, key_id STRING, statement STRING, trouble STRING
"""
LINEAGE_CHECKS = """
bucket STRING NOT NULL, statement_key STRING NOT NULL, statement_version STRING NOT NULL,
written_at TIMESTAMP NOT NULL, key_id STRING, was_read BOOLEAN NOT NULL, trouble STRING
"""


def columns(row: str) -> list[str]:
    return [
        f"{column.name} {column.type}{'' if column.nullable else ' NOT NULL'}"
        for column in COLUMNS[row]
    ]


def test_tables_keep_their_columns() -> None:
    for row, kept in (
        ("ledger", LEDGER),
        ("record_checks", RECORD_CHECKS),
        ("lineage_checks", LINEAGE_CHECKS),
    ):
        assert columns(row) == " ".join(kept.split()).split(", ")
