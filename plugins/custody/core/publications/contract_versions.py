"""By which contract a run built, and whether that breaks with the one that is deployed.

A contract's version is `MAJOR.MINOR.PATCH`: what breaks has another MAJOR
(`custody.core.datasets.compatibility`).
"""

from __future__ import annotations

from custody.core.lineage.model import CONTRACT, Lineage


def built_by(lineage: Lineage) -> str | None:
    """The version of the contract that a run states to have built by; None if it states none."""
    return next((each.version for each in lineage.materials if each.name == CONTRACT), None)


def breaks(version: str | None, deployed: str) -> bool:
    """Whether tables built by one version of a contract are others by the one that is deployed."""
    return version is None or _major(version) != _major(deployed)


def _major(version: str) -> str:
    return version.partition(".")[0]
