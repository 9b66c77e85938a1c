"""Reading objects into rows: Parquet by DuckDB, JSON and CloudTrail files line by line here."""

from __future__ import annotations

import bz2
import gzip
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlglot import exp

from localaws.athena import hive_values, json_text, types
from localaws.athena.ddl import PARQUET_INPUT, PARQUET_SERDE
from localaws.athena.errors import QueryError, not_supported
from localaws.athena.partitions import Partition
from localaws.athena.relations import PATH_COLUMN, Column, Storage, Table
from localaws.athena.rowfiles import RowFile, create_table
from localaws.athena.session import Session
from localaws.athena.storage import StoredObject
from localaws.athena.types import Type, duckdb_name, quoted

_OPENX = "org.openx.data.jsonserde.JsonSerDe"
_HCATALOG = ("org.apache.hive.hcatalog.data.JsonSerDe", "org.apache.hadoop.hive.serde2.JsonSerDe")
_CLOUDTRAIL_INPUT = "com.amazon.emr.cloudtrail.CloudTrailInputFormat"


@dataclass(frozen=True, slots=True)
class DataFile:
    """An object of a partition, fetched."""

    partition: Partition
    stored: StoredObject
    path: Path


class TableLoader:
    """Fills one DuckDB table with the columns a query looks at."""

    def __init__(
        self, session: Session, source: str, table: Table, used: frozenset[str], folder: Path
    ) -> None:
        """`source` is the DuckDB table; `folder` takes passing files."""
        self._session = session
        self._source = source
        self._table = table
        self._folder = folder
        self._data = [column for column in table.columns if column.name in used]
        self._keys = [key for key in table.partition_keys if key.name in used]
        self._path = PATH_COLUMN in used
        self._columns: list[tuple[str, Type]] = [
            *((column.name, column.type) for column in (*self._data, *self._keys)),
            *([(PATH_COLUMN, types.VARCHAR)] if self._path else []),
            # So that a table of which only the rows are counted has a column.
            ("#", types.BOOLEAN),
        ]

    def load(self, files: Sequence[DataFile]) -> None:
        """Create the table and read the files into it; raises QueryError."""
        create_table(self._session, self._source, self._columns)
        with RowFile(self._folder / f"{self._source}.json", self._columns) as lines:
            for file in files:
                reader = _reader(file.partition.storage)
                if reader is None:
                    self._load_parquet(file)
                    continue
                constants = self._constants(file)
                for row in reader(file, self._data):
                    lines.add({**row, **constants})
            lines.load(self._session, self._source)

    def _constants(self, file: DataFile) -> dict[str, Any]:
        values = {key.name: file.partition.values[key.name] for key in self._keys}
        if self._path:
            values[PATH_COLUMN] = file.stored.uri
        return values

    def _load_parquet(self, file: DataFile) -> None:
        scan = f"read_parquet({_literal(str(file.path))}, hive_partitioning = false)"
        try:
            described = self._session.rows(f"DESCRIBE SELECT * FROM {scan}")
        except QueryError as error:
            raise QueryError(
                "HIVE_CANNOT_OPEN_SPLIT", f"{file.stored.uri} is not valid Parquet: {error}"
            ) from error
        present = {str(name).lower(): str(kind) for name, kind, *_ in described}
        names, values = ['"#"'], ["TRUE"]
        for column in self._data:
            names.append(quoted(column.name))
            values.append(_parquet_value(column, present, file))
        for name, value in self._constants(file).items():
            names.append(quoted(name))
            values.append("NULL" if value is None else _literal(str(value)))
        self._session.run(
            f"INSERT INTO {self._source} ({', '.join(names)}) "
            f"SELECT {', '.join(values)} FROM {scan}"
        )


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


_Reader = Callable[[DataFile, Sequence[Column]], Iterator[dict[str, Any]]]


def _reader(storage: Storage) -> _Reader | None:
    """How to read a partition's objects; None for Parquet. Raises QueryError."""
    if storage.serde == PARQUET_SERDE or storage.input_format == PARQUET_INPUT:
        return None
    if storage.input_format == _CLOUDTRAIL_INPUT:
        return _cloudtrail_rows
    if storage.serde == _OPENX:
        _check_openx(storage)
        return _openx_rows
    if storage.serde in _HCATALOG:
        return _hcatalog_rows
    raise not_supported(f"reading tables of SerDe {storage.serde or '(none)'}")


def is_parquet(storage: Storage) -> bool:
    """Whether a table's objects are Parquet."""
    return _reader(storage) is None


# --- JSON -----------------------------------------------------------------------------------------

_OPENX_KNOWN = frozenset({"serialization.format", "ignore.malformed.json", "paths"})


def _check_openx(storage: Storage) -> None:
    for name, value in storage.serde_parameters.items():
        lowered = name.lower()
        if lowered == "case.insensitive" and value.lower() == "true":
            continue
        if lowered not in _OPENX_KNOWN:
            raise not_supported(f"the SerDe property {name} = {value}")


def _opened(file: DataFile) -> bytes:
    """The object's bytes, decompressed by the key's extension as Hive does."""
    raw = file.path.read_bytes()
    try:
        if file.stored.key.endswith(".gz"):
            return gzip.decompress(raw)
        if file.stored.key.endswith(".bz2"):
            return bz2.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise QueryError(
            "HIVE_CURSOR_ERROR", f"Failed to decompress {file.stored.uri}: {error}"
        ) from error
    for extension in (".snappy", ".zst", ".lz4", ".lzo", ".deflate"):
        if file.stored.key.endswith(extension):
            raise not_supported(f"reading {extension} files ({file.stored.uri})")
    return raw


def _lines(file: DataFile) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(_opened(file).splitlines(), start=1):
        yield number, line.decode("utf-8", "replace")


def _fitted(value: Any, columns: Sequence[Column], file: DataFile, where: str) -> dict[str, Any]:
    names = tuple(column.name for column in columns)
    try:
        return hive_values.fit_struct(value, names, tuple(column.type for column in columns))
    except hive_values.Misfit as error:
        raise QueryError("HIVE_BAD_DATA", f"{file.stored.uri}, {where}: {error}") from error


def _openx_rows(file: DataFile, columns: Sequence[Column]) -> Iterator[dict[str, Any]]:
    parameters = file.partition.storage.serde_parameters
    ignore = parameters.get("ignore.malformed.json", "false").lower() == "true"
    for number, line in _lines(file):
        text = line.strip()
        if not text.startswith(("{", "[")):
            # The SerDe makes a row of NULLs of whatever is no document at all.
            yield {}
            continue
        try:
            value = json_text.loads(text)
        except json_text.BadJson as error:
            if not ignore:
                raise _malformed(file, number, error) from error
            yield {}
            continue
        if not isinstance(value, dict):
            raise not_supported(f"a JSON array as a row ({file.stored.uri}, line {number})")
        yield _fitted(value, columns, file, f"line {number}")


def _hcatalog_rows(file: DataFile, columns: Sequence[Column]) -> Iterator[dict[str, Any]]:
    for number, line in _lines(file):
        try:
            value = json_text.loads(line)
        except json_text.BadJson as error:
            raise _malformed(file, number, error) from error
        yield _fitted(value, columns, file, f"line {number}")


def _malformed(file: DataFile, number: int, error: Exception) -> QueryError:
    return QueryError(
        "HIVE_CURSOR_ERROR",
        f"Row is not a valid JSON Object - {file.stored.uri}, line {number}: {error}",
    )


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
    if not _readable(_parsed(found), column.type):
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


def _parsed(duckdb_type: str) -> exp.DataType:
    return exp.DataType.build(duckdb_type, dialect="duckdb")


_INTEGER_ORDER = (exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT)
_TIMES = frozenset(
    {
        exp.DType.TIMESTAMP,
        exp.DType.TIMESTAMPTZ,
        exp.DType.TIMESTAMP_S,
        exp.DType.TIMESTAMP_MS,
        exp.DType.TIMESTAMP_NS,
        exp.DType.TIMESTAMPNTZ,
    }
)
_SAME = {
    "boolean": frozenset({exp.DType.BOOLEAN}),
    "real": frozenset({exp.DType.FLOAT}),
    "double": frozenset({exp.DType.DOUBLE, exp.DType.FLOAT}),
    "varchar": frozenset({exp.DType.VARCHAR, exp.DType.TEXT}),
    "varbinary": frozenset({exp.DType.VARBINARY, exp.DType.BINARY}),
    "date": frozenset({exp.DType.DATE}),
    "timestamp": _TIMES,
}


def _readable(found: exp.DataType, wanted: Type) -> bool:
    """Whether a Parquet column of DuckDB type `found` holds what the table declares."""
    if types.is_integer(wanted):
        return found.this in _INTEGER_ORDER and (
            _INTEGER_ORDER.index(found.this) <= types.INTEGERS.index(wanted)
        )
    if wanted.base == "decimal":
        numbers = [int(param.name) for param in found.expressions]
        return found.this == exp.DType.DECIMAL and (
            len(numbers) == 2 and numbers[1] == wanted.scale and numbers[0] <= wanted.precision
        )
    if wanted.args:
        return _readable_nested(found, wanted)
    return found.this in _SAME.get(wanted.base, frozenset())


def _readable_nested(found: exp.DataType, wanted: Type) -> bool:
    if wanted.base == "row" and found.this == exp.DType.STRUCT:
        fields = {field.name.lower(): field.args["kind"] for field in found.expressions}
        names = types.field_names(wanted)
        # DuckDB matches the fields of structs by name and wants all of them.
        return set(fields) == set(names) and all(
            _readable(fields[name], kind) for name, kind in zip(names, wanted.args, strict=True)
        )
    container = {"array": exp.DType.ARRAY, "map": exp.DType.MAP}.get(wanted.base)
    return found.this == container and all(
        _readable(inner, kind) for inner, kind in zip(found.expressions, wanted.args, strict=True)
    )
