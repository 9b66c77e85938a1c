"""What an attack is: who does what, what finds it, and exactly what must be paged for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.attacks.world import World


class Detector(StrEnum):
    """The part of the platform that must find an attack."""

    RECONCILE = "reconcile"
    AUDIT = "custody_audit"
    SEAL = "seal"


@dataclass(frozen=True, order=True)
class Finding:
    """What a page says of an object version, no more and no less; ``by`` is the principal's ARN."""

    verdict: str
    bucket: str
    key: str
    version_id: str
    by: str | None


@dataclass(frozen=True)
class Outcome:
    """The findings at the next reconciliation, and at every one after that."""

    next: tuple[Finding, ...]
    later: tuple[Finding, ...]


Act = Callable[["World"], list[Finding] | Outcome]


@dataclass(frozen=True)
class Attack:
    """One row of the table.

    ``act`` attacks, and returns what must be paged for it: all of it and nothing else. Without it
    the attack is not made yet: its detector is still to come.
    """

    story: str
    by: str
    detector: Detector = Detector.RECONCILE
    act: Act | None = None


def made(by: str) -> Callable[[Act], Attack]:
    """Make a function an attack; the first line of its docstring is the story."""

    def attack(act: Act) -> Attack:
        return Attack((act.__doc__ or "").strip().partition("\n")[0], by, act=act)

    return attack
