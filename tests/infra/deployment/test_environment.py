"""What deploys runs in the environment of the AWS CLI alone: no Airflow, no boto3, no JDK."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from infra.build import REPOSITORY

# `infra/requirements.in` names the first two; the third is the project's own.
PROVIDED = {"botocore", "yaml", "infra"}


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_the_deployment_imports_what_its_environment_has() -> None:
    folder = REPOSITORY / "infra"
    files = [
        folder / "build.py",
        *(folder / "deployment").glob("*.py"),
        *(folder / "bundle").glob("*.py"),
    ]
    assert len(files) > 15
    modules = {name.split(".")[0] for file in files for name in imported(file)}
    assert modules - PROVIDED - set(sys.stdlib_module_names) == set()
    listed = (folder / "requirements.in").read_text(encoding="utf-8").splitlines()
    assert {"botocore", "PyYAML"} <= set(listed)
