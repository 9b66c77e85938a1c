"""What Airflow makes of a folder of DAGs: what loads, and what each task would send.

Tests import `render_task`. As a program it says, in JSON, what the Airflow that runs it finds, with
the settings that its secrets backend has:

    python -P tests/support/dag_folder.py FOLDER
"""

from __future__ import annotations

import json
import sys
import warnings
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

with warnings.catch_warnings():
    # The standard provider imports Airflow's own helper from where it used to be.
    warnings.filterwarnings("ignore", message=".*determine_kwargs.*is deprecated")
    import_module("airflow.providers.standard.decorators.sensor")

from airflow import plugins_manager
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.amazon import __version__ as provider
from airflow.sdk.execution_time.context import VariableAccessor

DAY: Final = (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))


class FakeTaskInstance:
    """What templates ask of a task instance: its id, its place among the mapped, other tasks'
    XComs."""

    map_index = 0

    def __init__(self, xcoms: dict[str, Any]) -> None:
        self.id = "0193-attempt"
        self._xcoms = xcoms

    def xcom_pull(self, task_ids: str, **_: Any) -> Any:
        return self._xcoms[task_ids]


def render_task(
    dag: Any,
    task_id: str,
    *,
    variables: Any,
    xcoms: dict[str, Any],
    params: dict[str, Any] | None = None,
    interval: tuple[datetime, datetime] | None = DAY,
) -> Any:
    """The task with its templates filled in as on a worker; `variables` are Airflow's, by name."""
    task = dag.get_task(task_id).prepare_for_execution()
    start, end = interval or (None, None)
    params = {name: dag.params[name] for name in dag.params} | (params or {})
    # Who asks for a day asks for a run of its own.
    partition = f"{start:%Y-%m-%d}" if start and not params.get("dt") else None
    context: dict[str, Any] = {
        "dag": dag,
        "task": task,
        "ti": FakeTaskInstance(xcoms),
        "params": params,
        "dag_run": SimpleNamespace(
            conf={},
            partition_key=partition,
            data_interval_start=start,
            data_interval_end=end,
            run_id="r",
        ),
        "var": {"json": variables},
    }
    task.render_template_fields(context, dag.get_template_env())
    return context["task"]


def example_xcoms() -> dict[str, Any]:
    """What tasks tell the ones after them, of the form that these read."""
    # Not before Airflow has put the folder of plugins on the path.
    from custody.core.ledger.hours.windows import Window  # noqa: PLC0415

    window = Window(
        datetime(2026, 11, 1, 6, tzinfo=UTC),
        datetime(2026, 11, 1, 8, tzinfo=UTC),
        as_of=datetime(2026, 11, 1, 8, 35, tzinfo=UTC),
        grace=timedelta(minutes=30),
    )
    return {
        "window": {**window.parameters(), "watched": [], "partition": ["2026-11-01", "06"]},
        "audit": "jr_3",
        "classify": "jr_1",
        "read_file_accounts": "q",
        "late_files": [
            {
                "trigger_dag_id": "medallion_x",
                "trigger_run_id": "late__2026-11-01__1",
                "conf": {"dt": "2026-11-01", "reason": "late"},
            }
        ],
        "report_success": True,
        "bronze_to_silver": "jr_1",
        "gold_customers_by_country_month.silver_to_gold": "jr_2",
    }


def rendered(dag: Any, variables: Any) -> dict[str, str]:
    """What each task would send by its id: its template fields filled in, as text."""
    found = {}
    xcoms = example_xcoms()
    for task in dag.tasks:
        done = render_task(dag, task.task_id, variables=variables, xcoms=xcoms)
        fields = {field: getattr(done, field) for field in done.template_fields}
        found[task.task_id] = json.dumps(fields, default=str)
    return found


def report(folder: Path) -> dict[str, Any]:
    """What this process's Airflow finds in a folder of DAGs, and beside it."""
    bag = DagBag(dag_folder=folder)
    # Read once, as a worker reads it; each look in a template would ask the store again.
    variables = {"custody": VariableAccessor(deserialize_json=True).custody}
    plugins_manager.ensure_plugins_loaded()
    tasks: dict[str, dict[str, str]] = {}
    failures: dict[str, str] = {}
    for dag_id, dag in sorted(bag.dags.items()):
        try:
            tasks[dag_id] = rendered(dag, variables)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is reported
            failures[dag_id] = f"{type(error).__name__}: {error}"
    return {
        "provider": provider,
        "import_errors": bag.import_errors,
        "searchpaths": {
            dag_id: list(dag.template_searchpath or ()) for dag_id, dag in bag.dags.items()
        },
        "tasks": tasks,
        "failures": failures,
        "plugins": sorted(plugin["name"] for plugin in plugins_manager.get_plugin_info()),
        "plugin_errors": plugins_manager.get_import_errors(),
        "package": getattr(sys.modules.get("custody"), "__file__", None),
        "modules_as_plugins": sorted(
            name
            for name, module in sys.modules.items()
            if "/plugins/custody/" in (getattr(module, "__file__", None) or "")
            and name.partition(".")[0] != "custody"
        ),
    }


if __name__ == "__main__":
    print(json.dumps(report(Path(sys.argv[1]))))
