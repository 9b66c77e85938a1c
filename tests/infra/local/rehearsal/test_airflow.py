"""What is said when the local Airflow cannot start."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

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
