"""The command line, as a shell runs it."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from tests.infra.local.conftest import Server

from localaws.server import lifecycle
from localaws.server.lifecycle import LifecycleError
from localaws.settings import ANY, HOST


def test_start_and_stop_may_be_repeated_and_keep_everything(tmp_path: Path) -> None:
    server = Server(tmp_path / "home")
    try:
        assert server.run("status").returncode == 3
        assert server.run("stop").stdout == "was not running\n"
        server.start()
        server.client("s3").create_bucket(Bucket="kept-bucket")
        pid = lifecycle.running_pid(server.settings)
        again = server.run("start")
        assert again.stdout.startswith("already running")
        assert lifecycle.running_pid(server.settings) == pid
        status = server.run("status", "--json")
        assert (status.returncode, json.loads(status.stdout)["state"]) == (0, "ready")
        assert server.run("stop").stdout == "stopped\n"
        assert server.run("status").returncode == 3
        server.start()
        server.client("s3").head_bucket(Bucket="kept-bucket")
        assert server.run("reset").returncode == 0
        assert not (server.settings.home / "s3").exists()
    finally:
        server.kill()


def test_a_taken_port_is_refused_with_who_has_it(tmp_path: Path) -> None:
    server = Server(tmp_path / "home")
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((HOST, server.settings.port))
        other.listen()
        refused = server.run("start")
    assert refused.returncode == 1
    assert f"port {server.settings.port} is taken by process" in refused.stderr
    assert "LOCAL_AWS_PORT" in refused.stderr


def test_another_homes_server_is_named(server: Server, tmp_path: Path) -> None:
    intruder = Server(tmp_path / "home")
    port = str(server.settings.port)
    refused = intruder.run("start", "--port", port, LOCAL_AWS_PORT="1")
    assert refused.returncode == 1
    assert f"the local AWS of {server.settings.home}" in refused.stderr


def listening(port: int) -> list[str]:
    """The addresses on which somebody listens on a port, as the kernel writes them."""
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    if not tables[0].exists():
        pytest.skip("no /proc here")
    lines = [line.split() for table in tables for line in table.read_text().splitlines()]
    end = f":{port:04X}"
    return [f[1].removesuffix(end) for f in lines if f[3] == "0A" and f[1].endswith(end)]


def test_it_listens_on_loopback_only(server: Server) -> None:
    assert listening(server.settings.port) == ["0100007F"]


def test_it_listens_beyond_loopback_where_it_is_told_to(tmp_path: Path) -> None:
    server = Server(tmp_path / "home")
    try:
        started = server.run("start", LOCAL_AWS_LISTEN=ANY)
        assert started.returncode == 0, started.stderr
        assert listening(server.settings.port) == ["00000000"]
        assert "endpoint_url = http://127.0.0.1:" in (server.settings.aws / "config").read_text()
    finally:
        server.kill()


def test_a_home_has_one_server(server: Server) -> None:
    with (
        pytest.raises(LifecycleError, match="another server already uses"),
        lifecycle.hold(server.settings),
    ):
        pass


def test_a_bad_setting_is_a_message_not_a_trace(tmp_path: Path) -> None:
    refused = Server(tmp_path).run("status", LOCAL_AWS_REGION="mars")
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    assert "LOCAL_AWS_REGION='mars'" in refused.stderr


@pytest.mark.parametrize("command", ["start", "stop", "reset", "status", "readback", "logs"])
def test_every_command_explains_itself(tmp_path: Path, command: str) -> None:
    assert f"localaws {command}" in Server(tmp_path).run(command, "--help").stdout
