"""Kill parts of the platform without warning, and bring back what does not come back by itself."""

import os
import signal
from pathlib import Path

from rehearsal.platform import Platform


def spark_processes(platform: Platform) -> list[int]:
    """Process ids of the Spark JVMs of this platform's Glue runs."""
    marker = str(platform.machine.home).encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if b"org.apache.spark.deploy.SparkSubmit" in command and marker in command:
            found.append(int(process.name))
    return found


def kill_spark(platform: Platform) -> None:
    for pid in spark_processes(platform):
        os.kill(pid, signal.SIGKILL)


def kill_airflow(platform: Platform) -> None:
    platform.airflow.stop(how=signal.SIGKILL)
    platform.airflow.start()
    platform.airflow.wait_ready(platform.dags)


def kill_aws(platform: Platform) -> None:
    platform.kill_aws()
    platform.start_aws()
