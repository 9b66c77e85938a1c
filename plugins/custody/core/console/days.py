"""The days of the datasets: what was built, as the runs signed it, and what is published."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from custody.core.lineage.account import DayAccount
from custody.core.lineage.model import Lineage
from custody.core.publications.model import Publication, Why, rollback


@dataclass(frozen=True, slots=True)
class DatasetDay:
    """A day of a dataset: the `runs` that state to have built of it, and its `publications`, each
    the latest first. `account` is what became of its rows, None if nothing that is signed says so;
    `unread` says what of the day's evidence is not believed."""

    dataset: str
    dt: str
    runs: Sequence[Lineage]
    publications: Sequence[Publication]
    unread: str
    account: DayAccount | None = None

    @property
    def shown(self) -> Publication | None:
        """The publication that counts."""
        return self.publications[0] if self.publications else None

    @property
    def silver(self) -> list[Lineage]:
        """The runs that read what landed: those that a day can be rolled back to."""
        return [run for run in self.runs if "gold_table" not in run.parameters]

    @property
    def accounted(self) -> Lineage | None:
        """The run of silver whose rows are told of: that which is shown, else the latest."""
        shown = {table.run for table in self.shown.shown} if self.shown else set[str]()
        return next((run for run in self.silver if run.run.id in shown), None) or next(
            iter(self.silver), None
        )

    @property
    def unstated(self) -> list[str]:
        """The runs that are shown and of which no lineage is believed."""
        stated = {run.run.id for run in self.runs}
        shown = self.shown.shown if self.shown else ()
        return sorted({table.run for table in shown} - stated)

    @property
    def state(self) -> str:
        """What there is of it, in a word or two."""
        if self.unstated:
            return "shown, and not stated"
        if self.shown is not None:
            return "rolled back" if self.shown.why is Why.ROLLBACK else "published"
        return "built" if self.runs else "nothing"

    def rollback_to(self, run: Lineage) -> str:
        """The configuration with which a run of the DAG shows again what `run` built."""
        return json.dumps(rollback(self.dt, run.run.id, "…"), indent=1, ensure_ascii=False)


def day_of_dataset(
    dataset: str,
    dt: str,
    lineages: Iterable[Lineage],
    publications: Sequence[Publication],
    unread: str,
) -> DatasetDay:
    """The day, by all that the runs of the day state."""
    own = [each for each in lineages if each.parameters.get("dataset") == dataset]
    own.sort(key=lambda each: (each.finished_on, each.run.id), reverse=True)
    return DatasetDay(dataset, dt, tuple(own), tuple(publications), unread)
