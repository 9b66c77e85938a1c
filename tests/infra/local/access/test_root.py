from __future__ import annotations

import re
from pathlib import Path

import pytest

from localaws.access.root import root_keys
from localaws.settings import Settings, SettingsError


def settings(home: Path) -> Settings:
    return Settings(home, 4566, "111122223333", "us-east-1")


def test_every_home_has_its_own_keys_and_keeps_them(tmp_path: Path) -> None:
    one = root_keys(settings(tmp_path / "a"))
    assert one == root_keys(settings(tmp_path / "a"))
    assert one != root_keys(settings(tmp_path / "b"))
    assert re.fullmatch(r"AKIA[A-Z2-7]{16}", one.access_key_id)
    assert one.secret_access_key not in repr(one)


def test_nobody_else_may_read_them(tmp_path: Path) -> None:
    root_keys(settings(tmp_path))
    assert (tmp_path / "aws" / "root.json").stat().st_mode & 0o777 == 0o600


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    root_keys(settings(tmp_path))
    (tmp_path / "aws" / "root.json").write_text("{}")
    with pytest.raises(SettingsError, match=r"root\.json is damaged"):
        root_keys(settings(tmp_path))
