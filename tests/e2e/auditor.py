"""The auditor's command line, as somebody runs it who looks at the platform from outside."""

import json
import subprocess
import sys
from typing import Any

from rehearsal.machine import PROJECT, REPOSITORY, STAGE
from rehearsal.platform import ADMIN, Platform

COMMAND = "from custody.cli.main import run; run()"  # what its installed script does


def custody(platform: Platform, command: str, *arguments: str) -> list[dict[str, Any]]:
    """Run `custody`; returns what it printed, after checking that it says all is well."""
    settings = f"ssm:/{PROJECT}/{STAGE}/airflow/variables/{PROJECT}"
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, command, "--json", "--settings", settings, *arguments],
        env=platform.machine.environment_of(ADMIN)
        | {
            "PYTHONPATH": str(REPOSITORY / "plugins"),
            "AWS_DEFAULT_REGION": platform.settings["region"],
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
