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
from custody.core.ledger.windows import Window, audit_window
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


def test_reconcile_reads_what_the_dag_sends(body: Called, monkeypatch: Any) -> None:
    monkeypatch.setattr(reconcile, "reconcile", body)
    hour = datetime(2026, 11, 1, 6, tzinfo=UTC)
    window = Window(hour, hour + timedelta(hours=2), AS_OF, timedelta(minutes=30))
    sent = {**window.parameters(), "watched": window.partitions()}
    settings = {"raw_bucket": "raw"}
    reconcile.main(started(reconcile, settings=json.dumps(settings), window=json.dumps(sent)))
    read, judged = body.arguments
    assert (read.raw_bucket, judged) == ("raw", window)
    assert body.named == {"run_id": "jr_1"}


def test_audit_reads_what_the_dag_sends(body: Called, monkeypatch: Any) -> None:
    monkeypatch.setattr(audit, "audit", body)
    sent = audit_window(as_of=AS_OF, grace_minutes=180, sample_days=28, days=2)
    settings = {"raw_bucket": "raw"}
    audit.main(started(audit, settings=json.dumps(settings), audit=json.dumps(sent)))
    read, request = body.arguments
    assert read.raw_bucket == "raw"
    assert (request.as_of, request.grace) == (AS_OF, timedelta(hours=3))
    assert (request.sample_days, request.days) == (28, 2)
    assert body.named == {"run_id": "jr_1"}


@pytest.mark.parametrize(
    ("script", "name"), [(bronze_to_silver, "build_silver"), (silver_to_gold, "build_gold")]
)
def test_a_builders_run_states_its_arguments_and_its_code(
    script: ModuleType, name: str, body: Called, monkeypatch: Any
) -> None:
    monkeypatch.setattr(script, name, body)
    code = Called()
    monkeypatch.setattr(glue_runs, "code", lambda *of: code(*of) or (MATERIAL,))
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
    assert len(SCRIPTS) == 5
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
