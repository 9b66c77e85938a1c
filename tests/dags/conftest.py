"""The DAGs, parsed as Airflow parses them, and a context to render their templates with."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

with warnings.catch_warnings():
    # The standard provider imports Airflow's own helper from where it used to be.
    warnings.filterwarnings("ignore", message=".*determine_kwargs.*is deprecated")
    import_module("airflow.providers.standard.decorators.sensor")

from airflow.dag_processing.dagbag import DagBag

DAGS = Path(__file__).parents[2] / "dags"

SETTINGS = {
    name: f"the-{name.replace('_', '-')}"
    for name in (
        "project",
        "stage",
        "account_id",
        "region",
        "raw_bucket",
        "provenance_bucket",
        "processed_bucket",
        "analytics_bucket",
        "trail_bucket",
        "athena_results_bucket",
        "artifacts_bucket",
        "database",
        "workgroup",
        "topic_arn",
        "signing_key_arn",
        "former_signing_keys",
        "lineage_key_arn",
        "bronze_to_silver_job",
        "silver_to_gold_job",
        "reconcile_job",
        "audit_job",
        "trail_name",
    )
} | {"code_location": "s3://the-artifacts/abc"}

Render = Callable[..., Any]


@pytest.fixture(scope="session")
def bag() -> DagBag:
    return DagBag(dag_folder=DAGS)


@pytest.fixture
def settings() -> dict[str, str]:
    """The stack's settings, as the DAGs read them."""
    return SETTINGS


class FakeTaskInstance:
    """What templates ask of a task instance: its id, its map index, other tasks' XComs."""

    def __init__(self, xcoms: dict[str, Any], map_index: int) -> None:
        self.id = "0193-attempt"
        self.map_index = map_index
        self._xcoms = xcoms

    def xcom_pull(self, task_ids: str, **_: Any) -> Any:
        return self._xcoms[task_ids]


@pytest.fixture
def render(bag: DagBag) -> Render:
    """`render(dag_id, task_id, …)`: the task, with its templates filled in as on a worker."""

    def rendered(
        dag_id: str,
        task_id: str,
        *,
        xcoms: dict[str, Any] | None = None,
        params: dict[str, Any] | None = None,
        map_index: int = -1,
        interval: tuple[datetime, datetime] | None = (
            datetime(2026, 11, 1, tzinfo=UTC),
            datetime(2026, 11, 2, tzinfo=UTC),
        ),
    ) -> Any:
        dag = bag.dags[dag_id]
        task = dag.get_task(task_id).prepare_for_execution()
        start, end = interval or (None, None)
        context: dict[str, Any] = {
            "dag": dag,
            "task": task,
            "ti": FakeTaskInstance(xcoms or {}, map_index),
            "params": {name: dag.params[name] for name in dag.params} | (params or {}),
            "dag_run": SimpleNamespace(
                conf={}, data_interval_start=start, data_interval_end=end, run_id="r"
            ),
            "var": {"json": {"custody": SETTINGS}},
        }
        task.render_template_fields(context, dag.get_template_env())
        return context["task"]

    return rendered
