"""The DAGs, parsed as Airflow parses them, and a context to render their templates with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from tests.support.dag_folder import render_task

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
        "former_seal_keys",
        "former_lineage_keys",
        "lineage_key_arn",
        "seal_key_arn",
        "airflow_url",
        "bronze_to_silver_job",
        "silver_to_gold_job",
        "reconcile_job",
        "audit_job",
        "expire_job",
        "trail_name",
        "code_location",
    )
} | {"partition": "aws", "trail_account_id": "", "organization_id": ""}

Render = Callable[..., Any]


@pytest.fixture(scope="session")
def bag() -> DagBag:
    return DagBag(dag_folder=DAGS)


@pytest.fixture
def settings() -> dict[str, str]:
    """The stack's settings, as the DAGs read them."""
    return SETTINGS


@pytest.fixture
def render(bag: DagBag) -> Render:
    """`render(dag_id, task_id, …)`: the task, with its templates filled in as on a worker."""

    def rendered(
        dag_id: str, task_id: str, *, xcoms: dict[str, Any] | None = None, **more: Any
    ) -> Any:
        variables = {"custody": SETTINGS}
        return render_task(
            bag.dags[dag_id], task_id, variables=variables, xcoms=xcoms or {}, **more
        )

    return rendered
