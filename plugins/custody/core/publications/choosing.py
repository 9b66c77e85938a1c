"""Which runs may be shown together: a run of silver, and of each gold table one built from it.

What the runs signed decides (`custody.core.lineage`), for a day that was just built as for one that
is rolled back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from custody.core.datasets.quality.results import results_of_run
from custody.core.lineage.model import Lineage
from custody.core.publications.contract_versions import breaks, built_by
from custody.core.publications.model import Shown


class NotBuilt(Exception):
    """What is asked for was not built as it would have to be; the text says what is missing."""


@dataclass(frozen=True, slots=True)
class DayOfTable:
    """Where the runs of a day write a table: `s3://…/dt=<day>/`. `gold` is what a gold table is
    called without its prefix; None for a table of silver's runs."""

    table: str
    location: str
    gold: str | None = None

    def of(self, run_id: str) -> str:
        """Where one run writes it."""
        return f"{self.location}run={run_id}/"


def to_show(
    dataset: str,
    contract_version: str,
    tables: Sequence[DayOfTable],
    silver: Lineage,
    golds: Mapping[str, Sequence[Lineage]],
) -> tuple[Shown, ...]:
    """Each of the tables with the run to show: those of `silver` and, of the runs `golds` of a gold
    table, the last that was built from it.

    `tables` are silver's first, of which the last is what gold is built from. A run is shown under
    the contract of `contract_version` alone, with which that of its own may not break: else readers
    would see columns of another meaning, or personal data that is none of theirs any more
    (`custody.core.datasets.compatibility`). Raises `NotBuilt`.
    """
    silvers = [table for table in tables if table.gold is None]
    if not _is(silver, dataset, silvers):
        raise NotBuilt(
            f"run {silver.run.id} of {silver.run.dt} does not state to have built {dataset}"
        )
    source = silvers[-1].of(silver.run.id)
    shown = {
        table: silver if table.gold is None else _last(table, dataset, source, golds)
        for table in tables
    }
    for lineage in shown.values():
        _check_contract(lineage, contract_version)
    return tuple(_shown(table, lineage) for table, lineage in shown.items())


def _last(
    table: DayOfTable, dataset: str, source: str, golds: Mapping[str, Sequence[Lineage]]
) -> Lineage:
    wanted = {"gold_table": table.gold, "silver_run": source}
    built = [
        lineage
        for lineage in golds.get(table.table, ())
        if _is(lineage, dataset, [table])
        and all(lineage.parameters.get(name) == value for name, value in wanted.items())
    ]
    if not built:
        raise NotBuilt(f"no run of {table.table} states to have been built from {source}")
    return max(built, key=lambda lineage: (lineage.finished_on, lineage.run.id))


def _is(lineage: Lineage, dataset: str, tables: Sequence[DayOfTable]) -> bool:
    """Whether a run states to have built these tables of the dataset, and nothing else than what it
    found of their quality.
    """
    run = lineage.run
    places = tuple(table.of(run.id) for table in tables)
    results = results_of_run(run.dt, run.id)
    return lineage.parameters.get("dataset") == dataset and all(
        output.version.uri.startswith(places) or output.version.key.startswith(results)
        for output in lineage.outputs
    )


def _check_contract(lineage: Lineage, version: str) -> None:
    own = built_by(lineage)
    if breaks(own, version):
        raise NotBuilt(
            f"run {lineage.run.id} was built by the contract's version {own or 'of no name'}, "
            f"which {version} breaks with: build the day again"
        )


def _shown(table: DayOfTable, lineage: Lineage) -> Shown:
    return Shown(table.table, lineage.run.id, table.of(lineage.run.id))
