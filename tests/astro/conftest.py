"""The Astro CLI, built from the Go module proxy, and a copy of the project as a clone has it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from infra.build import REPOSITORY

MODULE = "github.com/astronomer/astro-cli"
HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def go() -> str:
    """The Go compiler; without it nothing here can be checked, and that is said."""
    found = shutil.which("go")
    if found is None:
        pytest.skip("NOT CHECKED: Go is not installed, and the Astro CLI is built with it")
    return found


@pytest.fixture(scope="session")
def astro(go: str) -> Path:
    """The program `astro`."""
    program = REPOSITORY / "build" / "astro" / "bin" / "astro"
    subprocess.run([go, "build", "-o", program, MODULE], cwd=HERE, check=True)
    return program


@pytest.fixture(scope="session")
def module(go: str) -> Path:
    """The folder with the sources of the CLI."""
    command = [go, "list", "-m", "-f", "{{.Dir}}", MODULE]
    found = subprocess.run(command, cwd=HERE, check=True, capture_output=True, text=True)
    return Path(found.stdout.strip())


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """What a clone of the project holds, with the changes that are not committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
        text=True,
    )
    folder = tmp_path / "custody"
    for name in filter(None, listed.stdout.split("\0")):
        source = REPOSITORY / name
        if source.is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Of a developer who has nothing set but a Python on the path, and whose `uv` needs no index of
    Astro's."""
    tools = tmp_path / "tools"
    tools.mkdir()
    shim = tools / "uv"
    # Astro's own index is left out, as all it installs is in the public one, too.
    shim.write_text(
        "#!/bin/bash\n"
        "arguments=()\n"
        "while [ $# -gt 0 ]; do\n"
        '  if [ "$1" = --index-url ]; then shift 2; else arguments+=("$1"); shift; fi\n'
        "done\n"
        f'exec {REPOSITORY}/.venvs/uv/bin/uv "${{arguments[@]}}"\n'
    )
    shim.chmod(0o755)
    python = (REPOSITORY / ".venvs" / "platform" / "bin" / "python").resolve()
    return {
        "PATH": f"{tools}:{python.parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv")),
        "UV_PYTHON": str(python),
        "UV_SYSTEM_CERTS": "1",
        "ASTRO_TELEMETRY_DISABLED": "1",
        "ASTRONOMER_NO_BROWSER": "1",
    }
