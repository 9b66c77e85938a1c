"""Make the Python that MWAA's image has, from the index: `python tests/mwaa/make_image.py FOLDER`.

A second run with the same lists does nothing.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
LISTS = Path(__file__).parent / "image"
CONSTRAINTS = REPOSITORY / "infra" / "mwaa" / "constraints.txt"
UV = REPOSITORY / ".venvs" / "uv" / "bin" / "uv"


def own_constraints() -> str:
    """MWAA's own constraints: ours, but for the packages it pins otherwise."""
    own = {
        line.partition("==")[0]: line
        for line in (LISTS / "own-pins.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    return "".join(f"{own.get(line.partition('==')[0], line)}\n" for line in lines)


def make(folder: Path) -> None:
    """Make `folder` the environment."""
    packages = LISTS / "packages.txt"
    constraints = own_constraints()
    wanted = hashlib.sha256((constraints + packages.read_text(encoding="utf-8")).encode())
    stamp = folder / "made-of"
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted.hexdigest():
        return
    if sys.version_info[:2] != (3, 12):
        sys.exit("MWAA's image has Python 3.12, and so must the platform's environment")
    _uv("venv", "--quiet", "--clear", "--python", sys.executable, folder)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as listed:
        listed.write(constraints)
        listed.flush()
        python = folder / "bin" / "python"
        target = ("--quiet", "--python", python, "--constraint", listed.name)
        _uv("pip", "install", "--compile-bytecode", *target, "--requirement", packages)
    stamp.write_text(wanted.hexdigest(), encoding="utf-8")


def _uv(*arguments: str | Path) -> None:
    # Trust the machine's own certificates, as infra/setup does.
    subprocess.run([UV, *arguments], env=os.environ | {"UV_SYSTEM_CERTS": "1"}, check=True)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
