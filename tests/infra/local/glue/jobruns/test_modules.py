"""`--additional-python-modules` against what an environment really has."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from localaws.glue.jobruns.modules import ModuleError, check


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """The interpreter of an environment with two packages."""
    for name, version in (("cryptography", "50.0.2"), ("ruamel.yaml_x", "1.0")):
        info = tmp_path / "lib" / "python3.11" / "site-packages" / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return tmp_path / "bin" / "python"


@pytest.mark.parametrize(
    "wanted",
    ["", "cryptography", "cryptography==50.0.2", "Cryptography>=41, ruamel-yaml.X==1.0,"],
)
def test_what_is_installed_satisfies(python: Path, wanted: str) -> None:
    check(wanted, "", python, no_fetch)


def no_fetch(uri: str) -> Path:
    raise AssertionError(f"{uri} is no zip of wheels")


def zip_of_wheels(folder: Path, requirements: str, *wheels: str) -> Path:
    path = folder / "modules.gluewheels.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("wheels/requirements.txt", requirements)
        for wheel in wheels:
            zipped.writestr(f"wheels/{wheel}", "")
    return path


ZIPPED = "s3://code/hash/modules.gluewheels.zip"


def test_a_zip_of_wheels_needs_no_index(python: Path, tmp_path: Path) -> None:
    wheels = ("cryptography-50.0.2-cp311-abi3-any.whl", "ruamel.yaml_x-1.0-py3-none-any.whl")
    path = zip_of_wheels(tmp_path, "cryptography==50.0.2\nruamel.yaml-x==1.0\n", *wheels)
    check(ZIPPED, "--no-index", python, {ZIPPED: path}.__getitem__)


@pytest.mark.parametrize(
    ("requirements", "wheel", "problem"),
    [
        ("cryptography==49.0", "cryptography-49.0-cp311-abi3-any.whl", "50.0.2 is installed"),
        ("cryptography==50.0.2", "cryptography-49.0-cp311-abi3-any.whl", "has no wheel of"),
    ],
)
def test_a_zip_of_wheels_is_looked_into(
    python: Path, tmp_path: Path, requirements: str, wheel: str, problem: str
) -> None:
    path = zip_of_wheels(tmp_path, requirements, wheel)
    with pytest.raises(ModuleError, match=problem):
        check(ZIPPED, "--no-index", python, {ZIPPED: path}.__getitem__)


def test_without_an_index_nothing_is_found_by_its_name(python: Path) -> None:
    with pytest.raises(ModuleError, match="cryptography is in no index"):
        check("cryptography", "--no-index", python, no_fetch)


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ("pandas==2.0", "pandas==2.0 is not installed"),
        ("cryptography==49.0", "cryptography==49.0 is wanted, 50.0.2 is installed"),
        ("s3://bucket/my.whl", "'s3://bucket/my.whl' is not a module name with a version"),
    ],
)
def test_what_is_not_is_named_with_the_remedy(python: Path, wanted: str, problem: str) -> None:
    with pytest.raises(ModuleError) as error:
        check(f"cryptography,{wanted}", "", python, no_fetch)
    assert problem in str(error.value)
    assert "requirements.in" in str(error.value)
