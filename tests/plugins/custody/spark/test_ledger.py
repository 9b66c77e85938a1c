"""Ledger rows as Parquet."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from tests.support.landing_zone import RAW

from custody.core.ledger.rows import LedgerRow
from custody.core.seal.entries import VerdictEntry
from custody.spark.ledger import ROW, verdict_entries, write_rows

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

AS_OF = datetime(2026, 11, 3, 3, 20, tzinfo=UTC)


def test_a_row_is_written_field_by_field() -> None:
    assert ROW.names == [field.name for field in fields(LedgerRow)]
    optional = [field.name for field in fields(LedgerRow) if "None" in str(field.type)]
    assert [column.name for column in ROW if column.nullable] == optional


def row(verdict: str, key: str, hour: int) -> LedgerRow:
    (found,) = [
        LedgerRow(
            event_time=datetime(2026, 11, 2, hour, 0, 1, tzinfo=UTC),
            bucket=RAW,
            object_key=key,
            version_id="v1",
            verdict=verdict,
            verdict_reason="why",
            fingerprint="ab" * 32,
            **dict.fromkeys(
                (
                    *("event_name", "principal_arn", "principal_type", "source_ip", "user_agent"),
                    *("request_id", "event_id", "sha256", "size_bytes", "hashed_at", "key_id"),
                    *("pipeline_layer", "record_key", "log_key", "digest_key"),
                )
            ),
        )
    ]
    return found


def test_verdicts_are_sealed_as_readers_see_them_but_for_those_that_are_none_yet(
    spark: SparkSession, tmp_path: Path
) -> None:
    rows = [row("VERIFIED", "a.csv", 6), row("PENDING", "b.csv", 6), row("UNRECORDED", "c.csv", 7)]
    counts = write_rows(
        spark,
        spark.sparkContext.parallelize(rows, 1),
        as_of=AS_OF,
        window=(AS_OF - timedelta(days=1), AS_OF),
        output=f"{tmp_path}/run=1/",
    )
    assert counts == {"VERIFIED": 1, "PENDING": 1, "UNRECORDED": 1}
    folders = {path.parent.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.parquet")}
    assert folders == {"run=1/dt=2026-11-02/hour=06", "run=1/dt=2026-11-02/hour=07"}
    files = sorted(str(path) for path in tmp_path.rglob("*.parquet"))
    assert set(verdict_entries(spark, files)) == {
        VerdictEntry(RAW, "a.csv", "v1", "VERIFIED", "ab" * 32, rows[0].event_time),
        VerdictEntry(RAW, "c.csv", "v1", "UNRECORDED", "ab" * 32, rows[2].event_time),
    }
    assert list(verdict_entries(spark, [])) == []
