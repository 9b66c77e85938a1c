from __future__ import annotations

from pathlib import Path

import pytest

from localaws.settings import ANY, REPOSITORY, Settings, SettingsError


def test_everything_has_a_default() -> None:
    settings = Settings.from_env({})
    assert settings == Settings(REPOSITORY / "build" / "local", 4566, "111122223333", "us-east-1")
    assert settings.endpoint == "http://127.0.0.1:4566"


def test_the_environment_decides(tmp_path: Path) -> None:
    settings = Settings.from_env(
        {
            "CUSTODY_LOCAL_HOME": str(tmp_path / "x" / ".." / "home"),
            "LOCAL_AWS_PORT": "4600",
            "LOCAL_AWS_ACCOUNT_ID": "999988887777",
            "LOCAL_AWS_REGION": "eu-central-1",
            "LOCAL_AWS_LISTEN": ANY,
        }
    )
    assert settings == Settings(tmp_path / "home", 4600, "999988887777", "eu-central-1", ANY)
    assert settings.state == tmp_path / "home" / "state"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOCAL_AWS_PORT", "0"),
        ("LOCAL_AWS_PORT", "70000"),
        ("LOCAL_AWS_PORT", "http"),
        ("LOCAL_AWS_ACCOUNT_ID", "12"),
        ("LOCAL_AWS_ACCOUNT_ID", "1111222233334"),
        ("LOCAL_AWS_REGION", "mars"),
        ("LOCAL_AWS_LISTEN", "192.0.2.1"),
        ("LOCAL_AWS_LISTEN", ""),
    ],
)
def test_a_bad_value_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        Settings.from_env({name: value})
