"""Take a stage down again. What is evidence stays.

The stacks themselves say what stays when they are deleted (`DeletionPolicy`), and this command
never deletes a bucket, a key or an object. The stacks that hold evidence are deleted only when that
is asked for: without them nobody looks after what stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from infra.deployment.errors import DeployError
from infra.deployment.parts import PARTS, Part, Places
from infra.deployment.session import Session
from infra.deployment.stacks.description import Resource, Stack, tree
from infra.deployment.stacks.protecting import unprotect
from infra.deployment.stacks.remedies import before_the_next, failure
from infra.deployment.stacks.watching import Watch
from infra.deployment.stages import Stage
from infra.deployment.templates import reading


@dataclass(frozen=True)
class Destruction:
    """One run of the command."""

    session: Session
    stage: Stage
    confirm: Callable[[str], bool]
    say: Callable[[str], None]
    evidence_stacks: bool
    parts: tuple[Part, ...] = PARTS

    def run(self) -> None:
        """Delete the stacks that may be deleted, the last made first.

        Raises:
            DeployError: somebody said no, another deployment is under way, or a stack cannot be
                deleted; says what to do.
        """
        for part in reversed(self._places.parts):
            stack = self._places.find(part)
            if stack is None:
                continue
            if part.holds_evidence and not self.evidence_stacks:
                self.say(f"{stack.name} stays: it holds evidence (--evidence-stacks deletes it)")
                continue
            self._delete(self._places.cloudformation(part), stack)

    @cached_property
    def _places(self) -> Places:
        return Places(self.session, self.stage, self.parts)

    def _delete(self, cloudformation: Any, stack: Stack) -> None:
        watch = Watch(cloudformation, self.say)
        staying = list(self._staying(cloudformation, stack))
        if stack.status == "DELETE_IN_PROGRESS":
            seen = watch.seen_before_running(stack.arn)
        elif stack.in_progress:
            raise DeployError(f"{stack.name} is {stack.status}: wait until that is over")
        else:
            self._show(stack, staying)
            if not self.confirm(f"Delete {stack.name}?"):
                raise DeployError(f"{stack.name} was not deleted")
            seen = watch.seen(stack.arn)
            unprotect(cloudformation, stack.name)
            cloudformation.delete_stack(StackName=stack.arn)
        end = watch.until_over(stack.arn, seen)
        if end.status != "DELETE_COMPLETE":
            raise DeployError(failure(stack.name, end.status, end.reasons))
        for line in before_the_next(staying):
            self.say(line)

    def _show(self, stack: Stack, staying: list[Resource]) -> None:
        self.say(f"{stack.name} would be deleted; of it stay:")
        for line in [f"{one.name} {one.kind} {one.physical_id}" for one in staying] or ["nothing"]:
            self.say(f"  {line}")

    def _staying(self, cloudformation: Any, stack: Stack) -> Iterator[Resource]:
        """What the stacks' own templates say of it."""
        retained: dict[str, set[str]] = {}
        for resource in tree(cloudformation, stack.arn):
            if resource.stack not in retained:
                body = cloudformation.get_template(
                    StackName=resource.stack, TemplateStage="Processed"
                )["TemplateBody"]
                retained[resource.stack] = set(reading.retained(reading.parse(body)))
            if resource.name in retained[resource.stack]:
                yield resource
