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
while [ "$1" != api-server ] || [ "$(wc -l < "$HOME/started")" -lt 5 ]; do sleep 0.1; done
exit 7
"""


def test_no_log_server_is_started_and_one_that_ends_takes_the_others_along(tmp_path: Path) -> None:
    actor = tmp_path / "airflow"
    actor.write_text(ACTOR)
    actor.chmod(0o755)
    ended = subprocess.run(
        [sys.executable, "-m", "rehearsal.components"],
        env={
            "HOME": str(tmp_path),
            "PATH": os.pathsep.join([str(tmp_path), os.environ["PATH"]]),
            "PYTHONPATH": str(REPOSITORY / "infra" / "local"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert "airflow api-server ended with exit code 7" in ended.stderr
    first, *others = (tmp_path / "started").read_text().splitlines()
    assert first == "db migrate"
    assert sorted(others) == [
        "api-server",
        "dag-processor",
        "scheduler --skip-serve-logs",
        "triggerer --skip-serve-logs",
    ]
    stopped = (tmp_path / "stopped").read_text().splitlines()
    assert sorted(stopped) == ["dag-processor", "scheduler", "triggerer"]
