"""What a run stated that it read and wrote, as OpenLineage's datasets with their facets.

A dataset is the folder in which its days lie, called as OpenLineage calls folders of S3. Its
version is a hash of the very objects, so that the silver which one run wrote and another read has
one version. Schemas and the lineage of columns come from the contract and the query that the run
names by their hashes, or are left out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from itertools import groupby
from typing import Final

import attr
from openlineage.client.event_v2 import InputDataset, OutputDataset
from openlineage.client.facet_v2 import DatasetFacet, RunFacet
from openlineage.client.generated.base_subset_dataset import (
    InputSubsetInputDatasetFacet,
    OutputSubsetOutputDatasetFacet,
    Partition,
    PartitionSubsetCondition,
)
from openlineage.client.generated.column_lineage_dataset import (
    ColumnLineageDatasetFacet,
    Fields,
    InputField,
    Transformation,
)
from openlineage.client.generated.dataset_version_dataset import DatasetVersionDatasetFacet
from openlineage.client.generated.schema_dataset import (
    SchemaDatasetFacet,
    SchemaDatasetFacetFields,
)
from openlineage.client.generated.symlinks_dataset import Identifier, SymlinksDatasetFacet
from openlineage_sql import parse

from custody.core.datasets.columns import Column
from custody.core.datasets.contracts import Contract
from custody.core.datasets.tables import Table, tables
from custody.core.lineage.model import HashedObject, Lineage
from custody.core.lineage.statement import SLSA_PROVENANCE_V1

MOST: Final = 100
"""Most objects that an event names of a dataset; the statement names them all."""

_FACETS: Final = "https://custody.example/custody/openlineage/v1/facets.json"
"""docs/openlineage/facets.json"""


@attr.define
class SignedLineageRunFacet(RunFacet):
    """Which signed statements the event tells of: what they say counts, whatever the event says."""

    statements: list[dict[str, str]]
    predicateType: str = SLSA_PROVENANCE_V1  # noqa: N815 - facets are written so

    @staticmethod
    def _get_schema() -> str:
        return f"{_FACETS}#/$defs/SignedLineageRunFacet"


@attr.define
class ObjectsDatasetFacet(DatasetFacet):
    """The object versions of a dataset with the SHA-256 of their bytes, or the first of them."""

    count: int
    objects: list[dict[str, str]]

    @staticmethod
    def _get_schema() -> str:
        return f"{_FACETS}#/$defs/ObjectsDatasetFacet"


Sources = tuple[Contract | None, str | None]
"""The contract and the query that a run built by, where they are known."""


def inputs(lineage: Lineage, sources: Sources) -> list[InputDataset]:
    """What the run read."""
    day = InputSubsetInputDatasetFacet(_day(lineage))
    return [
        InputDataset(*place, facets=_facets(place, some, sources), inputFacets={"subset": day})
        for place, some in _datasets(lineage.inputs)
    ]


def outputs(lineage: Lineage, sources: Sources, database: str) -> list[OutputDataset]:
    """What the run wrote: a dataset for each table of the Glue `database`."""
    day = OutputSubsetOutputDatasetFacet(_day(lineage))
    read = [place for place, _ in _datasets(lineage.inputs)]
    made = []
    for place, some in _datasets(lineage.outputs):
        facets = _facets(place, some, sources)
        if table := _table(place, sources[0]):
            facets["symlinks"] = _called(table, lineage.builder_id, database)
            if fields := _columns_from(table, read, sources):
                facets["columnLineage"] = ColumnLineageDatasetFacet(fields)
        made.append(OutputDataset(*place, facets=facets, outputFacets={"subset": day}))
    return made


def fingerprint(objects: Iterable[HashedObject]) -> str:
    """The version of a dataset: the SHA-256 of a line for each object, in order, with its own
    SHA-256, its URI and its version id."""
    lines = (f"{one.sha256}  {one.version.uri} {one.version.version_id}\n" for one in objects)
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


_Place = tuple[str, str]
"""Namespace and name of a dataset (https://openlineage.io/docs/spec/naming)."""


def _datasets(objects: Iterable[HashedObject]) -> list[tuple[_Place, list[HashedObject]]]:
    def place(one: HashedObject) -> _Place:
        return f"s3://{one.version.bucket}", one.version.key.partition("/dt=")[0]

    return [(at, list(some)) for at, some in groupby(sorted(objects, key=place), key=place)]


def _day(lineage: Lineage) -> PartitionSubsetCondition:
    return PartitionSubsetCondition([Partition({"dt": lineage.run.dt})])


def _facets(
    place: _Place, objects: list[HashedObject], sources: Sources
) -> dict[str, DatasetFacet]:
    named = [
        {"uri": one.version.uri, "versionId": one.version.version_id, "sha256": one.sha256}
        for one in sorted(objects)[:MOST]
    ]
    facets: dict[str, DatasetFacet] = {
        "version": DatasetVersionDatasetFacet(fingerprint(objects)),
        "custody_objects": ObjectsDatasetFacet(len(objects), named),
    }
    if fields := _schema(place, sources[0]):
        facets["schema"] = SchemaDatasetFacet(fields)
    return facets


def _schema(place: _Place, contract: Contract | None) -> list[SchemaDatasetFacetFields]:
    if contract is None:
        return []
    described = {column.name: column.description or None for column in _columns(place, contract)}
    if table := _table(place, contract):
        return [
            SchemaDatasetFacetFields(name, kind, described.get(name))
            for name, kind in table.columns
        ]
    return [SchemaDatasetFacetFields(name, None, said) for name, said in described.items()]


def _columns(place: _Place, contract: Contract) -> tuple[Column, ...]:
    """The contract's own columns of a dataset: what landed and silver have in common, an array's
    items', or gold's."""
    area, _, name = place[1].partition("/")
    described = {f"gold/{gold.name}": gold.columns for gold in contract.gold}
    described |= {f"silver/{contract.dataset}_{one.name}": one.columns for one in contract.arrays}
    own = contract.columns if area in {"incoming", "silver"} else ()
    return described.get(f"{area}/{name}", own)


def _table(place: _Place, contract: Contract | None) -> Table | None:
    found = tables(contract) if contract is not None else ()
    return next((table for table in found if table.folder == place[1]), None)


def _called(table: Table, job_arn: str, database: str) -> SymlinksDatasetFacet:
    """What the table is called in the Glue catalog, which is the job's."""
    _, partition, _, region, account, _ = job_arn.split(":", 5)
    catalog = f"arn:{partition}:glue:{region}:{account}"
    return SymlinksDatasetFacet([Identifier(catalog, f"table/{database}/{table.name}", "TABLE")])


def _columns_from(table: Table, read: list[_Place], sources: Sources) -> dict[str, Fields]:
    """From which columns of what was read each column of a table is made."""
    contract, query = sources
    area = table.folder.partition("/")[0]
    if area == "silver" and contract is not None and len(read) == 1:
        return {
            name: Fields([InputField(*read[0], landed, [_typing(column)])])
            for name, (landed, column) in _landed(table, contract).items()
        }
    if area == "gold" and contract is not None and query is not None:
        views = {_view(place, contract.dataset): place for place in read}
        return {
            made.descendant.name: Fields(
                [
                    InputField(*views[column.origin.name], column.name)
                    for column in made.lineage
                    if column.origin is not None and column.origin.name in views
                ]
            )
            for found in [parse([query], dialect="spark")]
            if found is not None
            for made in found.column_lineage
        }
    return {}


def _landed(table: Table, contract: Contract) -> dict[str, tuple[str, Column]]:
    """What the columns of a table of silver are called in a landed row, and as which columns of the
    contract they are read."""
    own = {column.name: (column.name, column) for column in contract.columns}
    for array in contract.arrays:
        if table.folder == f"silver/{contract.dataset}_{array.name}":
            own = {name: own[name] for name in contract.primary_key}
            own |= {item.name: (f"{array.name}.{item.name}", item) for item in array.columns}
    return own


def _view(place: _Place, dataset: str) -> str:
    """What a query calls a table of silver: `silver`, or `silver_<array>`."""
    return f"silver{place[1].removeprefix(f'silver/{dataset}')}"


def _typing(column: Column) -> Transformation:
    is_same = column.type == "string" and not column.is_personal
    kind = "IDENTITY" if is_same else "TRANSFORMATION"
    return Transformation("DIRECT", kind, masking=column.is_personal)
