"""`astro dev parse`: the project's own test of its DAGs, run as Astro runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


def parse(project: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", ".astro/test_dag_integrity_default.py"],
        cwd=project,
        env={
            "PATH": os.environ["PATH"],
            "AIRFLOW_HOME": str(project / "home"),
            "AIRFLOW__CORE__PLUGINS_FOLDER": str(project / "plugins"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "900",
            "PYTHONPATH": str(project),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_projects_dags_load(project: Path) -> None:
    done = parse(project)
    assert done.returncode == 0, done.stdout
    # Its settings are its own, not those of the project's tests.
    assert "configfile: pytest.ini" in done.stdout
    assert "5 passed" in done.stdout


@pytest.mark.parametrize(("excepted", "code"), [("", 1), ("dags/broken.py\n", 0)])
def test_a_broken_dag_fails_unless_it_is_excepted(project: Path, excepted: str, code: int) -> None:
    (project / "dags" / "broken.py").write_text("from airflow.sdk import no_such_dag\n")
    (project / ".astro" / "dag_integrity_exceptions.txt").write_text(excepted)
    done = parse(project)
    assert done.returncode == code, done.stdout
    assert ("cannot import name 'no_such_dag'" in done.stdout) is (code == 1)
