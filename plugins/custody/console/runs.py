"""Gathering what a run of a DAG did: what Airflow has of it, and what its job runs signed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from custody.aws.publications.keeping import publications_of
from custody.console.evidence import CurrentEvidence
from custody.console.lives import MOST_PUBLICATIONS
from custody.core.console.overview import Overview
from custody.core.console.run_in_airflow import Deeds, RunInAirflow, deeds_of


class NoSuchRun(Exception):
    """Airflow has no such run of a DAG; the text says of what."""


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of DAGs that Airflow has, by `find`; `guards` let through who may see one."""

    current: CurrentEvidence
    find: Callable[[str, str], RunInAirflow | None]
    guards: Sequence[Callable[..., Any]]

    def deeds(self, dag_id: str, run_id: str, task_id: str, overview: Overview) -> Deeds:
        """What a run did, or one task of it.

        Raises `NoSuchRun`, `CannotCheck`, or what botocore raises.
        """
        run = self.find(dag_id, run_id)
        if run is None:
            raise NoSuchRun(f"Airflow has no run {run_id} of {dag_id}")
        found = overview.findings.values()
        if not (run.dataset and run.dt):
            return deeds_of(run, task_id, lineages=(), publications=(), findings=found)
        with self.current.lock:
            evidence = self.current.now()
            day = self.current.lineages.of(evidence, date.fromisoformat(run.dt))
            bucket = evidence.settings.analytics_bucket
            shown = publications_of(
                evidence.s3, bucket, run.dataset, run.dt, most=MOST_PUBLICATIONS
            )
            return deeds_of(
                run,
                task_id,
                lineages=day.lineages,
                publications=shown,
                findings=found,
                unread=day.unread,
            )
