"""Airflow's LocalExecutor, which here knows what it is running.

A deferred task runs in two legs under one key. Airflow 3.3.1's own LocalExecutor forgets a task
once it has handed it to a worker. So when the first leg's end is read after the second leg was
handed out (a quick trigger, a busy machine), the scheduler takes the task for killed from outside
and fails it. The scheduler tells the two apart by `has_task`, that is by `running`.
"""

from collections import Counter
from typing import Any

from airflow.executors import local_executor


class LocalExecutor(local_executor.LocalExecutor):
    """Counts the legs of each task that its workers have not finished."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        self._legs: Counter[Any] = Counter()

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
