"""The wheels that the bundle carries, so that MWAA installs nothing from the internet."""

from __future__ import annotations

import hashlib
import subprocess
import tempfile
from pathlib import Path

from infra.build import REPOSITORY, BuildError
from infra.bundle.requirements import Requirement

PIP = (REPOSITORY / ".venvs" / "uv" / "bin" / "python", "-m", "pip")
PYTHON = "3.12"


def wheels(packages: list[Requirement], folder: Path) -> dict[str, bytes]:
    """The wheel of each package by its file name; `folder` keeps them for the next build.

    Raises:
        BuildError: one cannot be had, or has none of the package's hashes.
    """
    found = {wheel.name: wheel.read_bytes() for wheel in sorted(folder.glob("*.whl"))}
    if any(wheel_of(package, found) is None for package in packages):
        _download(packages, folder)
        found = {wheel.name: wheel.read_bytes() for wheel in sorted(folder.glob("*.whl"))}
    chosen = {}
    for package in packages:
        name = wheel_of(package, found)
        if name is None:
            raise BuildError(f"{folder} has no wheel of {package.name} with a hash of the lock")
        chosen[name] = found[name]
    return chosen


def wheel_of(package: Requirement, files: dict[str, bytes]) -> str | None:
    """The name of the file that is a wheel of this package: by its name and one of its hashes."""
    prefix = f"{package.name.replace('-', '_')}-{package.version}-"
    for name, content in files.items():
        if name.startswith(prefix) and hashlib.sha256(content).hexdigest() in package.hashes:
            return name
    return None


def _download(packages: list[Requirement], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.write("".join(f"{package}\n" for package in packages))
        listed.flush()
        command = [
            *map(str, PIP),
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--require-hashes",
            "--only-binary=:all:",
            f"--python-version={PYTHON}",
            f"--dest={folder}",
            f"--requirement={listed.name}",
        ]
        try:
            finished = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            raise BuildError(f"{command[0]}: {error}; run `make setup`") from error
    if finished.returncode != 0:
        raise BuildError(f"the wheels cannot be downloaded:\n{finished.stderr.strip()}")
