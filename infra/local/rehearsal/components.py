"""The components of Airflow, under one process: `python -m rehearsal.components`.

As `airflow standalone`, but without its two log servers: they listen on every interface of the
machine, which no setting changes, and serve logs to an API server on another machine. Ours reads
the files. And a component that ends takes the others along, so that nobody waits for half an
Airflow.
"""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Final

COMPONENTS: Final = (
    ("scheduler", "--skip-serve-logs"),
    ("dag-processor",),
    ("api-server",),
    ("triggerer", "--skip-serve-logs"),
)


def main() -> None:
    """Bring the database to this version, then run every component until one of them ends."""
    migrated, ours = Path(os.environ["AIRFLOW_HOME"], "migrated"), version("apache-airflow")
    # To look whether there is anything to do takes Airflow as long as its start.
    if not migrated.exists() or migrated.read_text() != ours:
        subprocess.run(["airflow", "db", "migrate"], check=True)
        migrated.write_text(ours)
    names = {}
    processes = []
    for component in COMPONENTS:
        processes.append(subprocess.Popen(["airflow", *component]))
        names[processes[-1].pid] = component[0]
    pid, status = os.wait()
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait()
    sys.exit(f"airflow {names[pid]} ended with exit code {os.waitstatus_to_exitcode(status)}")


if __name__ == "__main__":
    main()
