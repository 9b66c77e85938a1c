"""The main job, end to end, on this machine: `make demo`.

Brings the platform up fresh, lands three days of customers and one of orders, backfills them
through Airflow, reconciles the two witnesses and beside that audits and seals what stands (nothing
to page), tampers four ways, reconciles again (four pages), and leaves everything running to look
at. Exits 1 when anything is not exactly as it must be.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from rehearsal import cosigner
from rehearsal.airflow import StartError
from rehearsal.landing import BESIDE, DATASET, Landed, land_sample, sample_days
from rehearsal.machine import REPOSITORY, Machine
from rehearsal.observing import (
    OnCall,
    Page,
    count,
    query,
    records_of_layer,
    verdicts,
    wait_settled,
    whole_hours,
)
from rehearsal.platform import Platform, SetUpError
from rehearsal.runs import (
    RunFailed,
    clear_of_schedule,
    follow,
    start_backfill,
    switch_on,
    switch_on_from_now,
)
from rehearsal.tampering import Tampering, tamper

SUMMARY = REPOSITORY / "build" / "demo" / "summary.json"


class DemoFailed(RuntimeError):
    """The platform did not behave as it must; the message says what was expected and seen."""


class Demo:
    """One rehearsal, phase by phase, with its clock and its screen."""

    def __init__(self, machine: Machine, console: Console) -> None:
        self._platform = Platform(machine)
        self._console = console
        self._seconds: dict[str, float] = {}
        self._started = datetime.now(UTC)

    def run(self) -> None:
        """Play all phases and write the summary."""
        platform = self._platform
        with self._phase("start", "Start the local AWS and Airflow, from nothing"):
            platform.airflow.check_port()
            platform.reset()
            platform.start_aws()
            platform.airflow.start()
        with self._phase("deploy", "Deploy the CloudFormation stacks"):
            platform.deploy()
        on_call = OnCall(platform)
        with self._phase(
            "land", "Land three days of customers and one of orders, as three principals"
        ):
            landed = [
                file
                for dataset in (DATASET, BESIDE)
                for file in land_sample(platform, sample_days(dataset), dataset)
            ]
            for file in landed:
                self._say(f"{file.principal:>14}  {file.key}  {file.size_bytes:,} bytes")
        with self._phase("airflow", "Wait for Airflow; make the ledger's tables and view"):
            platform.airflow.wait_ready(platform.dags, self._say)
            first = switch_on(platform, "provenance_ledger")
            for dag_id in sorted(platform.dags - {"provenance_ledger"}):
                switch_on_from_now(platform, dag_id)
            follow(platform, "provenance_ledger", [first], say=self._say)
        with self._phase("backfill", "Backfill their days side by side: bronze → silver → gold"):
            runs = {}
            for dataset in (DATASET, BESIDE):
                days = sample_days(dataset)
                dag_id = f"medallion_{dataset}"
                runs[dag_id] = start_backfill(platform, dag_id, days[0], days[-1])
            for dag_id, run_ids in runs.items():
                follow(platform, dag_id, run_ids, say=self._say)
        with self._phase(
            "reconcile_and_audit",
            "Reconcile the two witnesses; beside it, audit every byte and seal what was recorded",
        ):
            wait_settled(platform, bronze=len(landed))
            self._run(
                provenance_reconcile=self._window(),
                custody_audit={"sample_days": 1, "grace_minutes": 0},
            )
            found = [page.finding for page in on_call.pages()]
            self._expect("pages after an honest day", [], found)
            self._say("nothing to page")
            seen = cosigner.seen(platform.client("s3"), platform.settings)
            self._expect(f"whether the seal is cosigned ({seen.in_words})", True, seen.is_met)
            self._say(f"the seal: {seen.in_words}")
        summary = self._count(landed)
        with self._phase("tamper", "Tamper in four ways"):
            clear_of_schedule(platform, "provenance_reconcile")
            tamperings = []
            for tampering in tamper(platform, sample_days()[-1], landed):
                tamperings.append(tampering)
                self._say(f"{len(tamperings)}. {tampering.story}")
        with self._phase("reconcile_again", "Reconcile again"):
            # One write without a record, two records without a write.
            wait_settled(platform, bronze=len(landed) + 3, alone=3)
            self._run(provenance_reconcile=self._window())
            pages = on_call.pages()
            self._show_pages(pages)
            self._check_pages(tamperings, pages)
        summary["pages"] = [page.finding for page in pages]
        summary["seconds"] = self._seconds
        self._write(summary)
        self._show_ledger(landed[0])
        self._show_where_to_look()

    def _window(self) -> dict[str, Any]:
        """What of the reconciliation judges everything since the demo began."""
        start, end = whole_hours(self._started, datetime.now(UTC))
        return {
            "window_start": start.isoformat(),
            "window_end": end.isoformat(),
            # Both witnesses have settled, so there is nothing to wait for.
            "grace_minutes": 0,
            "delivery_hours": 0,
        }

    def _run(self, **parameters: dict[str, Any]) -> None:
        """Run DAGs side by side, each with its parameters."""
        airflow = self._platform.airflow
        runs = {dag_id: airflow.trigger(dag_id, conf) for dag_id, conf in parameters.items()}
        for dag_id, run_id in runs.items():
            follow(self._platform, dag_id, [run_id], say=self._say)

    def _count(self, landed: list[Landed]) -> dict[str, Any]:
        platform = self._platform
        return {
            "objects_landed": len(landed),
            "records": records_of_layer(platform, platform.settings["raw_bucket"]),
            "verified": verdicts(platform)["bronze", "VERIFIED"],
            "pages": [],
            "silver_rows": count(platform, "silver_customers"),
            "quarantined_rows": count(platform, "silver_customers_quarantine"),
            "gold_rows": count(platform, "gold_customers_by_country_month"),
            "orders": count(platform, "silver_orders"),
        }

    def _check_pages(self, tamperings: list[Tampering], pages: list[Page]) -> None:
        def order(finding: dict[str, Any]) -> str:
            return json.dumps(finding, sort_keys=True)

        self._expect(
            "pages after the tampering",
            sorted((asdict(t.finding) for t in tamperings), key=order),
            sorted((page.finding for page in pages), key=order),
        )
        for tampering in tamperings:
            (page,) = (page for page in pages if page.finding == asdict(tampering.finding))
            self._expect(
                f"causes of {tampering.finding.verdict} {tampering.finding.key}",
                sorted(tampering.controls),
                sorted(tampering.controls & page.causes.keys()),
            )

    def _expect(self, what: str, expected: Any, seen: Any) -> None:
        if expected != seen:
            raise DemoFailed(
                f"{what}: expected\n{json.dumps(expected, indent=2)}\n"
                f"but saw\n{json.dumps(seen, indent=2)}"
            )

    # Screen

    @contextmanager
    def _phase(self, name: str, title: str) -> Iterator[None]:
        self._console.rule(f"[bold]{title}", align="left")
        started = time.monotonic()
        yield
        self._seconds[name] = round(time.monotonic() - started, 1)
        self._console.print(f"[green]done[/] in {self._seconds[name]} s")

    def _say(self, line: str) -> None:
        self._console.print(f"  {line}", highlight=False, markup=False, soft_wrap=True)

    def _show_pages(self, pages: list[Page]) -> None:
        for page in pages:
            table = Table(title=f"PAGE  {page.body['verdict']}", title_justify="left", min_width=80)
            table.add_column("what", no_wrap=True)
            table.add_column("value", overflow="fold")
            for field, value in page.body.items():
                if field != "causes":
                    table.add_row(field, str(value))
            for control, principal in page.causes.items():
                table.add_row("caused by", f"{principal}: {control}")
            self._console.print(table)

    def _show_ledger(self, landed: Landed) -> None:
        rows = query(
            self._platform,
            "SELECT * FROM provenance_ledger"  # noqa: S608
            f" WHERE object_key = '{landed.key}' AND version_id = '{landed.version_id}'",
        )
        self._console.rule(f"[bold]The ledger for {landed.key}", align="left")
        table = Table(min_width=80, show_header=False)
        for row in rows:
            for column, value in row.items():
                table.add_row(column, value or "")
        self._console.print(table)

    def _show_where_to_look(self) -> None:
        machine = self._platform.machine
        total = sum(self._seconds.values())
        self._console.rule(f"[bold green]The main job ran in {total:.0f} s", align="left")
        for name, place in (
            ("Airflow", f"{machine.airflow_url}  (admin / {self._platform.airflow.password})"),
            ("local AWS", f"{machine.endpoint}  (profiles in {machine.home / 'aws'})"),
            ("logs", str(machine.home / "logs")),
            ("summary", str(SUMMARY)),
            ("stop", "make down"),
        ):
            self._say(f"{name:10} {place}")

    def _write(self, summary: dict[str, Any]) -> None:
        SUMMARY.parent.mkdir(parents=True, exist_ok=True)
        SUMMARY.write_text(json.dumps(summary, indent=2) + "\n")


def main() -> None:
    """Run the demo; progress and findings on standard output."""
    console = Console(soft_wrap=False)
    try:
        Demo(Machine.from_environment(), console).run()
    except (DemoFailed, RunFailed, SetUpError, StartError, TimeoutError) as error:
        console.print(f"[bold red]The demo failed.[/] {error}", markup=True, highlight=False)
        sys.exit(1)


if __name__ == "__main__":
    main()
