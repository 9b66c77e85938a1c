"""Ledger rows as Parquet: the one form of the tables `reconciliation` and `audit`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple
from datetime import UTC, datetime
from typing import Final

from pyspark.rdd import RDD
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812

from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.tables import COLUMNS
from custody.core.ledger.verdicts import Verdict
from custody.core.seal.entries import VerdictEntry
from custody.spark.schemas import schema_of

ROW: Final = schema_of(COLUMNS["ledger"])


def write_rows(
    spark: SparkSession,
    rows: RDD[LedgerRow],
    *,
    as_of: datetime,
    window: tuple[datetime, datetime],
    output: str,
) -> dict[str, int]:
    """Write rows under the URI `output`, by `dt` and `hour` of their event_time in UTC.

    `as_of` and `window` (start and end) say when and what was judged. Returns how many rows
    each verdict has. Fails if `output` is there.
    """
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    frame = (
        spark.createDataFrame(rows.map(astuple), ROW, verifySchema=False)
        .withColumn("as_of", F.lit(as_of))
        .withColumn("window_start", F.lit(window[0]))
        .withColumn("window_end", F.lit(window[1]))
        .withColumn("dt", F.date_format("event_time", "yyyy-MM-dd"))
        .withColumn("hour", F.date_format("event_time", "HH"))
        .persist()
    )
    frame.repartition("dt", "hour").write.partitionBy("dt", "hour").mode("errorifexists").parquet(
        output
    )
    return {row["verdict"]: row["count"] for row in frame.groupBy("verdict").count().collect()}


def verdict_entries(spark: SparkSession, files: Sequence[str]) -> Iterator[VerdictEntry]:
    """The verdicts in these Parquet files of `reconciliation`; `PENDING` is none yet.

    An entry speaks of the time of its row, which is the same whenever that is judged.
    """
    if not files:
        return
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    rows = (
        spark.read.parquet(*files)
        .where(f"verdict <> '{Verdict.PENDING}'")
        .selectExpr(
            "bucket",
            "object_key",
            "version_id",
            "verdict",
            "fingerprint",
            "unix_timestamp(event_time) AS event_time",
        )
        .distinct()
    )
    for row in rows.toLocalIterator():
        yield VerdictEntry(
            bucket=row["bucket"],
            key=row["object_key"],
            version_id=row["version_id"],
            verdict=row["verdict"],
            fingerprint=row["fingerprint"],
            as_of=datetime.fromtimestamp(row["event_time"], UTC),
        )
