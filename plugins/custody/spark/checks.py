"""The tables `record_checks` and `lineage_checks` as Parquet: what was verified, for good."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from pyspark.rdd import RDD
from pyspark.sql import SparkSession
from pyspark.sql import types as T  # noqa: N812

from custody.core.ledger.tables import COLUMNS
from custody.spark.schemas import schema_of

RECORD_CHECK: Final = schema_of(COLUMNS["record_checks"])
LINEAGE_CHECK: Final = schema_of(COLUMNS["lineage_checks"])


@dataclass(frozen=True, slots=True)
class Checks:
    """A table of checks: where what is `known` lies, one URI per day that has any, and where this
    run puts what it adds for a day."""

    known: Sequence[str]
    output: Callable[[date], str]


def known_checks(spark: SparkSession, checks: Checks, schema: T.StructType) -> RDD[dict[str, Any]]:
    """The rows that earlier runs wrote, each object version once, with aware times.

    A run that was killed may have left a version to check again.
    """
    if not checks.known:
        return spark.sparkContext.parallelize([], 1)
    table = spark.read.option("recursiveFileLookup", "true").schema(schema).parquet(*checks.known)
    _, key, version, *_ = schema.names
    return table.dropDuplicates([key, version]).rdd.map(lambda row: _aware(row.asDict()))


def keep_checks(
    spark: SparkSession,
    rows: RDD[Any],
    day_of: Callable[[Any], date],
    *,
    schema: T.StructType,
    days: Iterable[date],
    checks: Checks,
) -> None:
    """Write the dataclass `rows` of these `days`, each under the prefix of its day."""
    parts = min(256, spark.sparkContext.defaultParallelism)
    for day in days:
        of_day = rows.filter(_is_of(day, day_of))
        if not of_day.isEmpty():
            frame = spark.createDataFrame(of_day.map(astuple), schema)
            frame.coalesce(parts).write.parquet(checks.output(day))


def _is_of(day: date, day_of: Callable[[Any], date]) -> Callable[[Any], bool]:
    return lambda row: day_of(row) == day


def _aware(row: dict[str, Any]) -> dict[str, Any]:
    """Spark gives times without a zone, in that of the machine."""
    return {
        name: value.astimezone(UTC) if isinstance(value, datetime) else value
        for name, value in row.items()
    }
