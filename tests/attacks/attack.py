"""What an attack is: who does what, which job finds it, and exactly what must be paged for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.attacks.world import World


class Job(StrEnum):
    """The jobs that judge; the value is the table each writes to. `PAGES` is what tells people what
    the last of them has found."""

    RECONCILE = "reconciliation"
    AUDIT = "audit"
    PAGES = "pages"


@dataclass(frozen=True, order=True)
class Finding:
    """What a page says of an object version, no more and no less; `by` is the principal's ARN."""

    verdict: str
    bucket: str
    key: str
    version_id: str
    by: str | None


@dataclass(frozen=True)
class Outcome:
    """The findings of the job that ends the round, and those of every later run of it.

    `reconciled` are those of every later reconciliation, `audited` those of every later audit,
    where the round ends otherwise.
    """

    next: tuple[Finding, ...]
    later: tuple[Finding, ...]
    reconciled: tuple[Finding, ...] = ()
    audited: tuple[Finding, ...] = ()


Act = Callable[["World"], list[Finding] | Outcome]


@dataclass(frozen=True)
class Attack:
    """One row of the table.

    `act` attacks, and returns what must be paged for it: all of it and nothing else. A list is
    found by every later run of the round's job as well. `call` is what gives away who it was where
    a page names somebody else or nobody, by its name in CloudTrail: there its runbook must end.
    Where nobody did it, that is who must know more, and what he did.
    """

    story: str
    by: str
    act: Act
    call: str | None = None
    person: str = ""
    """Whose call it is, as AWS knows him."""


@dataclass(frozen=True)
class Round:
    """Steps of attacks that follow each other, with everything told and proven in between; then
    one run of `job`, which must find them."""

    job: Job
    steps: list[list[Attack]]


def made(by: str, *, call: str | None = None, person: str = "") -> Callable[[Act], Attack]:
    """Make a function an attack; the first line of its docstring is the story."""

    def attack(act: Act) -> Attack:
        story = (act.__doc__ or "").strip().partition("\n")[0]
        return Attack(story, by, act, call, person or by)

    return attack
