"""OpenLineage's events, held against the published schemas and our own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

_FOLDER = Path(__file__).parent / "openlineage"
_OWN = Path(__file__).parents[2] / "docs" / "openlineage" / "facets.json"
_SCHEMAS = {
    schema["$id"]: schema
    for path in (*_FOLDER.glob("*.json"), _OWN)
    for schema in [json.loads(path.read_text("utf-8"))]
}
_REGISTRY: Any = Registry().with_resources(
    (uri, Resource.from_contents(schema)) for uri, schema in _SCHEMAS.items()
)
# Airflow's own facets are described in its provider.
_OTHERS = ("https://raw.githubusercontent.com/apache/airflow/",)


def check_event(event: dict[str, Any]) -> set[str]:
    """The schemas of the facets that an event has, each of which it follows, as its own.

    Raises jsonschema's ValidationError, or KeyError for a schema that nobody published.
    """
    _validate(event, event["schemaURL"])
    checked = set()
    for facet in _facets(event):
        uri = facet["_schemaURL"]
        if not uri.startswith(_OTHERS):
            _validate(facet, uri)
            checked.add(uri.rpartition("/")[2])
    return checked


def _facets(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    holders = [event["run"], event["job"], *event["inputs"], *event["outputs"]]
    for holder in holders:
        for kind in ("facets", "inputFacets", "outputFacets"):
            yield from holder.get(kind, {}).values()


def _validate(value: dict[str, Any], uri: str) -> None:
    if uri.partition("#")[0] not in _SCHEMAS:
        raise KeyError(f"{uri} is in no published schema")
    Draft202012Validator(
        {"$ref": uri}, registry=_REGISTRY, format_checker=FormatChecker()
    ).validate(value)
