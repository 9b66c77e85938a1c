"""`astro dev start --standalone`: Astro's own Airflow runs the platform on the local AWS."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import pytest
from infra.build import REPOSITORY
from tests.support.patience import PATIENCE_SECONDS
from tests.support.ports import free_port

from rehearsal.airflow import Airflow
from rehearsal.landing import land_sample, sample_days
from rehearsal.machine import Machine
from rehearsal.observing import query, wait_settled, whole_hours
from rehearsal.platform import Platform
from rehearsal.runs import follow, run_dag, switch_on, switch_on_from_now

TAG = "3.3-7-python-3.12"


class AstroAirflow(Airflow):
    """Started and stopped by the CLI, with everybody an administrator."""

    def pid(self) -> int | None:
        return os.getpid()

    def _log_in(self) -> None:
        token = self._http.get(f"{self._machine.airflow_url}/auth/token", timeout=PATIENCE_SECONDS)
        token.raise_for_status()
        self._http.headers["Authorization"] = f"Bearer {token.json()['access_token']}"


class AstroPlatform(Platform):
    @cached_property
    def airflow(self) -> Airflow:
        return AstroAirflow(self.machine)


def seed(project: Path) -> None:
    """What the CLI would ask Astro's servers for: what its image of this tag has."""
    folder = project / ".astro" / "standalone"
    folder.mkdir(parents=True)
    constraints = (REPOSITORY / "infra" / "mwaa" / "constraints.txt").read_text(encoding="utf-8")
    versions = "apache-airflow==3.3.1\n"
    (folder / f"constraints-{TAG}.txt").write_text(versions + constraints)
    (folder / f"freeze-{TAG}.txt").write_text(versions + constraints)


@pytest.fixture
def platform(
    astro: Path, project: Path, environment: dict[str, str], tmp_path: Path
) -> Iterator[Platform]:
    """The platform in an Airflow that the CLI started."""
    machine = Machine(tmp_path / "local", free_port(), free_port())
    platform = AstroPlatform(machine)
    seed(project)
    settings = (project / ".env.example").read_text(encoding="utf-8")
    # Where the example says the local AWS has its home; this one has its own.
    (project / ".env").write_text(settings.replace("build/local", str(machine.home)))

    def command(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [astro, "dev", *arguments],
            cwd=project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    try:
        platform.start_aws()
        platform.deploy()
        port = str(machine.airflow_port)
        started = command("start", "--standalone", "--port", port, "--wait", "15m")
        log = project / ".astro" / "standalone" / "airflow.log"
        assert started.returncode == 0, (
            started.stdout + started.stderr + (log.read_text()[-4000:] if log.exists() else "")
        )
        yield platform
    finally:
        command("stop", "--standalone")
        platform.stop_aws()


def test_an_upload_becomes_verified(platform: Platform) -> None:
    began = datetime.now(UTC)
    platform.airflow.wait_ready(platform.dags)
    follow(platform, "provenance_ledger", [switch_on(platform, "provenance_ledger")], say=print)
    switch_on_from_now(platform, "provenance_reconcile")
    landed = land_sample(platform, sample_days()[:1])
    wait_settled(platform, bronze=len(landed))
    start, end = whole_hours(began, datetime.now(UTC))
    window = {"window_start": start.isoformat(), "window_end": end.isoformat()}
    run_dag(
        platform,
        "provenance_reconcile",
        {**window, "grace_minutes": 0, "delivery_hours": 0},
        say=print,
    )
    verdicts = {
        row["object_key"]: row["verdict"]
        for row in query(platform, "SELECT object_key, verdict FROM reconciliation")
    }
    assert {file.key: verdicts.get(file.key) for file in landed} == {
        file.key: "VERIFIED" for file in landed
    }
