"""Reading objects into rows: Parquet by DuckDB, JSON and CloudTrail files line by line here."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localaws.athena.errors import QueryError, not_supported
from localaws.athena.hive import PARQUET_INPUT, PARQUET_SERDE
from localaws.athena.sql import types
from localaws.athena.sql.session import Session
from localaws.athena.sql.types import Type, duckdb_name, quoted, text
from localaws.athena.tables import json_text
from localaws.athena.tables import values as hive_values
from localaws.athena.tables.partitions import Partition
from localaws.athena.tables.relations import PATH_COLUMN, Column, Storage, Table
from localaws.athena.tables.storage import StoredObject

_OPENX = "org.openx.data.jsonserde.JsonSerDe"
_HCATALOG = ("org.apache.hive.hcatalog.data.JsonSerDe", "org.apache.hadoop.hive.serde2.JsonSerDe")
_KNOWN = ("serialization.format", "ignore.malformed.json")
_CLOUDTRAIL_INPUT = "com.amazon.emr.cloudtrail.CloudTrailInputFormat"


@dataclass(frozen=True, slots=True)
class DataFile:
    """An object of a partition, fetched."""

    partition: Partition
    stored: StoredObject
    path: Path


def load(
    session: Session, source: str, table: Table, used: frozenset[str], files: Sequence[DataFile]
) -> None:
    """Make the DuckDB table `source` of the files' rows, with the columns that are `used`.

    Raises QueryError for a file that cannot be read as the table declares it.
    """
    data = [column for column in table.columns if column.name in used]
    keys = [key for key in table.partition_keys if key.name in used]
    columns = [(column.name, column.type) for column in (*data, *keys)]
    if PATH_COLUMN in used:
        columns.append((PATH_COLUMN, types.VARCHAR))
    session.create(source, columns)

    def constants(file: DataFile) -> dict[str, Any]:
        values = {key.name: file.partition.values[key.name] for key in keys}
        return values | ({PATH_COLUMN: file.stored.uri} if PATH_COLUMN in used else {})

    def rows() -> Iterator[dict[str, Any]]:
        for file in files:
            reader = _reader(file.partition.storage)
            if reader is None:
                _load_parquet(session, source, file, data, constants(file))
                continue
            for row in reader(file, data):
                yield row | constants(file)

    session.load(source, columns, rows())


def _load_parquet(
    session: Session,
    source: str,
    file: DataFile,
    columns: Sequence[Column],
    constants: dict[str, Any],
) -> None:
    scan = f"read_parquet({text(str(file.path))}, hive_partitioning = false)"
    try:
        described = session.rows(f"DESCRIBE SELECT * FROM {scan}")
    except QueryError as error:
        raise QueryError(
            "HIVE_CANNOT_OPEN_SPLIT", f"{file.stored.uri} is not valid Parquet: {error}"
        ) from error
    present = {str(name).lower(): str(kind) for name, kind, *_ in described}
    values = {column.name: _parquet_value(column, present, file) for column in columns}
    for name, value in constants.items():
        values[name] = "NULL" if value is None else text(str(value))
    names = ", ".join(map(quoted, [*values, "#"]))
    session.run(
        f"INSERT INTO {source} ({names}) SELECT {', '.join([*values.values(), 'TRUE'])} FROM {scan}"
    )


_Reader = Callable[[DataFile, Sequence[Column]], Iterator[dict[str, Any]]]


def _reader(storage: Storage) -> _Reader | None:
    """How to read a partition's objects; None for Parquet. Raises QueryError."""
    if storage.serde == PARQUET_SERDE or storage.input_format == PARQUET_INPUT:
        return None
    if storage.input_format == _CLOUDTRAIL_INPUT:
        return _cloudtrail_rows
    if storage.serde not in (_OPENX, *_HCATALOG):
        raise not_supported(f"reading tables of SerDe {storage.serde or '(none)'}")
    for name, value in storage.serde_parameters.items():
        if name.lower() not in _KNOWN:
            raise not_supported(f"the SerDe property {name} = {value}")
    return _json_rows


# --- JSON -----------------------------------------------------------------------------------------


def _opened(file: DataFile) -> bytes:
    """The object's bytes, unpacked by the key's extension as Hive does."""
    raw = file.path.read_bytes()
    try:
        if file.stored.key.endswith(".gz"):
            return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise QueryError(
            "HIVE_CURSOR_ERROR", f"Failed to decompress {file.stored.uri}: {error}"
        ) from error
    for extension in (".bz2", ".snappy", ".zst", ".lz4", ".lzo", ".deflate"):
        if file.stored.key.endswith(extension):
            raise not_supported(f"reading {extension} files ({file.stored.uri})")
    return raw


def _fitted(value: Any, columns: Sequence[Column], file: DataFile, where: str) -> dict[str, Any]:
    names = tuple(column.name for column in columns)
    try:
        return hive_values.fit_struct(value, names, tuple(column.type for column in columns))
    except hive_values.Misfit as error:
        raise QueryError("HIVE_BAD_DATA", f"{file.stored.uri}, {where}: {error}") from error


def _json_rows(file: DataFile, columns: Sequence[Column]) -> Iterator[dict[str, Any]]:
    storage = file.partition.storage
    lenient = storage.serde == _OPENX
    ignore = storage.serde_parameters.get("ignore.malformed.json", "").lower() == "true"
    for number, raw in enumerate(_opened(file).splitlines(), start=1):
        line, where = raw.decode("utf-8", "replace").strip(), f"line {number}"
        # OpenX makes a row of NULLs of whatever is no document at all.
        value: Any = {}
        if not lenient or line.startswith(("{", "[")):
            try:
                value = json_text.loads(line)
            except json_text.BadJson as error:
                if not ignore or not lenient:
                    message = (
                        f"Row is not a valid JSON Object - {file.stored.uri}, {where}: {error}"
                    )
                    raise QueryError("HIVE_CURSOR_ERROR", message) from error
        if lenient and isinstance(value, list):
            raise not_supported(f"a JSON array as a row ({file.stored.uri}, {where})")
        yield _fitted(value, columns, file, where)


def _cloudtrail_rows(file: DataFile, columns: Sequence[Column]) -> Iterator[dict[str, Any]]:
    try:
        document = json_text.loads(_opened(file).decode("utf-8"))
    except (json_text.BadJson, UnicodeDecodeError) as error:
        raise QueryError(
            "HIVE_CURSOR_ERROR", f"{file.stored.uri} is not a CloudTrail log file: {error}"
        ) from error
    records = document.get("Records") if isinstance(document, dict) else None
    if not isinstance(records, list):
        raise not_supported(f"an object without Records in a CloudTrail table ({file.stored.uri})")
    for number, record in enumerate(records, start=1):
        yield _fitted(record, columns, file, f"record {number}")


# --- Parquet --------------------------------------------------------------------------------------


def _parquet_value(column: Column, present: dict[str, str], file: DataFile) -> str:
    """The expression that reads a column; one the file does not have is NULL."""
    found = present.get(column.name)
    if found is None:
        return "NULL"
    if not _readable(found, column.type):
        raise QueryError(
            "HIVE_BAD_DATA",
            f"Field {column.name}'s type {found} in parquet file {file.stored.uri} is "
            f"incompatible with type {column.type} defined in table schema",
        )
    value = f"CAST({quoted(column.name)} AS {duckdb_name(column.type)})"
    if column.type.base == "timestamp":
        # Athena's Hive timestamps have milliseconds; the rest is rounded away.
        return f"make_timestamp(CAST(floor((epoch_us({value}) + 500) / 1000) AS BIGINT) * 1000)"
    return value


_WIDER = {"BIGINT": ("INTEGER", "SMALLINT", "TINYINT"), "INTEGER": ("SMALLINT", "TINYINT")}
_WIDER |= {"DOUBLE": ("FLOAT",), "TIMESTAMP": ("TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NS")}


def _readable(found: str, wanted: Type) -> bool:
    """Whether a Parquet column of DuckDB type `found` holds what the table declares."""
    declared = duckdb_name(wanted)
    if wanted.args:
        # DuckDB matches the fields of structs by name.
        return found.lower().replace('"', "") == declared.lower().replace('"', "")
    narrower = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", found)
    if wanted.base == "decimal" and narrower is not None:
        precision, scale = map(int, narrower.groups())
        return precision <= wanted.numbers[0] and scale == wanted.numbers[1]
    return found == declared or found in _WIDER.get(declared, ())
