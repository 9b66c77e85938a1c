"""Airflow's LocalExecutor, which here knows what it is running, and begins each task sooner.

A deferred task runs in two legs under one key. Airflow 3.3.1's own LocalExecutor forgets a task
once it has handed it to a worker. So when the first leg's end is read after the second leg was
handed out (a quick trigger, a busy machine), the scheduler takes the task for killed from outside
and fails it. The scheduler tells the two apart by `has_task`, that is by `running`.
"""

import importlib
from collections import Counter
from pathlib import Path
from typing import Any

from airflow.configuration import conf
from airflow.executors import local_executor
from airflow.utils.file import iter_airflow_imports


class LocalExecutor(local_executor.LocalExecutor):
    """Counts the legs of each task that its workers have not finished.

    Every task is a fork of a worker, and would import the DAGs' operators and `custody.tasks` anew,
    which takes longer than most of our tasks do. So they are imported once, before the workers are
    forked; Airflow's DAG processor does the same for the processes it forks
    (`parsing_pre_import_modules`). As on MWAA, another code of `custody` needs another start.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._legs: Counter[Any] = Counter()

    def start(self) -> None:
        """Import what the DAGs import, then fork the workers."""
        dags, plugins = (
            Path(conf.get_mandatory_value("core", folder))
            for folder in ("dags_folder", "plugins_folder")
        )
        own = (
            ".".join(file.relative_to(plugins).with_suffix("").parts)
            for file in (plugins / "custody" / "tasks").rglob("[!_]*.py")
        )
        theirs = (
            module for file in dags.glob("*.py") for module in iter_airflow_imports(str(file))
        )
        for module in (*theirs, *own):
            importlib.import_module(module)
        super().start()

    def _process_workloads(self, workload_list: Any) -> None:
        for workload in workload_list:
            self._legs[workload.key] += 1
            self.running.add(workload.key)
        super()._process_workloads(workload_list)  # type: ignore[no-untyped-call]

    def change_state(
        self, key: Any, state: Any, info: Any = None, remove_running: bool = True
    ) -> None:
        """Keep the key in `running` until its last leg has ended."""
        if state in {"success", "failed"}:
            self._legs[key] -= 1
        ended = self._legs[key] <= 0
        if ended:
            del self._legs[key]
        super().change_state(key, state, info, remove_running=remove_running and ended)
