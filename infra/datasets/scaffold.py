"""The files of a new dataset, as a sample of it suggests them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import yaml
from infra.datasets.sample import BadSample, Found, FoundArray, Sample

from custody.core.datasets.arrays import MAX_ITEMS
from custody.core.datasets.catalog import TODO
from custody.core.datasets.columns import LOGICAL_TYPE_OF
from custody.core.datasets.contracts import contract_of
from custody.core.datasets.landed.formats import CSV

_LANDS_AS: Final[dict[str, dict[str, Any]]] = {
    "csv": {"format": "csv"},
    "json": {"format": "json", "delimiter": "new_line"},
    "parquet": {"format": "parquet"},
}
_DAY: Final = {
    "name": "dt",
    "description": "Day (UTC) for which the files landed",
    "logicalType": "string",
    "physicalType": "string",
    "partitioned": True,
    "partitionKeyPosition": 1,
    "classification": "internal",
}
_TRUE: Final = frozenset({"true", "t", "yes", "y", "1"})


def contract_text(dataset: str, sample: Sample) -> str:
    """A contract that the sample satisfies; raises ContractError where a name cannot be used.

    What no sample can tell says TODO.
    """
    document = _document(dataset, sample) | {"servers": [_server(dataset, sample)]}
    body = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)
    text = (
        f"# The contract of dataset `{dataset}` (Open Data Contract Standard v3.1), made from a "
        f"sample.\n# Look at every {TODO}, at the key, at each type, and at who may leave out what."
        f"\n{body}"
    )
    contract_of(text, f"{dataset}.odcs.yaml")
    return text


def gold_query(dataset: str) -> str:
    """A query to begin with."""
    return (
        "-- Grain:   one row\n"
        f"-- Reads:   silver, the rows of one day of the dataset {dataset}\n"
        f"-- Writes:  gold_{dataset}_total, partition dt = that day\n"
        "-- Runs on: Spark SQL with ANSI mode on, by the Glue job silver_to_gold\n"
        "SELECT COUNT(*) AS total_rows\nFROM silver\n"
    )


def expected(sample: Sample, landed: str) -> str:
    """What becomes of the sample's rows by the contract made from it, as a case of the tests."""
    key = key_of(sample.columns)
    rows = (key.rows, key.distinct, key.given - key.distinct, key.rows - key.given)
    counts = dict(zip(("landed", "silver", "duplicate", "quarantined"), rows, strict=True))
    case = {"day": "2026-11-01", "files": {landed: counts}}
    return yaml.safe_dump(case, sort_keys=False)


def to_look_at(sample: Sample) -> Iterator[str]:
    """What a person must decide, a line each."""
    yield "the sample stays in tests/, and values of it in the contract: are some about people?"
    key = key_of(sample.columns)
    if key.is_unique:
        yield f"{key.name} is the key, as it is given and differs in every row: is it meant to?"
    else:
        yield f"no column differs in every row; {key.name} is the key until you say another"
    yield from _of_columns(sample.columns)
    for array in sample.arrays:
        yield f"{array.name} is a table of its own, a row for each item"
        yield from _of_columns(array.columns, f"{array.name}.")


def _of_columns(columns: Sequence[Found], place: str = "") -> Iterator[str]:
    for column in columns:
        name = place + column.name
        if column.type == "string" and column.example.isdecimal():
            yield f"{name} has digits and stays a text: its zeros would be lost"
        if column.type.startswith("decimal"):
            yield f"{name} is {column.type}: what has more digits is rejected"
        if column.has_nulls:
            yield f"{name} may be left out, as the sample does"


def key_of(columns: Sequence[Found]) -> Found:
    """The first of the columns that tell the most rows apart."""
    return max(columns, key=lambda column: column.distinct)


def _document(dataset: str, sample: Sample) -> dict[str, Any]:
    columns = sample.columns
    if len({column.name.lower() for column in columns}) != len(columns):
        raise BadSample("two columns have one name")
    key = key_of(columns)
    return {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": dataset,
        "name": dataset,
        "version": "0.1.0",
        "status": "draft",
        "description": dict.fromkeys(("purpose", "usage", "limitations"), TODO),
        "tags": [dataset],
        "team": {"name": TODO},
        "schema": [
            {
                "name": dataset,
                "physicalName": f"silver_{dataset}",
                "physicalType": "table",
                "logicalType": "object",
                "description": TODO,
                "dataGranularityDescription": f"One row per {key.name} and dt",
                "properties": [
                    *(_property(column, column is key) for column in columns),
                    *map(_array, sample.arrays),
                    _DAY | {"primaryKey": True, "primaryKeyPosition": 1},
                ],
                "customProperties": [{"property": "maxRejectedShare", "value": 0.1}],
            },
            {
                "name": f"{dataset}_total",
                "physicalName": f"gold_{dataset}_total",
                "physicalType": "table",
                "logicalType": "object",
                "description": "How many rows there are",
                "dataGranularityDescription": "One row per dt",
                "properties": [
                    {
                        "name": "total_rows",
                        "description": "How many rows there are",
                        "logicalType": "integer",
                        "physicalType": "bigint",
                        "classification": "internal",
                    },
                    _DAY,
                ],
            },
        ],
        "slaProperties": [
            {"property": "frequency", "value": 1, "unit": "d"},
            {"property": "freshness", "value": 26, "unit": "h"},
        ],
        "roles": [{"role": TODO, "access": "write", "description": TODO}],
    }


def _server(dataset: str, sample: Sample) -> dict[str, Any]:
    found = {
        "server": "landing",
        "type": "s3",
        "location": f"s3://{{raw_bucket}}/incoming/{dataset}/dt={{dt}}/",
        **_LANDS_AS[sample.format],
    }
    if sample.delimiter != CSV.delimiter:
        found["customProperties"] = [{"property": "csvDelimiter", "value": sample.delimiter}]
    return found


def _property(column: Found, is_key: bool) -> dict[str, Any]:
    found: dict[str, Any] = {
        "name": column.name,
        "description": TODO,
        "logicalType": LOGICAL_TYPE_OF[column.type.partition("(")[0]],
        "physicalType": column.type,
        "required": not column.has_nulls,
        "classification": TODO,
        "examples": [column.example],
    }
    if is_key:
        found |= {"required": True, "primaryKey": True, "primaryKeyPosition": 2}
    if column.type == "string":
        # Room for what the sample does not show.
        found["logicalTypeOptions"] = {"maxLength": max(2 * column.longest, 20)}
    if column.type == "boolean":
        words = {
            "trueValues": [word for word in column.words if word in _TRUE] or ["true"],
            "falseValues": [word for word in column.words if word not in _TRUE] or ["false"],
        }
        found["customProperties"] = [{"property": n, "value": v} for n, v in words.items()]
    return found


def _array(array: FoundArray) -> dict[str, Any]:
    return {
        "name": array.name,
        "description": TODO,
        "logicalType": "array",
        "required": not array.has_nulls,
        # Room for what the sample does not show.
        "logicalTypeOptions": {
            "minItems": min(array.least, 1),
            "maxItems": min(max(2 * array.most, 20), MAX_ITEMS),
        },
        "items": {
            "logicalType": "object",
            "properties": [_property(column, is_key=False) for column in array.columns],
        },
    }
