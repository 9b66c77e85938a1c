"""Put the bundle together: the files that an MWAA environment is given, by their names.

`dags/`
    The DAG files with the SQL and the contracts that they read (`include`: MWAA takes no folder
    beside `dags/`) and the constraints that `requirements.txt` names.
`plugins.zip`
    The contents of `plugins/` with the runbooks that the console shows, and the wheels.
`requirements.txt`
    What is installed over MWAA's image.

There is no start-up script: nothing of the platform needs one. Its settings come from Parameter
Store, and what Airflow is told besides are MWAA's own configuration options.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from infra.build import BuildError, zipped
from infra.bundle.requirements import Requirement, locked, mwaa_requirements

RUNBOOKS: Final = "custody/console/runbooks/"
"""Where the console looks for the runbooks, in `plugins.zip`."""

IGNORED: Final = b"# No DAGs are in here: what they read.\ninclude/\n"
"""What `dags/.airflowignore` says; in the repository, nothing lies in `dags/` but DAGs."""


def packages_of(repository: Path) -> list[Requirement]:
    """What the platform needs over an image of Airflow, each package with its hashes.

    Raises:
        RequirementError: one is not in the lock at this version.
    """
    return locked(
        _text(repository / "requirements.txt"), _text(repository / "requirements-dev.txt")
    )


def contents(
    repository: Path, packages: list[Requirement], wheels: Mapping[str, bytes]
) -> dict[str, bytes]:
    """The bundle's files by name, from the sources in `repository`.

    Raises:
        BuildError: a source that should be there is not.
    """
    plugins = {
        **_files(repository / "plugins", ""),
        **_files(repository / "docs" / "runbooks", RUNBOOKS),
    }
    return {
        **_files(repository / "dags", "dags/"),
        **_files(repository / "include" / "sql", "dags/include/sql/"),
        **_files(repository / "include" / "contracts", "dags/include/contracts/"),
        "dags/.airflowignore": IGNORED,
        "dags/constraints.txt": (repository / "infra/mwaa/constraints.txt").read_bytes(),
        "plugins.zip": zipped({**plugins, **wheels}),
        "requirements.txt": mwaa_requirements(packages, wheels).encode(),
    }


def _files(folder: Path, prefix: str) -> dict[str, bytes]:
    """What lies in a folder, but for compiled Python and what editors leave there."""
    found = {
        prefix + file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
        and "__pycache__" not in file.parts
        and (file.name == ".airflowignore" or not file.name.startswith("."))
    }
    if not found:
        raise BuildError(f"{folder} is missing or empty")
    return found


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")
