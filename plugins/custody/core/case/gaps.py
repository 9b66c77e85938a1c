"""What may be left out of what an auditor is given, each by its name.

A gap is a finding unless whoever asks waives it, and is told in any case: what is not there cannot
be held against anything.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum


class Gap(StrEnum):
    """A kind of gap; its value is the name by which it is waived."""

    DEPLOYMENT = "deployment"
    """Nothing says of which deployment the evidence has to be."""
    TRAIL = "trail"
    """No log file of CloudTrail tells who wrote the objects."""
    PROOF = "proof"
    """A record or statement without proof that it is sealed."""
    SEAL = "seal"
    """Nothing shows which other records of the objects are sealed."""
    BYTES = "bytes"
    """The bytes of the object that it is about were not compared."""
    SUPERSEDED = "superseded"
    """A copy does not hold overwritten and deleted versions."""


@dataclass(frozen=True)
class FoundGap:
    """One gap; `what` is left out, in a sentence."""

    gap: Gap
    what: str

    def __str__(self) -> str:
        return f"{self.gap}: {self.what}"


def not_waived(found: Collection[FoundGap], waived: Collection[Gap]) -> list[FoundGap]:
    """The gaps that are findings."""
    return [each for each in found if each.gap not in waived]
