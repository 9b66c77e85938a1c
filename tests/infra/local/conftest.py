"""A real local AWS in a process of its own, started once for all tests that need one."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from tests.support.patience import PATIENCE_SECONDS
from tests.support.ports import free_port

from localaws.access.bootstrap import administrator
from localaws.access.root import root_keys
from localaws.clients import session
from localaws.server import lifecycle
from localaws.settings import REPOSITORY, Settings

ACCOUNT = "111122223333"
REGION = "us-east-1"


class Server:
    """A local AWS of its own home and port."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home, free_port(), ACCOUNT, REGION)

    def move(self) -> None:
        """From its next start on it listens on another port."""
        self.settings = dataclasses.replace(self.settings, port=free_port())

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """`python -m localaws` with these arguments, as a shell would run it."""
        env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(REPOSITORY / "infra" / "local"),
            "CUSTODY_LOCAL_HOME": str(self.settings.home),
            "LOCAL_AWS_PORT": str(self.settings.port),
            **environment,
        }
        return subprocess.run(
            [sys.executable, "-m", "localaws", *arguments],
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_SECONDS,
        )

    def start(self) -> None:
        done = self.run("start")
        assert done.returncode == 0, done.stderr

    def kill(self) -> None:
        """As a crash would end it."""
        lifecycle.stop(self.settings, kill=True)

    def client(
        self, service: str, of: boto3.Session | None = None, config: Config | None = None
    ) -> Any:
        """A client of the platform engineer, or of another session."""
        own = of or administrator(self.settings)
        patient = Config(read_timeout=PATIENCE_SECONDS)
        return own.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.settings.endpoint,
            config=patient.merge(config) if config else patient,
        )

    def session(self, key: str, secret: str, token: str | None = None) -> boto3.Session:
        return session(self.settings, key, secret, token)

    def root(self, service: str) -> Any:
        keys = root_keys(self.settings)
        return self.client(service, self.session(keys.access_key_id, keys.secret_access_key))

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        """A plain, unsigned HTTP GET."""
        request = urllib.request.Request(self.settings.endpoint + path, headers=headers)  # noqa: S310
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=PATIENCE_SECONDS) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()


def running(home: Path) -> Iterator[Server]:
    """A server that runs while the generator is suspended."""
    server = Server(home)
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server shared by tests that leave it as they found it."""
    yield from running(tmp_path_factory.mktemp("localaws"))


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A running server for one test, to be killed or filled."""
    yield from running(tmp_path / "home")
