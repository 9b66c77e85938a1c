"""The pointer move: which files a partition of the Glue catalog shows its readers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from custody.core.formats.timestamps import format_utc, parse_utc

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient
    from mypy_boto3_glue.type_defs import PartitionInputTypeDef

MAX_PARTITIONS: Final = 100
"""Glue's limit per BatchCreatePartition and per BatchUpdatePartition call."""

_JUDGED_AT: Final = "judged_at"
"""The parameter of a partition that says when what it shows was judged (UTC)."""


class PartitionsNotMoved(Exception):
    """Glue refused some of the partitions; the text names each with Glue's reason."""


@dataclass(frozen=True)
class Pointer:
    """Where a partition's files are: `values` in the order of the table's partition keys.

    `judged_at` is the time of judging of what lies there, where it was judged: such a partition
    moves forward only.
    """

    values: tuple[str, ...]
    location: str
    judged_at: datetime | None = None


def point_partitions(
    glue: GlueClient, database: str, table: str, pointers: Sequence[Pointer]
) -> list[tuple[str, ...]]:
    """Point partitions of `table` at new locations, adding those it does not have.

    Existing ones move in one call, so readers of several see them move together. Those that show
    what was judged later stay where they are: returns the values of the ones that are where they
    were asked to be. Doing it again changes nothing. Raises `PartitionsNotMoved` if Glue refuses
    any of them, `ValueError` for more than `MAX_PARTITIONS`.
    """
    if not pointers:
        return []
    if len(pointers) > MAX_PARTITIONS:
        raise ValueError(
            f"{len(pointers)} partitions of {table}: Glue takes {MAX_PARTITIONS} a call"
        )
    storage = glue.get_table(DatabaseName=database, Name=table)["Table"]["StorageDescriptor"]
    inputs: list[PartitionInputTypeDef] = [
        {
            "Values": list(pointer.values),
            "StorageDescriptor": {**storage, "Location": pointer.location},
            "Parameters": _parameters(pointer),
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
    ahead = _judged_later(glue, database, table, [p for p in pointers if p.values in existing])
    if not existing - ahead:
        return [pointer.values for pointer in pointers if pointer.values not in ahead]
    updated = glue.batch_update_partition(
        DatabaseName=database,
        TableName=table,
        Entries=[
            {"PartitionValueList": item["Values"], "PartitionInput": item}
            for item in inputs
            if tuple(item["Values"]) in existing - ahead
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
    return [pointer.values for pointer in pointers if pointer.values not in ahead]


def _parameters(pointer: Pointer) -> dict[str, str]:
    return {} if pointer.judged_at is None else {_JUDGED_AT: format_utc(pointer.judged_at)}


def _judged_later(
    glue: GlueClient, database: str, table: str, pointers: Sequence[Pointer]
) -> set[tuple[str, ...]]:
    """The values of the partitions that show what was judged later than what is to be shown."""
    asked = {p.values: p.judged_at for p in pointers if p.judged_at is not None}
    if not asked:
        return set()
    answer = glue.batch_get_partition(
        DatabaseName=database,
        TableName=table,
        PartitionsToGet=[{"Values": list(values)} for values in asked],
    )
    now = datetime.now(UTC)
    return {
        values
        for partition in answer.get("Partitions", [])
        if (values := tuple(partition["Values"])) in asked
        and stays(partition.get("Parameters", {}).get(_JUDGED_AT), asked[values], now)
    }


def stays(shown: str | None, judged_at: datetime, now: datetime) -> bool:
    """Whether a partition that shows what was judged at `shown` stays, asked to show what was
    judged at `judged_at`.

    What is no time, or lies in the future, was not written by us, and keeps nothing.
    """
    try:
        return shown is not None and judged_at < parse_utc(shown) <= now
    except ValueError:
        return False


def _raise_if_any(table: str, refused: Sequence[str]) -> None:
    if refused:
        raise PartitionsNotMoved(f"{table}: " + "; ".join(refused))
