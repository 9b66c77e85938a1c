"""An older version over a newer one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from infra.deployment.errors import DeployError
from infra.deployment.versions import check_not_older, commit


def git(repository: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *identity, *arguments], cwd=repository, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init")
    git(tmp_path, "commit", "--allow-empty", "-m", "old")
    return tmp_path


def test_what_runs_must_be_in_the_history_of_what_is_deployed(repository: Path) -> None:
    old = commit(repository)
    git(repository, "commit", "--allow-empty", "-m", "new")
    new = commit(repository)
    for running in ("", old, f"{old}-dirty", new):
        check_not_older(running, repository)
    git(repository, "checkout", old)
    for running in (new, "0" * 40):
        with pytest.raises(DeployError, match=f"{running} is deployed.*--allow-downgrade"):
            check_not_older(running, repository)


def test_a_change_that_is_not_committed_is_told(repository: Path) -> None:
    clean = commit(repository)
    (repository / "file").write_text("x")
    assert commit(repository) == f"{clean}-dirty"


def test_without_git_nothing_is_known(tmp_path: Path) -> None:
    assert commit(tmp_path) == ""
    check_not_older("0" * 40, tmp_path)
