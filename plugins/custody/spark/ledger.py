"""Ledger rows as Parquet: the one form of the tables `reconciliation` and `audit`."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from pyspark.rdd import RDD
from pyspark.sql import DataFrame, Row, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812

from custody.aws.paging.pages import open_pages, told_pages
from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.tables import COLUMNS
from custody.core.ledger.verdicts import Verdict
from custody.core.paging.changes import rows_that_settle
from custody.core.paging.findings import MAX_TOLD, MAX_WATCHED, READ_LIMIT, SEVERITIES, Cause
from custody.core.paging.found import MAX_ROWS, Found, fitting, found_of
from custody.core.seal.entries import VerdictEntry
from custody.spark.schemas import schema_of
from custody.spark.times import keep_times

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ROW: Final = schema_of(COLUMNS["ledger"])


@dataclass(frozen=True, slots=True)
class Target:
    """The URI under which a run writes its rows, the findings of open pages that these may settle,
    and what gives the fingerprints of what people were told that was found on days (`dt`)."""

    output: str
    watched: Sequence[LedgerRow] = ()
    told: Callable[[Sequence[str]], Collection[str]] = lambda _: ()


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows were written of each verdict, and what people may have to be told of them."""

    verdicts: Mapping[str, int]
    found: Found


def write_rows(
    spark: SparkSession,
    rows: RDD[LedgerRow],
    *,
    as_of: datetime,
    window: tuple[datetime, datetime],
    target: Target,
) -> Written:
    """Write rows to their target, by `dt` and `hour` of their event_time in UTC.

    `as_of` and `window` (start and end) say when and what was judged. Fails if there is anything.
    """
    keep_times(spark)
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
        target.output
    )
    counts, of_cause = Counter[str](), Counter[Cause]()
    days = set[str]()
    for verdict, principal, day, count in (
        frame.groupBy("verdict", "principal_arn", "dt").count().collect()
    ):
        counts[verdict] += count
        if verdict in SEVERITIES:
            of_cause[verdict, principal] += count
            days.add(day)
    # Where all findings are read, none makes way for another.
    told = target.told(sorted(days)) if of_cause.total() > READ_LIMIT else ()
    return Written(dict(counts), _found(frame.select(*ROW.names), of_cause, target.watched, told))


def _found(
    rows: DataFrame,
    findings: Mapping[Cause, int],
    watched: Sequence[LedgerRow],
    told: Collection[str],
) -> Found:
    """The rows that settle the `watched` pages and, of each cause, the first of so many `findings`,
    `READ_LIMIT` at most; of these as many as a report has room for, the first of each cause before
    the second of any.

    What nobody was told of comes first: who leads to five hundred findings hides no other behind
    them for longer than until they are told. Whatever somebody did to one object or control comes
    before what he did there once more: nor does who changes one a thousand times.
    """
    settling = [fingerprint for finding in watched for fingerprint in rows_that_settle(finding)]
    of_cause = Window.partitionBy("verdict", "principal_arn")
    of_object = Window.partitionBy("verdict", "principal_arn", "bucket", "object_key")
    by_time = ("event_time", "bucket", "object_key", "version_id", "event_id")
    listed = (
        _with_told(rows, told)
        .withColumn("is_watched", F.col("fingerprint").isin(settling))
        .where(F.col("is_watched") | F.col("verdict").isin(list(SEVERITIES)))
        .withColumn("repeated", F.row_number().over(of_object.orderBy(*by_time)))
        .withColumn("rank", F.row_number().over(of_cause.orderBy("is_told", "repeated", *by_time)))
        .where(F.col("is_watched") | (F.col("rank") <= READ_LIMIT))
        .orderBy(F.desc("is_watched"), "is_told", "rank", "fingerprint")
        .limit(MAX_ROWS)
        .collect()
    )
    kept = fitting(map(_row, listed))
    ranked = zip(kept, (row["rank"] for row in listed), strict=False)
    in_order = sorted(ranked, key=lambda one: (one[0].verdict, one[1], one[0].fingerprint))
    return found_of(
        [row for row, _ in in_order], findings, (finding.fingerprint for finding in watched)
    )


def _with_told(rows: DataFrame, told: Collection[str]) -> DataFrame:
    """The rows, each with whether its fingerprint is one of `told`."""
    if not told:
        return rows.withColumn("is_told", F.lit(False))
    known = rows.sparkSession.createDataFrame(
        [(fingerprint, True) for fingerprint in set(told)], "fingerprint string, is_told boolean"
    )
    return rows.join(F.broadcast(known), "fingerprint", "left").fillna({"is_told": False})


def _row(row: Row) -> LedgerRow:
    """Spark gives times without a zone, in that of the machine."""
    values: dict[str, Any] = {
        name: value.astimezone(UTC) if isinstance(value, datetime) else value
        for name in ROW.names
        for value in (row[name],)
    }
    return LedgerRow(**values)


def watched_pages(
    s3: S3Client, bucket: str, finder: str, partitions: Iterable[Sequence[str]]
) -> list[LedgerRow]:
    """The findings of the open pages of these hours or days that may be settled by what is found
    now, `MAX_WATCHED` at most."""
    states = open_pages(s3, bucket, finder, partitions)
    return [state.finding for state in itertools.islice(states, MAX_WATCHED)]


def told_before(s3: S3Client, bucket: str, finder: str, days: Iterable[str]) -> frozenset[str]:
    """The fingerprints of what people were told that was found on these days, `MAX_TOLD` at
    most."""
    told = told_pages(s3, bucket, finder, ((day,) for day in days))
    return frozenset(itertools.islice(told, MAX_TOLD))


def told_ever(s3: S3Client, bucket: str, finder: str) -> frozenset[str]:
    """The fingerprints of what people were told, on whichever day it was found, `MAX_TOLD` at most;
    of a finder that finds what stands anew each time, dated then."""
    return frozenset(itertools.islice(told_pages(s3, bucket, finder, [()]), MAX_TOLD))


def verdict_entries(spark: SparkSession, files: Sequence[str]) -> Iterator[VerdictEntry]:
    """The verdicts in these Parquet files of `reconciliation`; `PENDING` is none yet.

    An entry speaks of the time of its row, which is the same whenever that is judged.
    """
    if not files:
        return
    keep_times(spark)
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
