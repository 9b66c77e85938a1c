"""The partitions of the catalog, made to follow the publications."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from custody.aws.catalog import MAX_PARTITIONS, PartitionsNotMoved, Pointer, point_partitions
from custody.aws.publications.keeping import latest

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_s3 import S3Client

_ROUNDS: Final = 10
"""How often others may publish while partitions are moved."""


def follow(
    s3: S3Client,
    glue: GlueClient,
    *,
    bucket: str,
    database: str,
    dataset: str,
    days: Sequence[str],
    tables: Mapping[str, str],
) -> list[str]:
    """Point the partitions of these days and tables at what the publications in `bucket` show.

    `tables` has where each lies; a publication that shows it anywhere else moves nothing.
    The publications are read again once the partitions were moved, until nothing is astray: so
    whoever moves last moves to what counts, and a move that was killed is finished by the next.
    Returns each partition that was moved, in words. Raises what botocore raises, and
    `PartitionsNotMoved`, also if others publish again and again.
    """
    moved: list[str] = []
    for _ in range(_ROUNDS):
        counting = [found for dt in days if (found := latest(s3, bucket, dataset, dt))]
        astray = 0
        for table, place in tables.items():
            wanted = [
                Pointer((publication.dt,), shown.location)
                for publication in counting
                for shown in publication.shown
                if shown.table_name == table
                and shown.location == f"{place}/dt={publication.dt}/run={shown.run}/"
            ]
            for first in range(0, len(wanted), MAX_PARTITIONS):
                some = wanted[first : first + MAX_PARTITIONS]
                elsewhere = list(_elsewhere(glue, database, table, some))
                point_partitions(glue, database, table, elsewhere)
                moved += (
                    f"{table}: dt={each.values[0]} is in {each.location}" for each in elsewhere
                )
                astray += len(elsewhere)
        if not astray:
            return moved
    raise PartitionsNotMoved(
        f"{dataset}: others published {', '.join(days)} meanwhile, again and again"
    )


def _elsewhere(
    glue: GlueClient, database: str, table: str, wanted: Sequence[Pointer]
) -> Iterator[Pointer]:
    """Those of the partitions that show something else, or are not there."""
    answer = glue.batch_get_partition(
        DatabaseName=database,
        TableName=table,
        PartitionsToGet=[{"Values": list(pointer.values)} for pointer in wanted],
    )
    now = {
        tuple(partition["Values"]): partition["StorageDescriptor"]["Location"]
        for partition in answer.get("Partitions", [])
    }
    for pointer in wanted:
        if now.get(pointer.values) != pointer.location:
            yield pointer
