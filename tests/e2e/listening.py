"""Where the platform's processes listen."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psutil

from rehearsal.platform import Platform


def listening(platform: Platform) -> set[tuple[str, str]]:
    """Program and address of every port that the platform's processes listen on."""
    found = set()
    for process in processes(platform.machine.home):
        with contextlib.suppress(psutil.NoSuchProcess):
            found |= {
                (process.name(), connection.laddr.ip)
                for connection in process.net_connections(kind="inet")
                if connection.status == psutil.CONN_LISTEN
            }
    return found


def spark_listens(found: set[tuple[str, str]]) -> bool:
    """Whether among them is a Spark job that has come so far that its driver listens."""
    return any(program == "java" for program, _ in found)


def processes(home: Path) -> Iterator[psutil.Process]:
    """The local AWS, Airflow and its database, and everything that these started."""
    for pid_file in ("run/localaws.lock", "run/airflow.pid", "airflow/database/postmaster.pid"):
        first = psutil.Process(int((home / pid_file).read_text().split()[0]))
        yield first
        yield from first.children(recursive=True)
