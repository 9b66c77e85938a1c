"""The stacks that a stage consists of, and where each of them is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from infra.deployment.session import Session
from infra.deployment.stacks.description import Stack, find
from infra.deployment.stages import KEY_ADMINISTRATORS, Stage
from infra.deployment.templates.reading import FOLDER, load


@dataclass(frozen=True)
class Part:
    """One of the stacks that a deployment consists of."""

    suffix: str
    """What its name has behind the stage."""
    template: Path
    holds_evidence: bool
    """Whether it is deleted only if that is asked for."""
    is_undone: bool = True
    """Whether what a failed deployment made is undone; if not, the next one goes on from there."""
    holds_copies: bool = False
    """Whether it is deployed where the stage has its copies, if it has any, and else not."""

    def body(self) -> dict[str, str]:
        """Its template itself, where no bucket of code holds it yet, or in that region."""
        return {"TemplateBody": json.dumps(load(self.template))}


_PRINCIPALS: Final = ("ErasureArns", KEY_ADMINISTRATORS)

PARTS: Final = (
    Part("-bootstrap", FOLDER / "bootstrap.yaml", holds_evidence=True),
    Part(
        "-replica",
        FOLDER / "replica.yaml",
        holds_evidence=True,
        is_undone=False,
        holds_copies=True,
    ),
    Part("-evidence", FOLDER / "evidence.yaml", holds_evidence=True, is_undone=False),
    Part("", FOLDER / "root.yaml", holds_evidence=False),
)
"""In the order in which they are deployed."""


@dataclass(frozen=True)
class Places:
    """Which stacks a stage has, and in which account and region each is."""

    home: Session
    stage: Stage
    every: tuple[Part, ...] = PARTS

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The stacks of the stage; the first is the bootstrap stack, the last the root stack."""
        return tuple(part for part in self.every if self.stage.replica or not part.holds_copies)

    def name(self, part: Part) -> str:
        """The name of a stack."""
        return f"{self.stage.place.prefix}{part.suffix}"

    def cloudformation(self, part: Part) -> Any:
        """CloudFormation where a stack is."""
        return (self._of_copies if part.holds_copies else self.home).client("cloudformation")

    def find(self, part: Part) -> Stack | None:
        """A stack as it is; None if it is not there."""
        return find(self.cloudformation(part), self.name(part))

    def parameters(self, part: Part) -> dict[str, str]:
        """What the stage's file says of one stack alone."""
        replica = self.stage.replica
        if not part.holds_copies or replica is None:
            return {}
        # Who administers and erases here is nobody in another account.
        nobody = dict.fromkeys(_PRINCIPALS, "") if replica.role_arn else {}
        deployers = {"DeployerArns": ",".join(replica.deployers)}
        return {**nobody, **replica.parameters, **deployers}

    def service_role(self, part: Part, role_arn: str | None) -> str | None:
        """The role that CloudFormation uses for a stack: one of the stack's own account."""
        elsewhere = part.holds_copies and self._of_copies.role_arn
        return None if elsewhere else role_arn

    @cached_property
    def _of_copies(self) -> Session:
        replica = self.stage.replica
        if replica is None:
            return self.home
        return self.home.elsewhere(replica.region, replica.role_arn)
