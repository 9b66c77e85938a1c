"""The bundle: the same bytes from the same sources, and all that MWAA needs of them."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from infra.build import REPOSITORY, BuildError, content_hash
from infra.bundle.__main__ import build
from infra.bundle.contents import contents, packages_of
from infra.bundle.places import Places
from infra.bundle.requirements import (
    CONSTRAINT_LINE,
    NO_INDEX_LINES,
    Requirement,
    RequirementError,
    locked,
    mwaa_requirements,
    read_requirements,
)
from infra.bundle.wheels import wheel_of

SOURCES = (
    "dags",
    "plugins",
    "docs/runbooks",
    "include/contracts",
    "include/sql",
    "infra/mwaa",
    "requirements.txt",
    "requirements-dev.txt",
)


def bundle(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def unzipped(archive: bytes) -> set[str]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return set(opened.namelist())


def test_holds_what_mwaa_takes_and_nothing_else(tmp_path: Path) -> None:
    build(REPOSITORY, tmp_path, from_index=True)
    found = bundle(tmp_path)
    assert {name.split("/")[0] for name in found} == {"dags", "plugins.zip", "requirements.txt"}
    sql = {path.relative_to(REPOSITORY) for path in (REPOSITORY / "include/sql").rglob("*.sql")}
    contracts = (REPOSITORY / "include/contracts").glob("*.odcs.yaml")
    dags = {path.name for path in (REPOSITORY / "dags").glob("*.py")}
    assert {name for name in found if name.startswith("dags/")} == {
        *(f"dags/{path.as_posix()}" for path in sql),
        *(f"dags/include/contracts/{path.name}" for path in contracts),
        *(f"dags/{name}" for name in dags),
        "dags/.airflowignore",
        "dags/constraints.txt",
    }
    plugins = unzipped(found["plugins.zip"])
    assert {".airflowignore", "custody/__init__.py", "custody/tasks/defaults.py"} <= plugins
    assert {"custody_console.py", "custody/console/templates/pages/overview.html"} <= plugins
    runbooks = {path.name for path in (REPOSITORY / "docs/runbooks").glob("*.md")}
    assert {f"custody/console/runbooks/{name}" for name in runbooks} <= plugins
    assert not any("__pycache__" in name for name in plugins)


def test_a_copy_made_at_another_time_gives_the_same_bundle(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for name in SOURCES:
        source = REPOSITORY / name
        for path in [source] if source.is_file() else sorted(source.rglob("*"), reverse=True):
            if path.is_file():
                target = copy / path.relative_to(REPOSITORY)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
                os.utime(target, (2_000_000_000, 2_000_000_000))
    (copy / "plugins" / ".editor.swp").write_text("left behind")

    first = build(REPOSITORY, tmp_path / "a", from_index=True)
    assert build(copy, tmp_path / "b", from_index=True) == first
    assert bundle(tmp_path / "a") == bundle(tmp_path / "b")
    assert first == content_hash(bundle(tmp_path / "a"))


def test_it_is_built_with_python_alone(tmp_path: Path) -> None:
    """Whoever deploys has the AWS CLI's environment, not the platform's."""
    finished = subprocess.run(
        [sys.executable, "-S", "-m", "infra.bundle", "--from-index", f"--target={tmp_path}"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.strip() == content_hash(bundle(tmp_path))


def test_every_pin_of_ours_is_among_the_constraints() -> None:
    constraints = {
        each.name: each.version
        for each in read_requirements((REPOSITORY / "infra/mwaa/constraints.txt").read_text())
    }
    for each in read_requirements((REPOSITORY / "requirements.txt").read_text()):
        assert constraints[each.name] == each.version


def test_requirements_begin_with_the_constraints_and_name_every_hash() -> None:
    files = contents(REPOSITORY, packages_of(REPOSITORY), {})
    lines = files["requirements.txt"].decode().splitlines()
    assert lines[0] == CONSTRAINT_LINE
    packages = read_requirements("\n".join(lines))
    assert [each.name for each in packages] == [
        "apache-airflow-providers-amazon",
        "apache-airflow-providers-common-compat",
        "apache-airflow-providers-openlineage",
        "openlineage-integration-common",
        "openlineage-python",
        "openlineage-sql",
    ]
    assert packages[0].extras == {"aiobotocore"}
    assert all(each.hashes for each in packages)
    assert not set(NO_INDEX_LINES) & set(lines)


def test_wheels_are_installed_from_the_plugins_alone() -> None:
    wheel = b"wheel"
    package = Requirement("a-b", "1.2", hashes=(hashlib.sha256(wheel).hexdigest(),))
    assert mwaa_requirements([package], {"a_b-1.2-py3-none-any.whl": wheel}).splitlines() == [
        CONSTRAINT_LINE,
        "--find-links /usr/local/airflow/plugins",
        "--no-index",
        f"a-b==1.2 --hash=sha256:{package.hashes[0]}",
    ]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a_b-1.2-py3-none-any.whl", b"another"),
        ("a_b-1.3-py3-none-any.whl", b"wheel"),
        ("ab-1.2-py3-none-any.whl", b"wheel"),
    ],
)
def test_a_wheel_of_another_name_version_or_hash_is_no_wheel(name: str, content: bytes) -> None:
    package = Requirement("a-b", "1.2", hashes=(hashlib.sha256(b"wheel").hexdigest(),))
    assert wheel_of(package, {"a_b-1.2-py3-none-any.whl": b"wheel"}) is not None
    assert wheel_of(package, {name: content}) is None


@pytest.mark.parametrize("lock", ["", "a==2 --hash=sha256:" + "0" * 64, "a==1"])
def test_what_the_lock_has_no_hash_of_is_refused(lock: str) -> None:
    with pytest.raises(RequirementError, match="no hashes of a==1: run `make lock`"):
        locked("a==1\n", lock)


def test_a_requirement_without_a_version_is_refused() -> None:
    with pytest.raises(RequirementError, match="pin it"):
        read_requirements("a>=1\n")


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        shutil.copyfile(REPOSITORY / name, tmp_path / name)
    with pytest.raises(BuildError, match="plugins is missing or empty"):
        build(tmp_path, tmp_path / "out", from_index=True)


def test_it_is_uploaded_below_its_hash(tmp_path: Path) -> None:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "d.py").write_text("")
    (tmp_path / "plugins.zip").write_text("")
    places = Places("0abc")
    assert list(places.uploads(tmp_path)) == [
        ("0abc/dags/d.py", tmp_path / "dags" / "d.py"),
        ("0abc/plugins.zip", tmp_path / "plugins.zip"),
    ]
    assert (places.dag_s3_path, places.plugins_s3_path, places.requirements_s3_path) == (
        "0abc/dags",
        "0abc/plugins.zip",
        "0abc/requirements.txt",
    )
