"""What the DAGs do, without Airflow: their statements, their jobs, and the partitions they move."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import jinja2

from custody.aws.catalog import Pointer, point_partitions
from custody.aws.definitions import make_right
from custody.aws.regions import trail_regions
from custody.core.datasets.contracts import contract_of
from custody.core.datasets.tables import tables
from custody.core.formats.hive_ddl import read_definition
from custody.core.ledger.hours.windows import Window, audit_window
from custody.core.ledger.tables import COLUMNS
from rehearsal.machine import REPOSITORY
from rehearsal.observing import query, whole_hours
from rehearsal.platform import Platform
from rehearsal.waiting import wait_until

SQL: Final = REPOSITORY / "include" / "sql"
CREATED: Final = sorted(path.relative_to(SQL).as_posix() for path in SQL.glob("*/create_*.sql"))
VIEW: Final = "provenance/provenance_ledger.sql"
DATASET: Final = "customers"
CONTRACT: Final = REPOSITORY / "include" / "contracts" / f"{DATASET}.odcs.yaml"
GOLD: Final = "customers_by_country_month"
SILVER_AREAS: Final = {
    "silver_customers": "silver",
    "silver_customers_files": "files",
    "silver_customers_quarantine": "quarantine",
}


@dataclass(frozen=True)
class Steps:
    """The platform's work, as its role for Airflow."""

    platform: Platform

    def make_tables(self) -> None:
        """As the DAG `provenance_ledger` makes tables and view."""
        body = CONTRACT.read_text(encoding="utf-8")
        deployed = [
            *(read_definition(self._rendered(file)) for file in CREATED),
            *(t.definition(self._settings) for t in tables(contract_of(body, CONTRACT.name))),
        ]
        for table in deployed:
            make_right(self.platform.client("glue", "airflow"), self._settings["database"], table)
        query(self.platform, self._rendered(VIEW), principal="airflow")

    def reconcile(self, since: datetime) -> None:
        """As `provenance_reconcile` does, for all hours from that of `since` on, without grace."""
        now = datetime.now(UTC)
        window = Window(*whole_hours(since, now), now, timedelta())
        run = self._run("reconcile_job", {"--window": json.dumps(window.parameters())})
        self._show("reconciliation", f"reconciliation/run={run}/", window.partitions())

    def audit(self) -> None:
        """As `custody_audit` does: everything is read, nothing has grace."""
        order = audit_window(as_of=datetime.now(UTC), grace_minutes=0, sample_days=1, days=2)
        run = self._run("audit_job", {"--audit": json.dumps(order)})
        self._show("audit", f"audit/run={run}/", [order["partition"]])

    def build(self, day: date) -> None:
        """As `medallion_customers` does for a day whose files have their records."""
        which = {"--dataset": DATASET, "--dt": str(day)}
        run = f"dt={day}/run={self._run('bronze_to_silver_job', which)}/"
        for table, area in SILVER_AREAS.items():
            place = f"s3://{self._settings['processed_bucket']}/{area}/{DATASET}/{run}"
            self._point(table, [Pointer((str(day),), place)])
        silver = f"s3://{self._settings['processed_bucket']}/silver/{DATASET}/{run}"
        built = {**which, "--silver_run": silver, "--gold_table": GOLD}
        run = f"dt={day}/run={self._run('silver_to_gold_job', built)}/"
        place = f"s3://{self._settings['analytics_bucket']}/gold/{GOLD}/{run}"
        self._point(f"gold_{GOLD}", [Pointer((str(day),), place)])

    @property
    def _settings(self) -> dict[str, str]:
        return self.platform.settings

    def _rendered(self, file: str) -> str:
        loader = jinja2.FileSystemLoader(SQL)
        sql = jinja2.Environment(loader=loader)  # noqa: S701 - SQL, not HTML
        return sql.get_template(file).render(
            var={"json": {"custody": self._settings}}, columns=COLUMNS, trail_regions=trail_regions
        )

    def _run(self, job: str, arguments: Mapping[str, str]) -> str:
        """The id of a run of the job that this setting names, once it has succeeded."""
        glue, name = self.platform.client("glue", "airflow"), self._settings[job]
        run: str = glue.start_job_run(JobName=name, Arguments=dict(arguments))["JobRunId"]
        told: dict[str, Any] = {}

        def ended() -> bool:
            told.update(glue.get_job_run(JobName=name, RunId=run)["JobRun"])
            return told["JobRunState"] not in {"STARTING", "RUNNING", "WAITING", "STOPPING"}

        wait_until(f"{name} has ended", ended)
        assert told["JobRunState"] == "SUCCEEDED", told.get("ErrorMessage")
        return run

    def _show(self, table: str, output: str, partitions: Sequence[Any]) -> None:
        place = f"s3://{self._settings['analytics_bucket']}/{output}"
        self._point(
            table,
            [Pointer((dt, hour), f"{place}dt={dt}/hour={hour}/") for dt, hour in partitions],
        )

    def _point(self, table: str, pointers: Sequence[Pointer]) -> None:
        glue = self.platform.client("glue", "airflow")
        point_partitions(glue, self._settings["database"], table, pointers)
