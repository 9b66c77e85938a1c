"""The container of the local AWS, step by step without a container engine: what `serve` copies,
starts and deploys, and when it is healthy. What it installs first is there already.
"""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from infra.build import REPOSITORY
from tests.support.patience import PATIENCE_SECONDS

SCRIPTS = REPOSITORY / "infra" / "local" / "container"


@pytest.fixture
def container(project: Path, tmp_path: Path) -> dict[str, str]:
    """The environment of the container's programs, with folders instead of mounts."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for folder in ("kept", "profiles"):
        (tmp_path / folder).mkdir()
    # What `infra/setup` made here is what it would make there; this one only says that it was run.
    (tmp_path / "kept" / ".venvs").symlink_to(REPOSITORY / ".venvs")
    (project / "infra" / "setup").write_text("#!/bin/sh\necho set up\n")
    (tmp_path / "kept" / "stale.py").write_text("of an earlier copy")
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "SOURCE": str(project),
        "CODE": str(tmp_path / "kept"),
        "PROFILES": str(tmp_path / "profiles"),
        "CUSTODY_LOCAL_HOME": str(tmp_path / "local"),
        "LOCAL_AWS_PORT": str(port),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
    }


@pytest.fixture
def served(container: dict[str, str], tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with (tmp_path / "serve.log").open("wb") as log:
        process = subprocess.Popen(
            ["sh", SCRIPTS / "serve"], env=container, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_SECONDS)


def healthy(container: dict[str, str]) -> bool:
    done = subprocess.run(
        ["sh", SCRIPTS / "healthy"], env=container, capture_output=True, check=False
    )
    return done.returncode == 0


def test_it_is_healthy_when_the_stacks_are_deployed_and_stops_when_told(
    container: dict[str, str], served: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert not healthy(container)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not healthy(container) and served.poll() is None and time.monotonic() < deadline:
        time.sleep(2)
    said = (tmp_path / "serve.log").read_text()
    assert healthy(container), said
    assert said.startswith("set up\n")
    assert not (tmp_path / "kept" / "stale.py").exists()
    profiles = tmp_path / "profiles"
    assert {file.name for file in profiles.iterdir()} == {"config", "credentials"}
    assert all(file.stat().st_mode & stat.S_IROTH for file in profiles.iterdir())
    served.send_signal(signal.SIGTERM)
    assert served.wait(PATIENCE_SECONDS) == 0
    assert not healthy(container)
