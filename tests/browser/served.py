"""Serves the console to a browser, below a path as an Airflow with one would: `served.py PORT`."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI

ROOT: Final = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]

from tests.support.consoles import JOBS, NOW, POLICY, SCRIPT, read_run, removed  # noqa: E402
from tests.support.findings import finding  # noqa: E402

from custody.console.answering import Answering, Visitor  # noqa: E402
from custody.console.app import console_app  # noqa: E402
from custody.core.answers.model import Answer  # noqa: E402
from custody.core.console.overview import Evidence, Overview, overview  # noqa: E402
from custody.settings import Settings  # noqa: E402

BELOW: Final = "/team/airflow"
SETTINGS: Final = Settings.parse(
    {
        "project": "custody",
        "stage": "test",
        "partition": "aws",
        "account_id": "111122223333",
        "trail_bucket": "t",
    }
)
ANSWERING: Final = Answering([lambda: None], lambda: Visitor("somebody", "session"))
FOUND: Final = (
    removed(SCRIPT),
    removed(f"incoming/customers/dt=2026-11-01/{'a-long-name-' * 15}.csv"),
    finding("CONFLICT", object_key="incoming/b.csv", event_time="2026-11-01T10:30:00Z"),
    finding(
        "CONTROL_CHANGED",
        bucket="AwsControl",
        object_key="s3/bucket/raw/policy",
        event_time="2026-11-01T05:30:00Z",
    ),
)


class Served:
    """Overviews of a period in which most hours were judged by nobody."""

    def __init__(self) -> None:
        self._given: dict[str, list[Answer]] = {}

    def now(self) -> datetime:
        """Later with each answer, and before what is shown."""
        return NOW - timedelta(minutes=1) + timedelta(seconds=sum(map(len, self._given.values())))

    def answer(self, answer: Answer) -> None:
        self._given.setdefault(answer.finding, []).append(answer)

    def of(self, days: int) -> tuple[Overview, Settings]:
        runs = (read_run(8, *FOUND), read_run(12, *FOUND))
        closed = NOW - timedelta(hours=4)
        evidence = Evidence(runs, judged=NOW, closed=closed, sealed=NOW, answers=self._given)
        first = NOW.date() - timedelta(days=days - 1)
        return overview(evidence, **JOBS, policy=POLICY, first=first, now=NOW), SETTINGS


if __name__ == "__main__":
    airflow = FastAPI()
    airflow.mount(f"{BELOW}/custody", console_app(Served(), [lambda: None], ANSWERING))
    uvicorn.run(airflow, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
