"""What a sample says of its columns: DuckDB infers the types, and a contract may narrow them.

A value must come out of silver as it went in: digits with zeros before them, and dates and times
that are written otherwise than a contract reads them, stay texts.
"""

from __future__ import annotations

import csv
import glob
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb

from custody.core.datasets.landed.formats import DELIMITERS

_WHOLE: Final = r"-?(0|[1-9]\d{0,17})"
_DECIMAL: Final = r"-?(0|[1-9]\d*)\.\d+|-?(0|[1-9]\d*)"
_FORMS: Final = {
    "bigint": _WHOLE,
    "decimal": _DECIMAL,
    "date": r"\d{4}-\d\d-\d\d",
    "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
}
"""How every value of a column must be written for the column to have the type."""

_INFERRED: Final = {
    "BIGINT": "bigint",
    "DOUBLE": "decimal",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp",
    "BOOLEAN": "boolean",
}


class BadSample(ValueError):
    """The sample is no file that a contract could describe; the message says why."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of a column.

    Of its `rows`, that many have a value (`given`), and so many of these differ. `longest` and
    `words` are of a text's and a boolean's values.
    """

    name: str
    type: str
    rows: int
    given: int
    distinct: int
    longest: int
    words: tuple[str, ...]
    example: str

    @property
    def has_nulls(self) -> bool:
        """Whether a row has no value."""
        return self.given < self.rows

    @property
    def is_unique(self) -> bool:
        """Whether every row has a value of its own."""
        return self.distinct == self.rows


@dataclass(frozen=True, slots=True)
class FoundArray:
    """An array of objects: whether every row has it, how many items one has, and their columns."""

    name: str
    has_nulls: bool
    least: int
    most: int
    columns: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """What a sample says of its dataset; `format` is one that a contract may name, and `delimiter`
    stands between the fields of CSV.
    """

    format: str
    columns: tuple[Found, ...]
    arrays: tuple[FoundArray, ...] = ()
    delimiter: str = ","


def lines_of(path: Path) -> list[str]:
    """The lines of a text; raises BadSample if a line is not UTF-8."""
    lines = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), start=1):
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise BadSample(
                f"{path}, line {number}: not UTF-8. A sample is CSV, JSON lines (.jsonl) or "
                "Parquet (.parquet), not packed; have text written as UTF-8"
            ) from error
    return lines


def read_csv_sample(path: Path) -> Sample:
    """What a CSV file with a header says; raises BadSample."""
    header = lines_of(path)[0]
    delimiter = max(DELIMITERS, key=header.count)  # of several the first, which is a comma
    return Sample("csv", csv_columns(path, delimiter), delimiter=delimiter)


def csv_columns(path: Path, delimiter: str = ",") -> tuple[Found, ...]:
    """The columns of a CSV file with a header, in order; raises BadSample."""
    with duckdb.connect() as connection:
        try:
            _load(connection, path, delimiter)
        except duckdb.Error as error:
            line = re.search(r"CSV Error on Line: (\d+)", str(error))
            raise BadSample(
                f"{path}{f', line {line[1]}' if line else ''}: not CSV that a contract reads: each "
                f"line has as many fields as the header, by {DELIMITERS[delimiter]}; quotes are "
                "around whole fields, and doubled within"
            ) from error
        inferred = {name: kind for name, kind, *_ in connection.sql("DESCRIBE typed").fetchall()}
        if list(inferred) != (header := _header(path, delimiter)):
            raise BadSample(f"{path}: a column has no name, or that of another: {header[:50]}")
        return tuple(_column(connection.table("texts"), name, inferred[name]) for name in inferred)


def _header(path: Path, delimiter: str) -> list[str]:
    """The columns as the file names them: DuckDB names one anew that has no name of its own."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            return next(csv.reader(file, delimiter=delimiter), [])
        except csv.Error as error:
            raise BadSample(f"{path}: {error}") from error


def _load(connection: duckdb.DuckDBPyConnection, path: Path, delimiter: str) -> None:
    """The file as two tables: as texts, and in the types that DuckDB infers from all of it."""
    # DuckDB reads every file that a name with `*` or `[` stands for.
    options = "header=true, skip=0, delim=?, quote='\"', escape='\"', nullstr='', strict_mode=true"
    for table, more in (("texts", "all_varchar=true"), ("typed", "sample_size=-1")):
        connection.execute(
            f"CREATE TABLE {table} AS FROM read_csv(?, {options}, {more})",
            [glob.escape(str(path)), delimiter],
        )
    if not connection.table("texts").limit(1).fetchall():
        raise BadSample(f"{path}: there is no row in it")


def _column(texts: duckdb.DuckDBPyRelation, name: str, inferred: str) -> Found:
    values = texts.select(duckdb.ColumnExpression(name).alias("value"))
    kind = _INFERRED.get(inferred, "string")
    form = _FORMS.get(kind)
    if form and values.filter(f"NOT regexp_full_match(value, '{form}')").fetchall():
        kind = "string"
    return found(name, _decimal(values) if kind == "decimal" else kind, values)


def found(name: str, kind: str, values: duckdb.DuckDBPyRelation) -> Found:
    """What the texts of a column, its `values`, say of it."""
    rows, given, distinct, longest, example = _of_all(
        values,
        "count(*), count(value), count(DISTINCT value), coalesce(max(length(value)), 0), "
        "coalesce(min(value), '')",
    )
    words = values.filter("value IS NOT NULL").project("lower(value)").distinct().fetchall()
    return Found(
        name=name,
        type=kind,
        rows=rows,
        given=given,
        distinct=distinct,
        longest=longest,
        words=tuple(sorted(word for (word,) in words)) if kind == "boolean" else (),
        example=example,
    )


def _decimal(values: duckdb.DuckDBPyRelation) -> str:
    """A decimal that has room for what the sample has, and for a hundred times as much."""
    whole, scale = _of_all(
        values,
        r"max(length(regexp_extract(value, '^-?(\d+)', 1))), "
        r"max(length(regexp_extract(value, '\.(\d+)$', 1)))",
    )
    return f"decimal({min(whole + 2 + scale, 38)},{scale})"


def _of_all(values: duckdb.DuckDBPyRelation, aggregates: str) -> tuple[Any, ...]:
    return values.aggregate(aggregates).fetchall()[0]
