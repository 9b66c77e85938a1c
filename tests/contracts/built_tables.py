"""What a contract says of the tables that were built from it, for whoever reads it by the standard.

The standard describes what is served; a contract here describes what lands, too, and two things of
it are served otherwise. Everything else the checker gets as it stands there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

Document = dict[str, Any]


def as_built(contract: Document, database: Path) -> Document:
    """The contract, of its tables in a DuckDB file.

    Of personal data silver has tokens, to which the rules of what landed do not apply. The items of
    an array are rows of a table of their own, by the key of the row that they stood in.
    """
    silver, *gold = contract["schema"]
    columns = [_as_token(item) for item in silver["properties"] if not _is_array(item)]
    server = {"server": "built", "type": "duckdb", "database": str(database), "schema": "main"}
    return {
        **contract,
        "servers": [server],
        "schema": [{**silver, "properties": columns}, *_items(silver), *gold],
    }


_OF_VALUES = frozenset({"logicalTypeOptions", "quality"})
"""What a property says of its values."""


def _is_array(item: Document) -> bool:
    return bool(item["logicalType"] == "array")


def _as_token(item: Document) -> Document:
    if item["classification"] != "pii":
        return item
    return {name: said for name, said in item.items() if name not in _OF_VALUES}


def _items(silver: Document) -> Iterator[Document]:
    key = [item for item in silver["properties"] if item.get("primaryKey")]
    position = {
        "name": "position",
        "logicalType": "integer",
        "physicalType": "int",
        "required": True,
        "primaryKey": True,
        "primaryKeyPosition": len(key) + 1,
    }
    for array in filter(_is_array, silver["properties"]):
        yield {
            "name": f"{silver['name']}_{array['name']}",
            "physicalName": f"{silver['physicalName']}_{array['name']}",
            "physicalType": "table",
            "logicalType": "object",
            "properties": [*key, position, *map(_as_token, array["items"]["properties"])],
        }
