"""Reading and checking the records and lineage statements that no earlier run has checked."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

from pyspark import SparkContext
from pyspark.rdd import RDD
from pyspark.sql import SparkSession

from custody.aws.lineage.keeping import check_written
from custody.aws.records.reading import read_stored, record_ranges
from custody.aws.s3.listing import KeyRange, StoredVersion, stored_versions
from custody.core.lineage.checking import LineageCheck
from custody.core.lineage.trust import LineageKeys
from custody.core.records.check_table import from_row, to_row
from custody.core.records.checking import ReadEnvelope, TrustedKey
from custody.core.records.names import day_filed
from custody.core.trail.events import TrailEvent
from custody.spark.checks import (
    LINEAGE_CHECK,
    RECORD_CHECK,
    Checks,
    keep_checks,
    known_checks,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

_NAMES_PER_SLICE = 64


def list_records(
    ranges: Iterable[KeyRange], bucket: str, s3_client: Callable[[], S3Client]
) -> Iterator[StoredVersion]:
    """Every stored version in these ranges of record keys."""
    s3 = s3_client()
    for keys in ranges:
        yield from stored_versions(s3, bucket, keys)


def read_records(
    stored: Iterable[StoredVersion],
    keys: Mapping[str, TrustedKey],
    s3_client: Callable[[], S3Client],
    own_keys: Collection[str] = (),
) -> Iterator[ReadEnvelope]:
    """Each stored record that is still there, read and checked."""
    yield from read_stored(s3_client(), stored, keys, own_keys)


def records_by_name(
    context: SparkContext,
    bucket: str,
    names: Sequence[str],
    keys: Mapping[str, TrustedKey],
    s3_client: Callable[[], S3Client],
    own_keys: Collection[str] = (),
) -> RDD[ReadEnvelope]:
    """Every stored version under these object keys, read and checked anew."""
    ranges = [KeyRange(name, last=name) for name in names]
    slices = max(1, len(ranges) // _NAMES_PER_SLICE)
    return (
        context.parallelize(ranges, slices)
        .mapPartitions(lambda some: list_records(some, bucket, s3_client))
        .mapPartitions(lambda some: read_records(some, keys, s3_client, own_keys))
    )


def checked_records(
    spark: SparkSession,
    bucket: str,
    days: Sequence[date],
    keys: Mapping[str, TrustedKey],
    s3_client: Callable[[], S3Client],
    checks: Checks,
    own_keys: Collection[str] = (),
) -> RDD[ReadEnvelope]:
    """Every record filed under `days`, read and checked; by this run, if no earlier one did."""
    context = spark.sparkContext
    parts = min(256, context.defaultParallelism)
    ranges = [keys for day in days for keys in record_ranges(day, parts)]
    stored = context.parallelize(ranges, len(ranges)).mapPartitions(
        lambda some: list_records(some, bucket, s3_client)
    )
    known = known_checks(spark, checks, RECORD_CHECK).map(from_row)
    new = (
        stored.keyBy(lambda record: record.version)
        .subtractByKey(known.keyBy(lambda envelope: envelope.stored))
        .values()
        .mapPartitions(lambda some: read_records(some, keys, s3_client, own_keys))
        .persist()
    )
    keep_checks(
        spark,
        new.filter(lambda envelope: envelope.was_read).map(to_row),
        lambda check: _day_listed(check.record_key),
        schema=RECORD_CHECK,
        days=days,
        checks=checks,
    )
    log.info("checked %d records that no run had checked before", new.count())
    return known.union(new)


def _day_listed(key: str) -> date:
    """The day under which a record was listed."""
    day = day_filed(key)
    assert day is not None  # noqa: S101 - it is what was listed
    return day


def checked_statements(
    spark: SparkSession,
    written: RDD[TrailEvent],
    days: Sequence[date],
    keys: LineageKeys,
    s3_client: Callable[[], S3Client],
    checks: Checks,
) -> RDD[LineageCheck]:
    """Every lineage statement `written` on `days`, read and checked; by this run, if no earlier
    one did."""
    recent = frozenset(days)
    known = known_checks(spark, checks, LINEAGE_CHECK).map(lambda row: LineageCheck(**row))
    settled = known.filter(lambda check: check.was_read)
    new = (
        written.filter(lambda event: event.time.date() in recent)
        .keyBy(lambda event: (event.key, event.version_id))
        .subtractByKey(settled.keyBy(lambda check: (check.statement_key, check.statement_version)))
        .values()
        .mapPartitions(lambda some: read_statements(some, keys, s3_client))
        .persist()
    )
    keep_checks(
        spark,
        new,
        lambda check: check.written_at.date(),
        schema=LINEAGE_CHECK,
        days=days,
        checks=checks,
    )
    log.info("checked %d lineage statements that no run had checked before", new.count())
    return settled.union(new)


def read_statements(
    written: Iterable[TrailEvent], keys: LineageKeys, s3_client: Callable[[], S3Client]
) -> Iterator[LineageCheck]:
    """Each statement that is still there, read and checked."""
    s3, trust = s3_client(), keys.trust
    for event in written:
        check = check_written(s3, event, trust)
        if check is not None:
            yield check
