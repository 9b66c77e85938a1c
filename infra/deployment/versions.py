"""Which version runs, and whether the one to be deployed is older."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

from infra.deployment.errors import DeployError

REPOSITORY: Final = Path(__file__).resolve().parents[2]


def commit(repository: Path = REPOSITORY) -> str:
    """The commit that is checked out, `-dirty` behind it if files differ; empty without git."""
    head = _git(repository, "rev-parse", "HEAD")
    if head is None:
        return ""
    return f"{head}-dirty" if _git(repository, "status", "--porcelain") else head


def check_not_older(deployed: str, repository: Path = REPOSITORY) -> None:
    """Raises DeployError if the commit that runs is not in the history of what is checked out.

    Then it is newer, or of another branch: what it changed would be undone.
    """
    running = deployed.removesuffix("-dirty")
    if not running or not commit(repository):
        return
    if _git(repository, "merge-base", "--is-ancestor", running, "HEAD") is None:
        raise DeployError(
            f"commit {running} is deployed, and it is not in the history of what you deploy: yours "
            "is older, or of another branch, and would undo what was deployed. Fetch and merge "
            "what is missing, or pass --allow-downgrade. Nothing was changed"
        )


def _git(repository: Path, *arguments: str) -> str | None:
    """What git prints; None if it fails, or there is no git."""
    try:
        finished = subprocess.run(
            ["git", *arguments],
            cwd=repository,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return finished.stdout.strip()
