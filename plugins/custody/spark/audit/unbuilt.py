"""Comparing what lies in bronze with what the runs state to have read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pyspark import SparkContext
from pyspark.rdd import RDD

from custody.aws.lineage.keeping import versions_read
from custody.aws.s3.listing import StoredVersion
from custody.core.ledger.kinds.at_rest import HeldVersion
from custody.core.ledger.kinds.unbuilt import unbuilt_row
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow
from custody.core.lineage.trust import LineageKeys
from custody.objects import ObjectVersion

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# One request each: enough of them at once to hide the waiting.
_STATEMENTS_PER_SLICE = 64


def unbuilt(
    context: SparkContext,
    due: Sequence[HeldVersion],
    statements: Sequence[StoredVersion],
    keys: LineageKeys,
    policy: Policy,
    s3_client: Callable[[], S3Client],
) -> RDD[LedgerRow]:
    """The rows of those of the versions `due` that no good statement says was read.

    Where nothing is due, no statement is read.
    """
    if not due:
        return context.parallelize(list[LedgerRow](), 1)
    read = (
        context.parallelize(statements, max(1, len(statements) // _STATEMENTS_PER_SLICE))
        .mapPartitions(lambda some: _read(some, keys, s3_client))
        .map(lambda version: (version, None))
    )
    return (
        context.parallelize(due, context.defaultParallelism)
        .keyBy(lambda held: held.version)
        .subtractByKey(read)
        .values()
        .map(lambda held: unbuilt_row(held, policy))
    )


def _read(
    statements: Iterable[StoredVersion], keys: LineageKeys, s3_client: Callable[[], S3Client]
) -> Iterator[ObjectVersion]:
    yield from versions_read(s3_client(), statements, keys.trust)
