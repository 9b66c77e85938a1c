"""Hashing many object versions on the workers of a Spark job."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from custody.aws.s3.hashing import hash_version
from custody.aws.s3.listing import StoredVersion
from custody.core.lineage.model import HashedObject

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from pyspark import SparkContext


_FEW: Final = 32
_FEW_BYTES: Final = 16 * 1024 * 1024
"""So few objects, of so few bytes, are hashed before Spark has started a reader for them."""


def hash_versions(
    spark: SparkContext, versions: Sequence[StoredVersion], s3_client: Callable[[], S3Client]
) -> list[HashedObject]:
    """Each object version with the SHA-256 of its bytes, in order.

    Where there is much to read, only names and hashes pass through the driver, and `s3_client` is
    called on the workers, as clients do not travel. A version that is gone or cut short fails the
    job, as `hash_version` or Spark reports it.
    """
    if len(versions) <= _FEW and sum(item.size for item in versions) <= _FEW_BYTES:
        return list(_hashed(versions, s3_client))
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
