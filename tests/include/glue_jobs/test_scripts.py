"""The scripts give the jobs their arguments, and find all they import in what is deployed."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from awsglue.utils import GlueArgumentError
from infra.build import build
from tests.support.spark_session import REPOSITORY

import audit
import bronze_to_silver
import reconcile
import silver_to_gold
from custody.core.ledger.hours.windows import Window, audit_window
from custody.core.lineage.model import Material
from custody.spark import glue_runs
from custody.spark.glue_runs import GlueRun

SCRIPTS = sorted((REPOSITORY / "include" / "glue_jobs").glob("*.py"))
AS_OF = datetime(2026, 11, 1, 8, 35, tzinfo=UTC)
MATERIAL = Material("script", "aa" * 32)


def started(script: ModuleType, **arguments: str) -> list[str]:
    """The command line of a run as Glue gives it: with arguments of its own."""
    given = {"JOB_NAME": "job", "JOB_RUN_ID": "jr_1", "extra-py-files": "s3://c/custody.zip"}
    words = [word for name, value in (given | arguments).items() for word in (f"--{name}", value)]
    return [str(script.__file__), *words]


class Called:
    """A body that remembers what it was called with."""

    def __init__(self) -> None:
        self.arguments: tuple[Any, ...] = ()
        self.named: dict[str, Any] = {}

    def __call__(self, *arguments: Any, **named: Any) -> None:
        self.arguments, self.named = arguments, named


@pytest.fixture
def body() -> Called:
    return Called()


@pytest.fixture
def code(monkeypatch: Any) -> Called:
    """What is asked about the code that runs."""
    asked = Called()
    monkeypatch.setattr(glue_runs, "code", lambda *of: asked(*of) or (MATERIAL,))
    return asked


def test_reconcile_reads_what_the_dag_sends(body: Called, code: Called, monkeypatch: Any) -> None:
    monkeypatch.setattr(reconcile, "reconcile", body)
    hour = datetime(2026, 11, 1, 6, tzinfo=UTC)
    window = Window(hour, hour + timedelta(hours=2), AS_OF, timedelta(minutes=30))
    sent = json.dumps({**window.parameters(), "watched": window.partitions()})
    reconcile.main(started(reconcile, settings="{}", window=sent))
    run, judged = body.arguments
    assert judged == window
    expected = {"settings": "{}", "window": sent}
    assert run == GlueRun("job", "jr_1", expected, run.started_on, (MATERIAL,))
    assert code.arguments[0] == reconcile.__file__


def test_audit_reads_what_the_dag_sends(body: Called, code: Called, monkeypatch: Any) -> None:
    monkeypatch.setattr(audit, "audit", body)
    sent = json.dumps(audit_window(as_of=AS_OF, grace_minutes=180, sample_days=28, days=2))
    audit.main(started(audit, settings="{}", audit=sent))
    run, request = body.arguments
    assert (request.as_of, request.grace) == (AS_OF, timedelta(hours=3))
    assert (request.sample_days, request.days) == (28, 2)
    expected = {"settings": "{}", "audit": sent}
    assert run == GlueRun("job", "jr_1", expected, run.started_on, (MATERIAL,))
    assert code.arguments[0] == audit.__file__


@pytest.mark.parametrize(
    ("script", "name"), [(bronze_to_silver, "build_silver"), (silver_to_gold, "build_gold")]
)
def test_a_builders_run_states_its_arguments_and_its_code(
    script: ModuleType, name: str, body: Called, code: Called, monkeypatch: Any
) -> None:
    monkeypatch.setattr(script, name, body)
    arguments = {name: f"value of {name}" for name in script.PARAMETERS}
    script.main(started(script, **arguments))
    (run,) = body.arguments
    expected = GlueRun("job", "jr_1", arguments, run.started_on, (MATERIAL,))
    assert run == expected
    assert code.arguments[0] == script.__file__


@pytest.mark.parametrize("missing", bronze_to_silver.PARAMETERS)
def test_a_missing_argument_is_named(missing: str) -> None:
    given = {name: "x" for name in bronze_to_silver.PARAMETERS if name != missing}
    with pytest.raises(GlueArgumentError, match=f"required: --{missing}$"):
        bronze_to_silver.main(started(bronze_to_silver, **given))


def test_what_is_deployed_holds_all_that_the_scripts_import(tmp_path: Path) -> None:
    build(REPOSITORY, tmp_path)
    archive = tmp_path / "bundle" / "custody.zip"
    names = set(zipfile.ZipFile(archive).namelist())
    assert {"custody/settings.py", "custody/objects.py", "custody/spark/startup.py"} <= names
    assert len(SCRIPTS) == 6
    imports = "; ".join(f"import {script.stem}" for script in SCRIPTS)
    subprocess.run(
        [sys.executable, "-c", f"{imports}; import custody; print(custody.__file__)"],
        env={"PYTHONPATH": f"{archive}:{SCRIPTS[0].parent}"},
        check=True,
        capture_output=True,
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_is_arguments_and_main(script: Path) -> None:
    """What workers run must be in `custody.spark`: they import code by the name of its module."""
    module = importlib.import_module(script.stem)
    classes = [
        name
        for name, thing in vars(module).items()
        if isinstance(thing, type) and thing.__module__ == module.__name__
    ]
    assert classes == []
    assert len(script.read_text().splitlines()) <= 70
