"""Serves the console to a browser, below a path as an Airflow with one would: `served.py PORT`.

The objects are those of a small platform with an honest history; what the runs found is made up.
"""

from __future__ import annotations

import sys
import tempfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import uvicorn
from fastapi import FastAPI

ROOT: Final = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "plugins")]

from tests.support.audited import RAW, A, Platform, honest_platform  # noqa: E402
from tests.support.consoles import JOBS, POLICY, SCRIPT, read_run, removed  # noqa: E402
from tests.support.findings import finding  # noqa: E402
from tests.support.lives import PARSED, evidence_of, published  # noqa: E402

from custody.console.answering import Answering, Visitor  # noqa: E402
from custody.console.app import console_app  # noqa: E402
from custody.console.datasets import Datasets  # noqa: E402
from custody.console.objects import Objects  # noqa: E402
from custody.console.runs import Runs  # noqa: E402
from custody.core.answers.model import Answer  # noqa: E402
from custody.core.console.overview import Evidence, Overview, overview  # noqa: E402
from custody.core.console.run_in_airflow import RunInAirflow  # noqa: E402
from custody.core.runs.model import JudgingRun  # noqa: E402
from custody.settings import Settings  # noqa: E402

BELOW: Final = "/team/airflow"
ANSWERING: Final = Answering([lambda: None], lambda: Visitor("somebody", "session"))
HOUR: Final = timedelta(hours=1)


class Served:
    """Overviews of a period in which most hours were judged by nobody, and people's answers."""

    def __init__(self, platform: Platform) -> None:
        self._version = platform.versions[A].version
        self._at = platform.times[A]
        self._end = self._at.replace(minute=0, second=0, microsecond=0) + HOUR
        self._given: dict[str, list[Answer]] = {}

    def now(self) -> datetime:
        """Later with each answer, and before what is shown."""
        given = timedelta(seconds=sum(map(len, self._given.values())))
        return self._end + HOUR - timedelta(minutes=1) + given

    def answer(self, answer: Answer) -> None:
        self._given.setdefault(answer.finding, []).append(answer)

    def of(self, days: int) -> tuple[Overview, Settings]:
        end, now = self._end, self._end + HOUR
        written = {"event_time": f"{self._at:%Y-%m-%dT%H:%M:%SZ}", "bucket": RAW}
        rows = [
            removed(SCRIPT, **written),
            removed(f"incoming/customers/dt=2026-11-01/{'a-long-name-' * 15}.csv", **written),
            finding("CONFLICT", object_key=A, version_id=self._version.version_id, **written),
            # One of these belongs to what is found above, the other to nothing.
            *(
                finding(
                    "CONTROL_CHANGED",
                    bucket="AwsControl",
                    object_key=f"s3/bucket/{bucket}/policy",
                    event_time=f"{self._at - HOUR:%Y-%m-%dT%H:%M:%SZ}",
                )
                for bucket in ("elsewhere", RAW)
            ),
        ]
        as_of = now - timedelta(minutes=5)
        run = JudgingRun("reconcile", "jr_1", as_of, end - 4 * HOUR, end)
        read, closed = replace(read_run(8, *rows), run=run), end - 2 * HOUR
        evidence = Evidence([read], judged=end, closed=closed, sealed=now, answers=self._given)
        first = now.date() - timedelta(days=days - 1)
        return overview(evidence, **JOBS, policy=POLICY, first=first, now=now), PARSED


def in_airflow(dag_id: str, run_id: str) -> RunInAirflow:
    """A run of a DAG of the day that is there."""
    started = {"bronze_to_silver": "jr_silver", "gold_customers_per_day.silver_to_gold": "jr_gold"}
    return RunInAirflow(dag_id, run_id, {}, "2026-11-01", None, started)


def serve(port: int) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        honest_platform(Path(folder)) as platform,
        evidence_of(platform) as current,
    ):
        published(platform, 1)
        published(platform, 2, asked_by="ana", reason="wrong prices")
        app = console_app(
            Served(platform),  # type: ignore[arg-type]
            Objects(current),
            Datasets(current),
            Runs(current, in_airflow, ()),
            [lambda: None],
            ANSWERING,
        )
        airflow = FastAPI()
        airflow.mount(f"{BELOW}/custody", app)
        uvicorn.run(airflow, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    serve(int(sys.argv[1]))
