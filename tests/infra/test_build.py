"""The build: the same bytes from the same sources, and nothing in them that cannot run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from infra.build import REPOSITORY, BuildError, build

# What Lambda's Python brings: the standard library, boto3 and what boto3 needs.
LAMBDA_HAS = {"boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six"}

# Glue's has PyYAML too, and the jobs add cryptography (parameter GluePythonModules).
GLUE_HAS = LAMBDA_HAS | {"yaml", "_yaml", "cryptography", "_cffi_backend"}


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A small repository of the shape the build reads."""
    files = {
        "plugins/custody/__init__.py": "",
        "plugins/custody/core/__init__.py": "",
        "plugins/custody/core/rule.py": "RULE = 1\n",
        "plugins/custody/core/__pycache__/rule.cpython-312.pyc": "compiled",
        "plugins/custody/aws/__init__.py": "",
        "plugins/custody/aws/reading.py": "import custody.core.rule\n",
        "plugins/custody/aws/unused.py": "",
        "plugins/custody/objects.py": "",
        "plugins/custody/operators/unload.py": "import airflow\n",
        "lambda/recorder/recorder/__init__.py": "",
        "lambda/recorder/recorder/handler.py": (
            "def lambda_handler():\n    from custody.aws import reading\n"
        ),
        "include/contracts/customers.odcs.yaml": "kind: DataContract\n",
        "include/sql/gold/customers.sql": "SELECT 1\n",
        "include/sql/ledger/view.sql": "SELECT 2\n",
    }
    for name, text in files.items():
        path = tmp_path / "sources" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "sources"


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_copy_made_at_another_time_builds_the_same_bytes(sources: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for path in sorted(sources.rglob("*"), reverse=True):  # another order on disk
        if path.is_file():
            target = copy / path.relative_to(sources)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            os.utime(target, (2_000_000_000, 2_000_000_000))

    assert build(sources, tmp_path / "a") == build(copy, tmp_path / "b")
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_holds_what_runs_without_airflow_and_nothing_else(sources: Path, tmp_path: Path) -> None:
    build(sources, tmp_path / "out")
    assert set(contents(tmp_path / "out")) == {
        "bundle/contracts/customers.odcs.yaml",
        "bundle/custody.zip",
        "bundle/sql/gold/customers.sql",
        "lambda/recorder.zip",
    }
    imported = {
        "custody/__init__.py",
        "custody/aws/__init__.py",
        "custody/aws/reading.py",
        "custody/core/__init__.py",
        "custody/core/rule.py",
    }
    recorder = {"recorder/__init__.py", "recorder/handler.py"}
    others = {"custody/aws/unused.py", "custody/objects.py"}
    assert names(tmp_path / "out" / "bundle" / "custody.zip") == imported | others
    assert names(tmp_path / "out" / "lambda" / "recorder.zip") == imported | recorder


@pytest.mark.parametrize("name", ["plugins/custody/core/rule.py", "include/sql/gold/customers.sql"])
def test_one_changed_byte_changes_the_hash(sources: Path, tmp_path: Path, name: str) -> None:
    before = build(sources, tmp_path / "out")
    (sources / name).write_bytes((sources / name).read_bytes() + b"\n")
    assert build(sources, tmp_path / "out") != before


def test_a_renamed_file_changes_the_hash(sources: Path, tmp_path: Path) -> None:
    before = build(sources, tmp_path / "out")
    gold = sources / "include" / "sql" / "gold"
    (gold / "customers.sql").rename(gold / "clients.sql")
    assert build(sources, tmp_path / "out") != before
    assert "bundle/sql/gold/customers.sql" not in contents(tmp_path / "out")


def test_a_second_build_leaves_the_files_alone(sources: Path, tmp_path: Path) -> None:
    archive = tmp_path / "out" / "lambda" / "recorder.zip"
    build(sources, tmp_path / "out")
    first = archive.stat()
    build(sources, tmp_path / "out")
    assert (archive.stat().st_ino, archive.stat().st_mtime_ns) == (first.st_ino, first.st_mtime_ns)


def test_a_missing_source_is_named(sources: Path, tmp_path: Path) -> None:
    shutil.rmtree(sources / "include" / "contracts")
    with pytest.raises(BuildError, match="contracts"):
        build(sources, tmp_path / "out")


@pytest.mark.parametrize(
    ("archive", "module", "provided"),
    [
        ("lambda/recorder.zip", "recorder.handler", LAMBDA_HAS),
        ("bundle/custody.zip", "custody.aws.records.custody_gate", GLUE_HAS),
    ],
)
def test_the_archives_run_with_what_their_service_has(
    tmp_path: Path, archive: str, module: str, provided: set[str]
) -> None:
    build(REPOSITORY, tmp_path)
    script = f"""
import sys
provided = {provided!r} | set(sys.stdlib_module_names) | {{"custody", "recorder"}}
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in provided:
            raise ModuleNotFoundError(f"the service has no {{name}}", name=name)
sys.meta_path.insert(0, Absent())
sys.path.insert(0, {str(tmp_path / archive)!r})
import {module}
assert {module}.__file__.startswith({str(tmp_path)!r}), {module}.__file__
"""
    finished = subprocess.run(
        [sys.executable, "-I", "-c", script], capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr


def names(archive: Path) -> set[str]:
    with zipfile.ZipFile(archive) as zipped:
        return set(zipped.namelist())
