"""`--additional-python-modules`: Glue installs them, here they must be installed already."""

from __future__ import annotations

import importlib.metadata
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

# A zip of wheels is known by its name ("Using Python libraries with AWS Glue").
_WHEELS = ".gluewheels.zip"


class ModuleError(RuntimeError):
    """A module the job asks for is not there; the message names it and the remedy."""


def check(wanted: str, options: str, python: Path, fetch: Callable[[str], Path]) -> None:
    """Raise ModuleError unless the environment of `python` satisfies `wanted` (comma-separated).

    `options` are pip's: with `--no-index` only what a zip of wheels brings can be installed.
    `fetch` gets what an S3 URI names.
    """
    items = [item.strip() for item in wanted.split(",") if item.strip()]
    brought = [line for item in items if item.endswith(_WHEELS) for line in _brought(fetch(item))]
    named = [item for item in items if not item.endswith(_WHEELS)]
    problems = [f"{item} is in no index" for item in named if "--no-index" in options.split()]
    folders = [str(path) for path in python.parents[1].glob("lib/python3*/site-packages")]
    installed = {
        _canonical(found.metadata["Name"]): found.version
        for found in importlib.metadata.distributions(path=folders)
    }
    problems += _problems([*brought, *named], installed)
    if problems:
        raise ModuleError(
            f"--additional-python-modules: {'; '.join(problems)}. The local Glue installs nothing: "
            "add it to include/glue_jobs/modules.in and requirements.in, then `make lock` and "
            "`make setup`"
        )


def _brought(archive: Path) -> list[str]:
    """What a zip of wheels says to install; raises ModuleError for what it does not bring."""
    with zipfile.ZipFile(archive) as zipped:
        wheels = {name.rpartition("/")[2] for name in zipped.namelist() if name.endswith(".whl")}
        lines = zipped.read("wheels/requirements.txt").decode().split()
    brought = {f"{_canonical(name)}=={version}" for name, version, *_ in map(_parts, wheels)}
    for line in lines:
        name, _, version = line.partition("==")
        if f"{_canonical(name)}=={version}" not in brought:
            raise ModuleError(f"{archive.name} has no wheel of {line}")
    return lines


def _parts(wheel: str) -> list[str]:
    return wheel.removesuffix(".whl").split("-")


def _problems(wanted: Iterable[str], installed: dict[str, str]) -> Iterator[str]:
    for item in wanted:
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
