"""What is said when the local Airflow cannot start."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests

from localaws.server import ports
from rehearsal import readiness
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
    aws, airflow, remedy = capfd.readouterr().out.splitlines()
    assert aws.startswith("Local AWS  stopped: http://127.0.0.1:1")
    assert airflow.startswith("Airflow    stopped: http://127.0.0.1:2")
    assert "make up" in remedy


class Health(BaseHTTPRequestHandler):
    """An Airflow whose scheduler is still starting."""

    def do_GET(self) -> None:
        healthy, starting = {"status": "healthy"}, {"status": None}
        parts = dict.fromkeys(("metadatabase", "dag_processor", "triggerer"), healthy)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({**parts, "scheduler": starting}).encode())

    def log_message(self, *_: object) -> None:
        pass


def test_it_is_said_what_is_waited_for() -> None:
    session = requests.Session()
    with HTTPServer(("127.0.0.1", 0), Health) as server:
        url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        parts = readiness.ailing(session, url)
        server.shutdown()
    assert readiness.awaited(parts, {"a"}, set()) == "Not ready yet: scheduler"
    assert readiness.ailing(session, url) == ["API server"]
    assert readiness.awaited([], {"a", "b", "c"}, {"b"}) == "Not read yet: a, c"
    assert readiness.awaited([], {"a"}, {"a", "of somebody"}) == ""


def test_who_asks_is_told_how_to_get_in(tmp_path: Path) -> None:
    platform = Platform(Machine(tmp_path, aws_port=1, airflow_port=2))
    (tmp_path / "airflow").mkdir()
    (tmp_path / "airflow" / "passwords.json").write_text('{"admin": "its password"}')
    told = platform.ways_in()
    assert "http://127.0.0.1:2  as admin, password its password" in told
    assert "http://127.0.0.1:2/custody/" in told


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
