"""What a sample of Parquet says of its columns: their types stand in it.

Only those are taken that the job reads without rounding (`custody.spark.silver.parquet.bounds`).
"""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Final

import duckdb
from infra.datasets.sample import BadSample, Found, Sample, found

_TYPES: Final = {
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    **dict.fromkeys(("TINYINT", "UTINYINT", "SMALLINT", "USMALLINT", "INTEGER"), "int"),
    **dict.fromkeys(("UINTEGER", "BIGINT"), "bigint"),
}
_WHY_NOT: Final = {
    "FLOAT": "its numbers would be rounded: let it be a decimal",
    "DOUBLE": "its numbers would be rounded: let it be a decimal",
    "TIMESTAMP": "its times are of no zone: let them be adjusted to UTC",
    "TIMESTAMP_NS": "its times are of no zone: let them be adjusted to UTC",
}
_MOMENT: Final = "strftime(make_timestamp(epoch_us({0})), '%Y-%m-%dT%H:%M:%SZ')"
"""As a contract writes it; needs no time zones of DuckDB's."""


def read_parquet_sample(path: Path) -> Sample:
    """What a Parquet file says; raises BadSample."""
    # DuckDB reads every file that a name with `*` or `[` stands for.
    name = glob.escape(str(path))
    with duckdb.connect() as connection:
        try:
            rows = connection.read_parquet(name)
            there = connection.execute("SELECT name FROM parquet_schema(?)", [name]).fetchall()
            if not rows.project("1").limit(1).fetchall():
                raise BadSample(f"{path}: there is no row in it")
            columns = tuple(
                _column(rows, column, str(kind), path)
                for column, kind in zip(rows.columns, rows.types, strict=True)
            )
        except duckdb.Error as error:
            raise BadSample(f"{path}: {str(error).partition(chr(10))[0]}") from error
    if [column.name for column in columns] != [column for (column,) in there[1:]]:
        raise BadSample(f"{path}: two columns have one name")
    return Sample("parquet", columns)


def _column(rows: duckdb.DuckDBPyRelation, name: str, kind: str, path: Path) -> Found:
    is_decimal = kind.startswith("DECIMAL(")
    if not is_decimal and kind not in _TYPES:
        why = _WHY_NOT.get(kind, "no contract has a column of it")
        raise BadSample(f"{path}: {name} is {kind}: {why}")
    value = str(duckdb.ColumnExpression(name))
    if _TYPES.get(kind) == "timestamp":
        finer = rows.project(f"epoch_ns({value}) % 1000000000 AS finer").filter("finer <> 0")
        if finer.limit(1).fetchall():
            raise BadSample(f"{path}: {name} has times finer than a second, which are rejected")
        text = _MOMENT.format(value)
    else:
        text = f"CAST({value} AS VARCHAR)"
    contracts = kind.lower().replace(" ", "") if is_decimal else _TYPES[kind]
    return found(name, contracts, rows.project(f"{text} AS value"))
