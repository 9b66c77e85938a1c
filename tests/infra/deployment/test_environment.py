"""What deploys runs in the environment of the AWS CLI alone: no Airflow, no boto3, no JDK."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from infra.build import REPOSITORY

# `infra/requirements.in` names the first two; the others are the project's own.
PROVIDED = {"botocore", "yaml", "infra", "custody"}


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def with_the_package(files: list[Path]) -> list[Path]:
    """The files, and those of `custody` that they import, whether directly or not."""
    found = list(files)
    for file in found:
        for name in imported(file):
            path = REPOSITORY / "plugins" / name.replace(".", "/")
            for module in (path.with_suffix(".py"), path / "__init__.py"):
                if name.startswith("custody") and module.is_file() and module not in found:
                    found.append(module)
    return found


def test_the_deployment_imports_what_its_environment_has() -> None:
    folder = REPOSITORY / "infra"
    files = [
        folder / "build.py",
        *(folder / "deployment").glob("*.py"),
        *(folder / "bundle").glob("*.py"),
    ]
    assert len(files) > 15
    every = with_the_package(files)
    assert REPOSITORY / "plugins/custody/core/datasets/contracts.py" in every
    modules = {name.split(".")[0] for file in every for name in imported(file)}
    assert modules - PROVIDED - set(sys.stdlib_module_names) == set()
    listed = (folder / "requirements.in").read_text(encoding="utf-8").splitlines()
    assert {"botocore", "PyYAML"} <= set(listed)
