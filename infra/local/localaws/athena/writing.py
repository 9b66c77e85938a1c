"""Writing the rows of a query as Parquet objects: UNLOAD, CREATE TABLE AS, INSERT INTO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localaws.athena import types
from localaws.athena.errors import QueryError, not_supported
from localaws.athena.results import render
from localaws.athena.session import Session
from localaws.athena.storage import Location, ObjectStore
from localaws.athena.types import Type, duckdb_name, hive_name, quoted

MAX_PARTITIONS = 100
_NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
_ESCAPED = frozenset("\"#%'*/:=?\\\x7f{[]^") | frozenset(map(chr, range(0x20)))
_COMPRESSIONS = {
    "GZIP": "gzip",
    "SNAPPY": "snappy",
    "ZSTD": "zstd",
    "NONE": "uncompressed",
    "UNCOMPRESSED": "uncompressed",
}


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: objects' URIs, rows, and the text values of the partitions."""

    uris: tuple[str, ...]
    rows: int
    partitions: tuple[tuple[str, ...], ...]


def parquet_compression(name: str) -> str:
    """DuckDB's name of a compression; raises QueryError."""
    found = _COMPRESSIONS.get(name.upper())
    if found is None:
        raise not_supported(f"compression {name} of Parquet")
    return found


def check_columns(
    columns: Sequence[tuple[str, Type]], unnamed: frozenset[int], partitioned_by: Sequence[str]
) -> None:
    """Raise QueryError unless the columns can be written to a table partitioned like this."""
    if unnamed:
        raise QueryError(
            "MISSING_COLUMN_NAME", f"Column name not specified at position {min(unnamed) + 1}"
        )
    names = [name.lower() for name, _ in columns]
    duplicate = next((name for name in names if names.count(name) > 1), None)
    if duplicate is not None:
        raise QueryError(
            "DUPLICATE_COLUMN_NAME", f"Column name '{duplicate}' specified more than once"
        )
    for _, kind in columns:
        hive_name(kind)
    keys = [name.lower() for name in partitioned_by]
    if keys and names[-len(keys) :] != keys:
        raise QueryError(
            "HIVE_COLUMN_ORDER_MISMATCH",
            "Partition keys must be the last columns in the table and in the same order as the "
            f"table properties: [{', '.join(keys)}]",
        )
    if keys and len(keys) == len(names):
        raise QueryError("INVALID_TABLE_PROPERTY", "Table contains only partition columns")


class ParquetWriter:
    """Writes the rows of a DuckDB table to S3."""

    def __init__(self, session: Session, store: ObjectStore, folder: Path, name: str) -> None:
        """`folder` takes passing files; objects are called ``<name>_<number>``."""
        self._session = session
        self._store = store
        self._folder = folder
        self._name = name

    def write(
        self,
        source: str,
        columns: Sequence[tuple[str, Type]],
        partitioned_by: Sequence[str],
        locations: Mapping[tuple[str, ...], Location] | Location,
        compression: str,
    ) -> Written:
        """Write the rows of DuckDB table `source`, whose columns are ``c0``, ``c1``….

        `locations` is the root below which partitions get ``name=value`` folders; for partitions
        that lie elsewhere, a mapping of their text values, with the root under ``()``.
        """
        count = len(columns) - len(partitioned_by)
        keys = columns[count:]
        data = ", ".join(
            f"{_stored(f'c{index}', kind)} AS {quoted(name.lower())}"
            for index, (name, kind) in enumerate(columns[:count])
        )
        uris: list[str] = []
        partitions = self._partitions(source, keys, count)
        rows = int(self._session.rows(f"SELECT count(*) FROM {source}")[0][0])
        for number, values in enumerate(partitions):
            texts = tuple(
                _partition_text(value, kind) for value, (_, kind) in zip(values, keys, strict=True)
            )
            where = " AND ".join(
                f"c{count + index} IS NOT DISTINCT FROM CAST(? AS {duckdb_name(kind)})"
                for index, (_, kind) in enumerate(keys)
            )
            path = self._folder / f"written-{number}.parquet"
            self._session.run(
                f"COPY (SELECT {data} FROM {source} WHERE {where or 'TRUE'}) TO '{path}' "
                f"(FORMAT parquet, COMPRESSION {compression})",
                values,
            )
            target = _target(locations, [name.lower() for name, _ in keys], texts)
            key = f"{target.prefix}{self._name}_{number:05}"
            self._store.put(target.bucket, key, path)
            path.unlink()
            uris.append(f"s3://{target.bucket}/{key}")
        written = tuple(
            tuple(
                _partition_text(value, kind) for value, (_, kind) in zip(values, keys, strict=True)
            )
            for values in partitions
        )
        return Written(tuple(uris), rows, written if keys else ())

    def _partitions(
        self, source: str, keys: Sequence[tuple[str, Type]], first: int
    ) -> list[tuple[Any, ...]]:
        if not keys:
            has_rows = self._session.rows(f"SELECT 1 FROM {source} LIMIT 1")
            return [()] if has_rows else []
        names = ", ".join(f"c{first + index}" for index in range(len(keys)))
        found = self._session.rows(f"SELECT DISTINCT {names} FROM {source} ORDER BY {names}")
        if len(found) > MAX_PARTITIONS:
            raise QueryError(
                "HIVE_TOO_MANY_OPEN_PARTITIONS",
                f"Exceeded limit of {MAX_PARTITIONS} open writers for partitions/buckets",
            )
        return found


def _stored(column: str, kind: Type) -> str:
    if kind.base == "timestamp" and kind.precision > 3:
        raise not_supported(f"writing {kind} (cast it to timestamp(3))")
    return column


def _partition_text(value: Any, kind: Type) -> str:
    if not (types.is_integer(kind) or kind in (types.VARCHAR, types.DATE)):
        raise not_supported(f"a partition column of type {kind}")
    text = render(value, kind)
    return _NULL_PARTITION if text is None or text == "" else text


def escaped(value: str) -> str:
    """A partition value as Hive writes it into a path."""
    return "".join(f"%{ord(char):02X}" if char in _ESCAPED else char for char in value)


def partition_path(names: Sequence[str], values: Sequence[str]) -> str:
    """``name=value/…/``."""
    return "".join(
        f"{escaped(name)}={escaped(value)}/" for name, value in zip(names, values, strict=True)
    )


def _target(
    locations: Mapping[tuple[str, ...], Location] | Location,
    names: Sequence[str],
    values: tuple[str, ...],
) -> Location:
    if isinstance(locations, Location):
        root = locations
    elif values in locations:
        return locations[values]
    else:
        root = locations[()]
    return Location(root.bucket, root.prefix + partition_path(names, values))
