"""Hashing many object versions on the workers of a Spark job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from custody.aws.s3.hashing import hash_version
from custody.aws.s3.listing import StoredVersion
from custody.core.lineage.model import HashedObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from pyspark import SparkContext


def hash_versions(
    spark: SparkContext, versions: Sequence[StoredVersion], s3_client: Callable[[], S3Client]
) -> list[HashedObject]:
    """Each object version with the SHA-256 of its bytes, in order.

    Only names and hashes pass through the driver. `s3_client` is called on the workers, as
    clients do not travel. A version that is gone or cut short fails the job, as Spark reports it.
    """
    if not versions:
        return []
    slices = min(len(versions), spark.defaultParallelism * 4)
    hashed: list[HashedObject] = (
        spark.parallelize(versions, slices)
        .mapPartitions(lambda some: _hashed(some, s3_client))
        .collect()
    )
    return hashed


def _hashed(
    versions: Iterable[StoredVersion], s3_client: Callable[[], S3Client]
) -> Iterator[HashedObject]:
    s3 = s3_client()
    for item in versions:
        found = hash_version(s3, item.version)
        yield HashedObject(item.version, found.sha256)
