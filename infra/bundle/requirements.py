"""What MWAA installs over its image: the project's own `requirements.txt`, as MWAA needs it.

A file without a constraint line would be installed under MWAA's own constraints, which our versions
contradict: MWAA logs that and starts with what its image has. Each package is named with the hashes
of the lock file, so that nothing else is installed under its name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PLUGINS: Final = "/usr/local/airflow/plugins"
"""Where MWAA unpacks `plugins.zip`."""

CONSTRAINT_LINE: Final = '--constraint "/usr/local/airflow/dags/constraints.txt"'
"""The first line of the bundle's requirements; MWAA looks for it before it installs."""

NO_INDEX_LINES: Final = (f"--find-links {PLUGINS}", "--no-index")
"""Lines that let pip install what `plugins.zip` brought, and nothing from elsewhere."""

_LINE = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(?:\[(?P<extras>[^]]*)\])?==(?P<version>[^\s;\\]+)(?P<rest>.*)$"
)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class RequirementError(Exception):
    """A line is no requirement this platform uses; the message shows it."""


@dataclass(frozen=True)
class Requirement:
    """One package at one version."""

    name: str
    version: str
    extras: frozenset[str] = frozenset()
    hashes: tuple[str, ...] = ()
    """SHA-256 (hex) of the distributions that may be installed; empty: any."""

    def __str__(self) -> str:
        extras = f"[{','.join(sorted(self.extras))}]" if self.extras else ""
        hashes = "".join(f" --hash=sha256:{each}" for each in self.hashes)
        return f"{self.name}{extras}=={self.version}{hashes}"


def read_requirements(text: str) -> list[Requirement]:
    """The packages that a requirements, constraints or lock file names; its options are left out.

    Raises:
        RequirementError: a package is not pinned to one version.
    """
    found = []
    for line in re.sub(r"\\\n", " ", text).splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith(("#", "-")):
            continue
        match = _LINE.match(stripped)
        if match is None:
            raise RequirementError(f"{stripped!r}: pin it with NAME==VERSION")
        extras = frozenset(filter(None, (match["extras"] or "").replace(" ", "").split(",")))
        found.append(
            Requirement(
                canonical(match["name"]),
                match["version"],
                extras,
                tuple(_HASH.findall(match["rest"])),
            )
        )
    return found


def canonical(name: str) -> str:
    """A package's name as indexes compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(requirements: str, lock: str) -> list[Requirement]:
    """The packages of `requirements.txt`, each with its hashes in the lock file.

    Raises:
        RequirementError: one is not in the lock at this version.
    """
    hashes = {(each.name, each.version): each.hashes for each in read_requirements(lock)}
    found = []
    for each in read_requirements(requirements):
        if not hashes.get((each.name, each.version)):
            raise RequirementError(f"the lock has no hashes of {each}: run `make lock`")
        known = hashes[each.name, each.version]
        found.append(Requirement(each.name, each.version, each.extras, known))
    return found


def mwaa_requirements(packages: list[Requirement], wheels: Mapping[str, bytes]) -> str:
    """The bundle's `requirements.txt`: nothing comes from an index where it has `wheels`."""
    lines = [CONSTRAINT_LINE, *(NO_INDEX_LINES if wheels else ()), *map(str, packages)]
    return "".join(f"{line}\n" for line in lines)
