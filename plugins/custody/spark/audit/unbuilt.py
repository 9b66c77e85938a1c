"""Comparing what lies in bronze with what the runs state to have read, and readers are shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from pyspark import SparkContext
from pyspark.rdd import RDD

from custody.aws.lineage.keeping import versions_read
from custody.aws.publications.keeping import publications_at
from custody.aws.s3.listing import StoredVersion
from custody.core.ledger.kinds.at_rest import HeldVersion
from custody.core.ledger.kinds.unbuilt import MOST_EARLIER, DayShown, Published, unbuilt_row
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow
from custody.core.lineage.model import ReadBy
from custody.core.lineage.trust import LineageKeys
from custody.core.publications.model import Why, place_of
from custody.objects import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# One request each: enough of them at once to hide the waiting.
_STATEMENTS_PER_SLICE = 64


def unbuilt(
    context: SparkContext,
    due: Sequence[HeldVersion],
    statements: Sequence[StoredVersion],
    gold: Sequence[HeldVersion],
    keys: LineageKeys,
    policy: Policy,
    s3_client: Callable[[], S3Client],
) -> RDD[LedgerRow]:
    """The rows of those of the versions `due` that no run has read which readers are shown.

    `gold` is what the bucket holds in which publications lie. Where nothing is due, nothing is
    read.
    """
    if not due:
        return context.parallelize(list[LedgerRow](), 1)
    read = _sliced(context, statements).mapPartitions(lambda some: _read(some, keys, s3_client))
    published = context.broadcast(_published(context, gold, s3_client))
    return (
        context.parallelize(due, context.defaultParallelism)
        .keyBy(lambda held: held.version)
        .groupWith(read)
        .flatMap(
            lambda found: [
                row
                for held in found[1][0]
                if (row := unbuilt_row(held, list(found[1][1]), published.value, policy))
            ]
        )
    )


def _sliced(context: SparkContext, items: Sequence[Any]) -> RDD[Any]:
    return context.parallelize(items, max(1, len(items) // _STATEMENTS_PER_SLICE))


def _read(
    statements: Iterable[StoredVersion], keys: LineageKeys, s3_client: Callable[[], S3Client]
) -> Iterator[tuple[ObjectVersion, ReadBy]]:
    yield from versions_read(s3_client(), statements, keys.trust)


def _published(
    context: SparkContext, gold: Iterable[HeldVersion], s3_client: Callable[[], S3Client]
) -> Published:
    placed = [
        (version, place)
        for version in gold
        if not version.is_marker and (place := place_of(version.version.key)) is not None
    ]
    days: dict[tuple[str, str], dict[ObjectVersion, datetime]] = {}
    for version, (dataset, dt, _) in placed:
        if version.is_latest:
            days.setdefault((dataset, dt), {})[version.version] = version.stored_at
    return Published(
        dict(
            _sliced(context, list(days.items()))
            .mapPartitions(lambda some: _shown(some, s3_client))
            .collect()
        ),
        min((version.stored_at for version, _ in placed), default=None),
    )


def _shown(
    days: Iterable[tuple[tuple[str, str], Mapping[ObjectVersion, datetime]]],
    s3_client: Callable[[], S3Client],
) -> Iterator[tuple[tuple[str, str], DayShown]]:
    s3 = s3_client()
    for day, versions in days:
        stored = {version.key: at for version, at in versions.items()}
        found = publications_at(s3, next(iter(versions)).bucket, stored)
        counts = next(found, None)
        if counts is None:
            continue
        told: list[DayShown | None] = []
        if counts.why is Why.ROLLBACK:
            told += (DayShown(each, stored[each.key]) for each in islice(found, MOST_EARLIER))
            told += [None] if next(found, None) else []
        yield day, DayShown(counts, stored[counts.key], tuple(told))
