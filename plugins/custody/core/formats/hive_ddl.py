"""Our own `CREATE EXTERNAL TABLE` statements, held against what the Glue catalog has.

Hive's grammar as far as `include/sql` uses it: columns, partition keys, a row format, a file
format, a location, properties. What the catalog spells otherwise (the case and spaces of types, a
slash at the end of a location, properties that Athena adds) makes no difference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

_PARQUET: Final = "org.apache.hadoop.hive.ql.io.parquet"
_TEXT_OUTPUT: Final = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"
_FORMATS: Final[Mapping[str, tuple[str, str, str]]] = {
    "PARQUET": (
        f"{_PARQUET}.MapredParquetInputFormat",
        f"{_PARQUET}.MapredParquetOutputFormat",
        f"{_PARQUET}.serde.ParquetHiveSerDe",
    ),
    "TEXTFILE": ("org.apache.hadoop.mapred.TextInputFormat", _TEXT_OUTPUT, ""),
}
"""Input format, output format and SerDe of each file format."""

_DECISIVE: Final = (
    *("metadata_location", "presto_view", "projection.", "skip.", "spark.sql."),
    *("storage.location.template", "table_type"),
)
"""What properties begin with that decide what a table shows: those that make it a table of Iceberg
or a view read nothing of its location. Athena and Glue keep others beside them."""

_KIND: Final = "EXTERNAL_TABLE"

_COMMENT: Final = re.compile(r"^\s*--.*$", re.MULTILINE)
_HEAD: Final = re.compile(r"\s*CREATE EXTERNAL TABLE IF NOT EXISTS (\w+) \(")
_PAIR: Final = re.compile(r"'([^']*)'\s*=\s*'([^']*)'")
_CLAUSES: Final = {
    "serde": re.compile(r"ROW FORMAT SERDE '([^']+)'"),
    "location": re.compile(r"\bLOCATION '([^']+)'"),
    "stored": re.compile(r"STORED AS (PARQUET|TEXTFILE)\b"),
    "input": re.compile(r"STORED AS INPUTFORMAT '([^']+)'"),
    "output": re.compile(r"\bOUTPUTFORMAT '([^']+)'"),
}

Columns = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """A table of the catalog, without what makes no difference."""

    name: str
    columns: Columns
    partition_keys: Columns
    location: str
    input_format: str
    output_format: str
    serde: str
    serde_properties: Mapping[str, str]
    properties: Mapping[str, str]
    kind: str = _KIND

    def differences(self, other: TableDefinition) -> tuple[str, ...]:
        """The names of the fields in which `other` differs."""
        names = (field.name for field in fields(self))
        return tuple(name for name in names if getattr(self, name) != getattr(other, name))

    def to_table_input(self) -> dict[str, Any]:
        """The definition as Glue's CreateTable and UpdateTable take it."""
        return {
            "Name": self.name,
            "TableType": self.kind,
            "Parameters": {"EXTERNAL": "TRUE", **self.properties},
            "PartitionKeys": _named(self.partition_keys),
            "StorageDescriptor": {
                "Columns": _named(self.columns),
                "Location": self.location,
                "InputFormat": self.input_format,
                "OutputFormat": self.output_format,
                "SerdeInfo": {
                    "SerializationLibrary": self.serde,
                    "Parameters": dict(self.serde_properties) or {"serialization.format": "1"},
                },
            },
        }


def read_definition(statement: str) -> TableDefinition:
    """The table that a statement creates; raises `ValueError` for one of another form."""
    text = _COMMENT.sub("", statement)
    head = _HEAD.match(text)
    if head is None:
        raise ValueError(f"no CREATE EXTERNAL TABLE IF NOT EXISTS: {text.strip()[:80]!r}")
    columns, rest = _parenthesis(text, head.end())
    found = {name: match[1] for name, clause in _CLAUSES.items() if (match := clause.search(rest))}
    formats = _FORMATS.get(found.get("stored", ""), ("", "", ""))
    try:
        location = found["location"]
        given = (found.get("input"), found.get("output"), found.get("serde"))
        chosen = [one or default for one, default in zip(given, formats, strict=True)]
    except KeyError as error:
        raise ValueError(f"{head[1]}: no LOCATION") from error
    if not all(chosen):
        raise ValueError(f"{head[1]}: no file format, or no SerDe")
    return TableDefinition(
        name=head[1],
        columns=_columns(columns),
        partition_keys=_columns(_after("PARTITIONED BY (", rest)),
        location=location.rstrip("/"),
        input_format=chosen[0],
        output_format=chosen[1],
        serde=chosen[2],
        serde_properties=dict(_PAIR.findall(_after("WITH SERDEPROPERTIES (", rest))),
        properties=dict(_PAIR.findall(_after("TBLPROPERTIES (", rest))),
    )


def parquet_table(
    name: str, columns: Columns, partition_keys: Columns, location: str
) -> TableDefinition:
    """The definition of a table of Parquet files, without properties."""
    input_format, output_format, serde = _FORMATS["PARQUET"]
    return TableDefinition(
        name=name,
        columns=_normal(columns),
        partition_keys=_normal(partition_keys),
        location=location.rstrip("/"),
        input_format=input_format,
        output_format=output_format,
        serde=serde,
        serde_properties={},
        properties={},
    )


def definition_of(table: Mapping[str, Any]) -> TableDefinition:
    """The definition of a table as Glue's GetTable gives it; what is missing is empty."""
    storage = table.get("StorageDescriptor") or {}
    serde = storage.get("SerdeInfo") or {}
    given = serde.get("Parameters") or {}
    return TableDefinition(
        name=table.get("Name", ""),
        columns=_listed(storage.get("Columns")),
        partition_keys=_listed(table.get("PartitionKeys")),
        location=storage.get("Location", "").rstrip("/"),
        input_format=storage.get("InputFormat", ""),
        output_format=storage.get("OutputFormat", ""),
        serde=serde.get("SerializationLibrary", ""),
        serde_properties={n: v for n, v in given.items() if n != "serialization.format"},
        properties={
            name: value
            for name, value in (table.get("Parameters") or {}).items()
            if name.startswith(_DECISIVE)
        },
        kind=table.get("TableType") or _KIND,
    )


def _parenthesis(text: str, begin: int) -> tuple[str, str]:
    """What stands before the parenthesis that closes the one before `begin`, and after it."""
    depth = 1
    for position in range(begin, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            return text[begin:position], text[position + 1 :]
    raise ValueError("a parenthesis is not closed")


def _after(clause: str, text: str) -> str:
    """What stands in the parentheses of a clause; nothing if it is not there."""
    begin = text.find(clause)
    return "" if begin < 0 else _parenthesis(text, begin + len(clause))[0]


def _columns(text: str) -> Columns:
    return tuple(
        (name.strip("`").lower(), _type(kind))
        for name, _, kind in (item.strip().partition(" ") for item in _items(text))
    )


def _items(text: str) -> Iterator[str]:
    """What commas part, but for those in brackets of any kind."""
    depth, begin = 0, 0
    for position, char in enumerate(text):
        depth += {"(": 1, "<": 1, ")": -1, ">": -1}.get(char, 0)
        if char == "," and depth == 0:
            yield text[begin:position]
            begin = position + 1
    if text[begin:].strip():
        yield text[begin:]


def _normal(columns: Columns) -> Columns:
    return tuple((name.lower(), _type(kind)) for name, kind in columns)


def _listed(columns: object) -> Columns:
    listed = columns if isinstance(columns, list) else []
    return tuple((str(one.get("Name")).lower(), _type(str(one.get("Type")))) for one in listed)


def _named(columns: Columns) -> list[dict[str, str]]:
    return [{"Name": name, "Type": kind} for name, kind in columns]


def _type(text: str) -> str:
    return "".join(text.lower().split())
