"""`--additional-python-modules`: Glue installs them, here they must be installed already."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement


class ModuleError(RuntimeError):
    """A module the job asks for is not there; the message names it and the remedy."""


def check(wanted: str, python: Path) -> None:
    """Raise ModuleError unless the environment of `python` satisfies `wanted` (comma-separated)."""
    folders = [str(path) for path in python.parents[1].glob("lib/python3*/site-packages")]
    installed = {
        _canonical(found.metadata["Name"]): found.version
        for found in importlib.metadata.distributions(path=folders)
    }
    problems = list(_problems((item.strip() for item in wanted.split(",")), installed))
    if problems:
        raise ModuleError(
            f"--additional-python-modules: {'; '.join(problems)}. The local Glue installs nothing: "
            "add it to include/glue_jobs/requirements.in, then `make lock` and `make setup`"
        )


def _problems(wanted: Iterable[str], installed: dict[str, str]) -> Iterator[str]:
    for item in filter(None, wanted):
        try:
            requirement = Requirement(item)
        except InvalidRequirement:
            yield f"{item!r} is not a module name with a version"
            continue
        found = installed.get(_canonical(requirement.name))
        if found is None:
            yield f"{item} is not installed"
        elif not requirement.specifier.contains(found, prereleases=True):
            yield f"{item} is wanted, {found} is installed"


def _canonical(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
