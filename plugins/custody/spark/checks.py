"""The tables `record_checks` and `lineage_checks` as Parquet: what was verified, for good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError
from pyspark import SparkContext
from pyspark.rdd import RDD
from pyspark.sql import SparkSession
from pyspark.sql import types as T  # noqa: N812

from custody.aws.s3.hashing import IncompleteObject, Unreadable, hash_version
from custody.aws.s3.listing import list_versions
from custody.core.ledger.tables import COLUMNS
from custody.core.runs.files import WrittenFile
from custody.objects import ObjectVersion
from custody.spark.hashing import hash_versions
from custody.spark.schemas import schema_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

RECORD_CHECK: Final = schema_of(COLUMNS["record_checks"])
LINEAGE_CHECK: Final = schema_of(COLUMNS["lineage_checks"])


@dataclass(frozen=True, slots=True)
class Checks:
    """A table of checks: the URIs of what is `known`, and where this run puts what it adds for a
    day."""

    known: Sequence[str]
    output: Callable[[date], str]


def intact(
    context: SparkContext,
    bucket: str,
    files: Sequence[WrittenFile],
    s3_client: Callable[[], S3Client],
) -> tuple[list[WrittenFile], list[WrittenFile]]:
    """Those of the cache's files that have the bytes which their run named, and those that have
    others. One that cannot be read is neither: what it held is checked anew.
    """
    if not files:
        return [], []
    slices = min(len(files), context.defaultParallelism * 4)
    hashed = (
        context.parallelize(files, slices)
        .mapPartitions(lambda some: _read_back(some, bucket, s3_client))
        .collect()
    )
    good = [file for file, sha256 in hashed if sha256 == file.sha256]
    return good, [file for file, sha256 in hashed if sha256 not in (file.sha256, None)]


def _read_back(
    files: Iterable[WrittenFile], bucket: str, s3_client: Callable[[], S3Client]
) -> Iterator[tuple[WrittenFile, str | None]]:
    s3 = s3_client()
    for file in files:
        try:
            found = hash_version(s3, ObjectVersion(bucket, file.key, file.version_id))
        except (Unreadable, IncompleteObject, ClientError):
            yield file, None
        else:
            yield file, found.sha256


def written_by_this_run(
    context: SparkContext,
    bucket: str,
    folders: Iterable[str],
    s3_client: Callable[[], S3Client],
) -> list[WrittenFile]:
    """The files that this run has put below these folders, as it names them.

    A file that has more than one version was touched by another: it is not named.
    """
    s3 = s3_client()
    versions = [
        stored
        for folder in folders
        for stored in list_versions(s3, bucket, folder)
        if stored.version.key.rpartition("/")[0] == folder.rstrip("/")
        and stored.version.key.endswith(".parquet")
    ]
    times = Counter(stored.version.key for stored in versions)
    alone = [stored for stored in versions if times[stored.version.key] == 1]
    return [
        WrittenFile(item.version.key, item.version.version_id, item.sha256)
        for item in hash_versions(context, alone, s3_client)
    ]


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
