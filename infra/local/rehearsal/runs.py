"""Start DAG runs through Airflow's REST API and follow them to their end."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from typing import Any, Final

from rehearsal.platform import Platform
from rehearsal.waiting import wait_until

Say = Callable[[str], None]

ENDED: Final = frozenset({"success", "failed"})


class RunFailed(RuntimeError):
    """A DAG run failed; the message names its failed tasks and shows the end of their logs."""


def run_dag(platform: Platform, dag_id: str, conf: dict[str, Any], *, say: Say) -> str:
    """Trigger a DAG with `conf` and wait for its success; returns the run id."""
    run_id = platform.airflow.trigger(dag_id, conf)
    follow(platform, dag_id, [run_id], say=say)
    return run_id


def switch_on(platform: Platform, dag_id: str) -> str:
    """Unpause a DAG that has never run; returns the run of its latest interval.

    That run starts by itself.
    """
    airflow = platform.airflow
    airflow.unpause(dag_id)
    wait_until(f"{dag_id} has a run", lambda: bool(airflow.runs(dag_id)))
    return str(airflow.runs(dag_id)[0]["dag_run_id"])


def switch_on_from_now(platform: Platform, dag_id: str) -> None:
    """Unpause a DAG that has never run, and pass over the run that starts by itself.

    It is of a time before this platform was there, and what follows needs the machine.
    """
    run_id = switch_on(platform, dag_id)
    platform.airflow.pass_over(dag_id, run_id, "Passed over: the platform was not there yet.")


def clear_of_schedule(platform: Platform, dag_id: str, minutes: int = 2) -> None:
    """Wait until a DAG neither runs nor will run by itself within so many minutes.

    What a scheduled run sees halfway, it tells as far as it saw it.
    """
    airflow, margin = platform.airflow, timedelta(minutes=minutes)

    def clear() -> bool:
        coming = airflow.next_run(dag_id)
        soon = coming is not None and coming < datetime.now(UTC) + margin
        return not soon and all(run["state"] in ENDED for run in airflow.runs(dag_id))

    wait_until(f"{dag_id} does not run by itself", clear)


def backfilled_runs(platform: Platform, dag_id: str) -> dict[date, str]:
    """The last run of each day that was backfilled, by its id."""
    runs = [run for run in platform.airflow.runs(dag_id) if run["run_type"] == "backfill"]
    return {_day(run): run["dag_run_id"] for run in sorted(runs, key=itemgetter("queued_at"))}


def start_backfill(
    platform: Platform, dag_id: str, first: date, last: date, *, again: bool = False
) -> list[str]:
    """Backfill the days first..last; returns the run ids, without waiting for the runs' end.

    `again` reruns days that already have a run, each in a run of its own.
    """
    airflow = platform.airflow
    before = {run["dag_run_id"] for run in airflow.runs(dag_id)} if again else set()
    wait_until(
        f"the backfill of {dag_id} before is over",
        lambda: not airflow.backfilling(dag_id),
    )
    backfill_id = airflow.backfill(
        dag_id,
        datetime(first.year, first.month, first.day, tzinfo=UTC),
        datetime(last.year, last.month, last.day, tzinfo=UTC),
        max_active_runs=3,
        reprocess_behavior="completed" if again else "failed",
    )
    days = (last - first).days + 1
    run_ids: list[str] = []

    def created() -> bool:
        run_ids[:] = [
            run_id
            for day, run_id in backfilled_runs(platform, dag_id).items()
            if first <= day <= last and run_id not in before
        ]
        return len(run_ids) == days

    wait_until(f"backfill {backfill_id} has {days} runs", created)
    return run_ids


def backfill_days(
    platform: Platform, dag_id: str, first: date, last: date, *, say: Say, again: bool = False
) -> list[str]:
    """Backfill the days first..last and wait for their success; returns the run ids."""
    run_ids = start_backfill(platform, dag_id, first, last, again=again)
    follow(platform, dag_id, run_ids, say=say)
    return run_ids


def follow(platform: Platform, dag_id: str, run_ids: list[str], *, say: Say) -> None:
    """Wait until all runs have ended, saying each task's end as it comes.

    Raises:
        RunFailed: a run failed.
        TimeoutError: they did not end.
    """
    airflow = platform.airflow
    runs: dict[str, dict[str, Any]] = {}
    told: set[tuple[str, str, int, str]] = set()
    since = None

    def ended() -> bool:
        nonlocal since
        runs.update((run["dag_run_id"], run) for run in airflow.runs(dag_id))
        for task in airflow.ended_tasks(dag_id, since):
            since, run_id = task["end_date"], task["dag_run_id"]
            news = (run_id, task["task_id"], task["map_index"], since)
            if run_id in run_ids and news not in told:
                told.add(news)
                took = task["duration"] or 0.0
                label = _label(runs[run_id])
                say(f"{label:12} {task['task_id']:20} {task['state']:8} {took:4.0f} s")
        return all(runs[run_id]["state"] in ENDED for run_id in run_ids)

    wait_until(f"{len(run_ids)} runs of {dag_id} have ended", ended)
    failures = [run_id for run_id in run_ids if runs[run_id]["state"] == "failed"]
    if failures:
        raise RunFailed("\n".join(_describe(platform, dag_id, run_id) for run_id in failures))


def _describe(platform: Platform, dag_id: str, run_id: str) -> str:
    lines = [f"{dag_id} {run_id} failed"]
    for task in platform.airflow.task_instances(dag_id, run_id):
        if task["state"] == "failed":
            log = platform.airflow.task_log(dag_id, run_id, task)
            lines += [f"--- {task['task_id']}", *log.splitlines()[-40:]]
    return "\n".join(lines)


def _label(run: dict[str, Any]) -> str:
    return str(run["partition_key"] or "by hand")


def _day(run: dict[str, Any]) -> date:
    return date.fromisoformat(run["partition_key"])
