"""The pointer move: which files a partition of the Glue catalog shows its readers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import PartitionInputTypeDef

MAX_PARTITIONS: Final = 100
"""Glue's limit per BatchCreatePartition and per BatchUpdatePartition call."""


class PartitionsNotMoved(Exception):
    """Glue refused some of the partitions; the text names each with Glue's reason."""


@dataclass(frozen=True)
class Pointer:
    """Where a partition's files are: `values` in the order of the table's partition keys."""

    values: tuple[str, ...]
    location: str


def point_partitions(
    glue: GlueClient, database: str, table: str, pointers: Sequence[Pointer]
) -> None:
    """Point partitions of `table` at new locations, adding those it does not have.

    Existing ones move in one call, so readers of several see them move together. Doing it again
    changes nothing. Raises `PartitionsNotMoved` if Glue refuses any of them, `ValueError` for
    more than `MAX_PARTITIONS`.
    """
    if not pointers:
        return
    if len(pointers) > MAX_PARTITIONS:
        raise ValueError(
            f"{len(pointers)} partitions of {table}: Glue takes {MAX_PARTITIONS} a call"
        )
    storage = glue.get_table(DatabaseName=database, Name=table)["Table"]["StorageDescriptor"]
    inputs: list[PartitionInputTypeDef] = [
        {
            "Values": list(pointer.values),
            "StorageDescriptor": {**storage, "Location": pointer.location},
        }
        for pointer in pointers
    ]
    created = glue.batch_create_partition(
        DatabaseName=database, TableName=table, PartitionInputList=inputs
    )
    existing: set[tuple[str, ...]] = set()
    refused: list[str] = []
    for error in created.get("Errors", []):
        values, detail = tuple(error["PartitionValues"]), error["ErrorDetail"]
        if detail["ErrorCode"] == "AlreadyExistsException":
            existing.add(values)
        else:
            refused.append(f"{values}: {detail['ErrorCode']} {detail.get('ErrorMessage', '')}")
    _raise_if_any(table, refused)
    if not existing:
        return
    updated = glue.batch_update_partition(
        DatabaseName=database,
        TableName=table,
        Entries=[
            {"PartitionValueList": item["Values"], "PartitionInput": item}
            for item in inputs
            if tuple(item["Values"]) in existing
        ],
    )
    _raise_if_any(
        table,
        [
            f"{tuple(error['PartitionValueList'])}: {error['ErrorDetail']['ErrorCode']} "
            f"{error['ErrorDetail'].get('ErrorMessage', '')}"
            for error in updated.get("Errors", [])
        ],
    )


def _raise_if_any(table: str, refused: Sequence[str]) -> None:
    if refused:
        raise PartitionsNotMoved(f"{table}: " + "; ".join(refused))


def locations(glue: GlueClient, database: str, table: str, where: str) -> list[str]:
    """Where the partitions of `table` that meet the expression `where` lie, in no order."""
    pages = glue.get_paginator("get_partitions").paginate(
        DatabaseName=database, TableName=table, Expression=where
    )
    return [
        partition["StorageDescriptor"]["Location"]
        for page in pages
        for partition in page["Partitions"]
    ]
