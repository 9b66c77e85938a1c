"""What is said when the local Airflow cannot start."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.airflow import Airflow, StartError
from rehearsal.machine import Machine
from rehearsal.platform import Platform
from rehearsal.waiting import wait_until


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that this process listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_taken_port_is_said_at_once_with_process_and_remedy(tmp_path: Path, taken: int) -> None:
    platform = Platform(Machine(tmp_path / "home", aws_port=1, airflow_port=taken))
    with pytest.raises(StartError) as refused:
        platform.start()
    assert f"port {taken} is taken by process {os.getpid()} (" in str(refused.value)
    assert "stop it, or set AIRFLOW_PORT" in str(refused.value)
    assert not (tmp_path / "home").exists()  # nothing was started


def test_airflow_itself_does_not_start_on_a_taken_port(tmp_path: Path, taken: int) -> None:
    with pytest.raises(StartError, match=f"port {taken} is taken"):
        Platform(Machine(tmp_path / "home", aws_port=1, airflow_port=taken)).airflow.start()
    assert not (tmp_path / "home").exists()


def test_what_does_not_run_is_stopped(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    platform = Platform(Machine(tmp_path / "home", aws_port=1, airflow_port=2))
    assert platform.show_status() is False
    aws, airflow = capfd.readouterr().out.splitlines()
    assert aws.startswith("Local AWS  stopped: http://127.0.0.1:1")
    assert airflow.startswith("Airflow    stopped: http://127.0.0.1:2")


def test_a_crash_leaves_no_process_that_still_has_the_port(tmp_path: Path) -> None:
    """Also none that its leader started in a process group of its own, as Airflow's servers are."""
    servers = "[subprocess.Popen(['sleep', '1000'], process_group=0) for _ in range(2)]"
    leader = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess, time; {servers}; time.sleep(1000)"],
        start_new_session=True,
    )
    wait_until("the session has its groups", lambda: len(groups_of(leader.pid)) == 3)
    airflow = Platform(Machine(tmp_path, aws_port=1, airflow_port=2)).airflow
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "airflow.pid").write_text(str(leader.pid))
    reaper = threading.Thread(target=leader.wait)  # as init does for Airflow's orphans
    reaper.start()
    airflow.stop(how=signal.SIGKILL)
    assert groups_of(leader.pid) == set()
    assert airflow.pid() is None
    reaper.join()


def groups_of(session: int) -> set[int]:
    return Airflow._process_groups(session)
