"""The components of the local Airflow, acted out by a script."""

import os
import subprocess
import sys
from pathlib import Path

from rehearsal.machine import REPOSITORY

# Ready to be stopped before it says that it has started; the API server, whose port was taken, ends
# when all have.
ACTOR = """#!/bin/sh
trap 'echo "$1" >> "$HOME/stopped"; exit 0' TERM
echo "$@" >> "$HOME/started"
[ "$1" = db ] && exit 0
while [ "$1" != api-server ] || [ "$(wc -l < "$HOME/started")" -lt "$ALL" ]; do sleep 0.1; done
exit 7
"""


def run(home: Path, *, commands: int) -> tuple[list[str], subprocess.CompletedProcess[str]]:
    """What the components were started with, in order, and how it ended."""
    actor = home / "airflow"
    actor.write_text(ACTOR)
    actor.chmod(0o755)
    (home / "started").unlink(missing_ok=True)
    ended = subprocess.run(
        [sys.executable, "-m", "rehearsal.components"],
        env={
            "HOME": str(home),
            "AIRFLOW_HOME": str(home),
            "ALL": str(commands),
            "PATH": os.pathsep.join([str(home), os.environ["PATH"]]),
            "PYTHONPATH": str(REPOSITORY / "infra" / "local"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return (home / "started").read_text().splitlines(), ended


def test_no_log_server_is_started_and_one_that_ends_takes_the_others_along(tmp_path: Path) -> None:
    (first, *others), ended = run(tmp_path, commands=5)
    assert ended.returncode == 1
    assert "airflow api-server ended with exit code 7" in ended.stderr
    assert first == "db migrate"
    assert sorted(others) == [
        "api-server",
        "dag-processor",
        "scheduler --skip-serve-logs",
        "triggerer --skip-serve-logs",
    ]
    stopped = (tmp_path / "stopped").read_text().splitlines()
    assert sorted(stopped) == ["dag-processor", "scheduler", "triggerer"]


def test_the_database_is_migrated_once_for_each_version(tmp_path: Path) -> None:
    assert "db migrate" in run(tmp_path, commands=5)[0]
    assert "db migrate" not in run(tmp_path, commands=4)[0]
    (tmp_path / "migrated").write_text("3.2.0")
    assert "db migrate" in run(tmp_path, commands=5)[0]
