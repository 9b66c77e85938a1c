"""The published `omniwitness`, built from the Go module proxy, and Go's own reader of notes."""

from __future__ import annotations

import base64
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from infra.build import REPOSITORY
from tests.support.ports import free_port
from tests.support.transparency import signer

from custody.core.tlog.cosignature import CosignerKey
from custody.core.tlog.policy import Cosigner
from custody.core.tlog.signed_note import NoteSigner

HERE = Path(__file__).parent
BUILT = REPOSITORY / "build" / "cosigners"
LOGS = ("grows.example/log", "forks.example/log", "shrinks.example/log")
"""The logs that it signs for; each test has one, as it remembers them."""


def signer_of(origin: str) -> NoteSigner:
    """Who signs for one of them."""
    return signer(origin.encode().ljust(32, b"\0"), origin)


@pytest.fixture(scope="session")
def go() -> str:
    """The Go compiler; without it nothing here can be checked, and that is said."""
    found = shutil.which("go")
    if found is None:
        pytest.skip("NOT CHECKED: Go is not installed, and omniwitness is built with it")
    return found


def built(go: str, package: str, name: str) -> Path:
    program = BUILT / name
    subprocess.run([go, "build", "-o", program, package], cwd=HERE, check=True)
    return program


@pytest.fixture(scope="session")
def opennote(go: str) -> Path:
    return built(go, "./opennote", "opennote")


@dataclass(frozen=True)
class Omniwitness:
    """It, as it runs: its URL, and its two keys as cosigners of a policy."""

    url: str
    cosigners: tuple[Cosigner, Cosigner]


@dataclass(frozen=True)
class Keys:
    """The private keys of an omniwitness, as it reads them, and their public halves."""

    files: tuple[Path, ...]
    public: tuple[CosignerKey, CosignerKey]

    @classmethod
    def made(cls, folder: Path) -> Keys:
        ed25519, ml_dsa = Ed25519PrivateKey.generate(), MLDSA44PrivateKey.generate()
        files = []
        for name, private in (
            ("ed25519", b"\x01" + ed25519.private_bytes_raw()),
            ("ml-dsa", b"\x06" + ml_dsa.private_bytes_raw()),
        ):
            encoded = base64.b64encode(private).decode()
            files.append(folder / name)
            files[-1].write_text(f"PRIVATE+KEY+omniwitness.example/{name}+00000000+{encoded}")
        return cls(
            tuple(files),
            (
                CosignerKey(
                    "omniwitness.example/ed25519", b"\x04", ed25519.public_key().public_bytes_raw()
                ),
                CosignerKey(
                    "omniwitness.example/ml-dsa", b"\x06", ml_dsa.public_key().public_bytes_raw()
                ),
            ),
        )


@pytest.fixture(scope="session")
def omniwitness(go: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Omniwitness]:
    """One that signs for `LOGS` and keeps what it signed in a file."""
    program = built(go, "github.com/transparency-dev/witness/cmd/omniwitness", "omniwitness")
    folder = tmp_path_factory.mktemp("omniwitness")
    keys = Keys.made(folder)
    logs = folder / "logs.yaml"
    lines = [f"  - Origin: {log}\n    PublicKey: {signer_of(log).key.vkey}\n" for log in LOGS]
    logs.write_text("Logs:\n" + "".join(lines))
    port = free_port()
    command = [
        program,
        f"--listen=127.0.0.1:{port}",
        "--metrics_listen=",
        f"--additional_logs={logs}",
        f"--db_file={folder / 'checkpoints.db'}",
        *(f"--private_key_path={file}" for file in keys.files),
    ]
    with running(command, port, folder / "omniwitness.log"):
        url = f"http://127.0.0.1:{port}"
        first, second = (Cosigner(key.name, key, url) for key in keys.public)
        yield Omniwitness(url, (first, second))


@contextmanager
def running(command: list[object], port: int, log: Path) -> Iterator[None]:
    with log.open("w") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
        try:
            deadline = time.monotonic() + 30
            while process.poll() is None and time.monotonic() < deadline:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                time.sleep(0.05)
            else:
                raise AssertionError(f"omniwitness does not listen:\n{log.read_text()}")
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)
