"""The page about a run that judges and did not come to its end: while it stands, nobody is told of
anything else."""

from __future__ import annotations

from typing import Final

from custody.core.paging.changes import Status
from custody.core.paging.form import Head, Page, Room, Written, compose, shown
from custody.core.paging.links import Places

RUN_FAILED: Final = "RUN_FAILED"
"""Stands where other pages have their verdict."""

_SEVERITY: Final = "critical"


def page_about_run(
    dag_id: str, run_id: str, *, succeeded: bool, is_open: bool, runbook: str, airflow: str = ""
) -> Page | None:
    """The page to send when a run of a DAG has ended, None if there is nothing new; `is_open` if
    people were told that it fails. It leads to the run and the console, where `airflow` says where
    these are.

    One failure after the other is one page, and the first run that succeeds resolves it.
    """
    if succeeded is not is_open:
        return None
    status = Status.RESOLVED if succeeded else Status.OPEN
    head = Head(RUN_FAILED, _SEVERITY, status, f"{RUN_FAILED}/{dag_id}")
    sentence = (
        "it came to its end again, and people know what it found."
        if succeeded
        else "it did not come to its end: what it should have found is not known, or nobody was "
        "told of it."
    )

    def written(_: Room) -> Written:
        lines = [
            head.line(f"{dag_id}: {sentence}"),
            "",
            f"where    DAG {shown(dag_id)}, run {shown(run_id)}",
        ]
        return lines, {"verdict": RUN_FAILED, "dag": dag_id, "run": run_id}

    return compose(
        head,
        about=dag_id,
        runbook=runbook,
        written=written,
        links=Places(airflow, dag_id, run_id).of_watching,
    )
