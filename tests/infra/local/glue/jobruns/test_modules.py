"""`--additional-python-modules` against what an environment really has."""

from __future__ import annotations

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
    check(wanted, python)


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
        check(f"cryptography,{wanted}", python)
    assert problem in str(error.value)
    assert "requirements.in" in str(error.value)
