"""What is said when the local Airflow cannot start."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from localaws.server import ports
from rehearsal.airflow import StartError
from rehearsal.machine import Machine
from rehearsal.platform import Platform


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


def test_a_crash_is_over_when_the_port_is_free(tmp_path: Path) -> None:
    """Airflow's servers have process groups of their own, and die at their own pace."""
    serve = (
        "import socket, time; s = socket.create_server(('127.0.0.1', 0));"
        " print(s.getsockname()[1], flush=True); time.sleep(1000)"
    )
    lead = (
        f"import subprocess; subprocess.run([{sys.executable!r}, '-c', {serve!r}], process_group=0)"
    )
    leader = subprocess.Popen(
        [sys.executable, "-c", lead], start_new_session=True, stdout=subprocess.PIPE, text=True
    )
    assert leader.stdout is not None
    port = int(leader.stdout.readline())
    leader.stdout.close()
    airflow = Platform(Machine(tmp_path, aws_port=1, airflow_port=port)).airflow
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "airflow.pid").write_text(str(leader.pid))
    assert not ports.is_free(port)
    airflow.stop(how=signal.SIGKILL)
    assert ports.is_free(port)
    leader.wait()
    assert airflow.pid() is None
