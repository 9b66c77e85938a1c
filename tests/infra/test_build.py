"""The build: the same bytes from the same sources, and nothing in them that cannot run."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from infra.build import REPOSITORY, BuildError, build

# What Lambda's Python brings: the standard library, boto3 and what boto3 needs.
LAMBDA_HAS = {"boto3", "botocore", "s3transfer", "jmespath", "urllib3", "dateutil", "six"}

# The jobs bring these along (include/glue_jobs/modules.in).
GLUE_HAS = LAMBDA_HAS | {"yaml", "_yaml", "cryptography", "_cffi_backend"}

OURS = re.compile(r"^ *(?:from|import) (custody[\w.]*)", re.MULTILINE)

WHEEL = b"a wheel"
LOCK = f"""a-module==1.0 ; python_version >= "3" \\
    --hash=sha256:{"0" * 64} \\
    --hash=sha256:{hashlib.sha256(WHEEL).hexdigest()}
    # via -r modules.in
"""


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
        "include/glue_jobs/modules.txt": LOCK,
        "include/glue_jobs/audit.py": "import custody\n",
        ".venvs/wheels/a_module-1.0-py3-none-any.whl": WHEEL.decode(),
        ".venvs/wheels/a_module-0.9-py3-none-any.whl": "an older wheel",
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
        "bundle/SHA256SUMS",
        "bundle/contracts/customers.odcs.yaml",
        "bundle/custody.zip",
        "bundle/jobs/audit.py",
        "bundle/modules.gluewheels.zip",
        "bundle/recorder.zip",
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


def test_whoever_knows_the_hash_can_check_every_file(sources: Path, tmp_path: Path) -> None:
    known = build(sources, tmp_path / "out")
    bundle = tmp_path / "out" / "bundle"
    assert hashlib.sha256((bundle / "SHA256SUMS").read_bytes()).hexdigest() == known
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    said = subprocess.run(check, cwd=bundle, capture_output=True, text=True, check=True).stdout
    named = {line.partition(": OK")[0] for line in said.splitlines()}
    assert named == contents(bundle).keys() - {"SHA256SUMS"}


def test_a_worker_gets_the_wheels_that_are_locked_and_no_others(
    sources: Path, tmp_path: Path
) -> None:
    build(sources, tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "out" / "bundle" / "modules.gluewheels.zip") as zipped:
        assert {name: zipped.read(name) for name in zipped.namelist()} == {
            "wheels/a_module-1.0-py3-none-any.whl": WHEEL,
            "wheels/requirements.txt": b"a-module==1.0\n",
        }


def test_a_wheel_that_is_not_the_one_locked_is_refused(sources: Path, tmp_path: Path) -> None:
    (sources / ".venvs" / "wheels" / "a_module-1.0-py3-none-any.whl").write_bytes(b"another")
    with pytest.raises(BuildError, match=r"no wheel of a-module==1\.0"):
        build(sources, tmp_path / "out")


def test_a_worker_needs_no_index(tmp_path: Path) -> None:
    """pip itself finds all it needs in the zip, for the Python and the machine that Glue 5.1 is."""
    build(REPOSITORY, tmp_path)
    with zipfile.ZipFile(tmp_path / "bundle" / "modules.gluewheels.zip") as zipped:
        zipped.extractall(tmp_path / "worker")
    wheels = tmp_path / "worker" / "wheels"
    installed = tmp_path / "installed"
    options = (
        "--no-index --no-cache-dir --only-binary :all: --python-version 3.11"
        " --platform manylinux_2_28_x86_64 --platform manylinux2014_x86_64"
    )
    places = ["--find-links", wheels, "--target", installed, "-r", wheels / "requirements.txt"]
    pip = [REPOSITORY / ".venvs" / "uv" / "bin" / "pip", "install", *options.split(), *places]
    subprocess.run(pip, capture_output=True, check=True)
    assert {"cryptography", "yaml"} <= {path.name for path in installed.iterdir()}


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


def test_the_bundle_has_every_module_of_ours_that_its_modules_import(tmp_path: Path) -> None:
    build(REPOSITORY, tmp_path)
    with zipfile.ZipFile(tmp_path / "bundle" / "custody.zip") as bundle:
        names = set(bundle.namelist())
        imported = {
            module
            for name in names
            if name.endswith(".py")
            for module in OURS.findall(bundle.read(name).decode())
        }
    places = {module: module.replace(".", "/") for module in imported}
    assert {
        module
        for module, place in places.items()
        if not {f"{place}.py", f"{place}/__init__.py"} & names
    } == set()
