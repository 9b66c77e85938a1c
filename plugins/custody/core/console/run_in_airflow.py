"""What a run of a DAG read and wrote, as the job runs that it started state and sign it.

Which job runs it started is Airflow's word: what its tasks returned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from custody.core.console.standing import Standing
from custody.core.ledger.hours.windows import BadWindow, dataset_day
from custody.core.lineage.model import Lineage
from custody.core.publications.model import Publication

MEDALLION: Final = "medallion_"
"""What the names of the DAGs that build datasets begin with."""

_JOB_RUN: Final = re.compile(r'(?:\\?")*(jr_[A-Za-z0-9_-]{1,252})(?:\\?")*', re.ASCII)
"""The id of a run of a Glue job; the tasks that start one return it, others return other values.

In JSON, or in JSON of JSON, by which way it came to Airflow: nothing of it needs to be parsed, nor
made into an object of whatever class it names.
"""

LONGEST_RETURNED: Final = 300
"""No run of a job has a longer id in JSON, twice."""


@dataclass(frozen=True, slots=True)
class RunInAirflow:
    """A run of a DAG as Airflow has it: what it was given, the partition and the end of the
    interval that it is of, and what each of its tasks `returned`, as JSON."""

    dag_id: str
    run_id: str
    conf: Mapping[str, object]
    partition_key: str | None
    interval_end: datetime | None
    returned: Mapping[str, str]

    @property
    def dataset(self) -> str:
        """The dataset that it builds; empty for a run of another DAG."""
        return self.dag_id.removeprefix(MEDALLION) if self.dag_id.startswith(MEDALLION) else ""

    @property
    def dt(self) -> str:
        """The day that it builds; empty if it is of none."""
        asked = self.conf.get("dt")
        try:
            given = str(asked) if asked else None
            return dataset_day(given, self.partition_key, self.interval_end)
        except BadWindow:
            return ""

    def jobs(self, task_id: str) -> dict[str, str]:
        """The job run that each task started, or only that task."""
        return {
            task: found[1]
            for task, value in sorted(self.returned.items())
            if task_id in ("", task) and (found := _JOB_RUN.fullmatch(value))
        }


@dataclass(frozen=True, slots=True)
class Deed:
    """A job run that a task started, and its lineage; None if none is believed."""

    task_id: str
    job: str
    lineage: Lineage | None


@dataclass(frozen=True, slots=True)
class Deeds:
    """What a run of a DAG did, or one task of it if `task_id` names one: its `deeds`, what it
    published, and what was found by it, or about what it read and wrote. `unread` says what of the
    day's evidence is not believed."""

    run: RunInAirflow
    task_id: str
    deeds: Sequence[Deed]
    publications: Sequence[Publication]
    found: Sequence[Standing]
    unread: str


def deeds_of(
    run: RunInAirflow,
    task_id: str,
    *,
    lineages: Iterable[Lineage],
    publications: Iterable[Publication],
    findings: Iterable[Standing],
    unread: str = "",
) -> Deeds:
    """What a run did, or a task of it: of all `lineages` and `publications` of its day, and of all
    `findings`."""
    by_job = {each.run.id: each for each in lineages}
    deeds = tuple(Deed(task, job, by_job.get(job)) for task, job in run.jobs(task_id).items())
    jobs = {deed.job for deed in deeds}
    touched = {
        (item.version.bucket, item.version.key)
        for deed in deeds
        if deed.lineage is not None
        for item in (*deed.lineage.inputs, *deed.lineage.outputs)
    }
    return Deeds(
        run=run,
        task_id=task_id,
        deeds=deeds,
        publications=tuple(each for each in publications if each.asked.airflow_run == run.run_id),
        found=tuple(
            each
            for each in findings
            if (each.finding.bucket, each.finding.object_key) in touched
            or any(news.run.id in jobs for news in each.history)
        ),
        unread=unread,
    )
