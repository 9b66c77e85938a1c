"""Windows and days as the DAGs' parameters give them: refused by the form where a schema can say
what is wrong, and otherwise by the first task, at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from airflow.sdk.exceptions import AirflowFailException

from custody.core.ledger.hours import windows
from custody.core.ledger.hours.windows import BadWindow

WHOLE_HOUR: Final[dict[str, Any]] = {
    "type": ["null", "string"],
    "format": "date-time",
    "pattern": r"^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):00(:00(\.0+)?)?(Z|[+-]\d{2}:00)$",
}
"""Schema of a parameter that is a whole hour with its time zone, or empty.

The pattern says it all: Airflow checks no `date-time`, which only tells the form what to show.
"""

DAY: Final[dict[str, Any]] = {
    "type": ["null", "string"],
    "format": "date",
    "pattern": r"^\d{4}-\d{2}-\d{2}$",
}
"""Schema of a parameter that is a day, or empty."""


def asked_by(dag_run: Any, params: Mapping[str, Any], tries: int) -> dict[str, Any]:
    """How a run came to be, in JSON values, as Airflow has it: by whom, with which parameters, how
    often it was cleared, and which try of the task this is. The job signs it, as a claim."""
    return {
        "run": dag_run.run_id,
        "type": str(dag_run.run_type),
        "by": dag_run.triggering_user_name,
        "params": dict(params),
        "cleared": dag_run.clear_number,
        "try": tries,
    }


@contextmanager
def fail_at_once() -> Iterator[None]:
    """Let a `BadWindow` fail its task for good: another try would be given the same parameters."""
    try:
        yield
    except BadWindow as error:
        raise AirflowFailException(str(error)) from error


@fail_at_once()
def dataset_day(dt: str | None, dag_run: Any) -> str:
    """The day a dataset run is for, as templates ask for it."""
    return windows.dataset_day(dt, dag_run.partition_key, dag_run.data_interval_end)
