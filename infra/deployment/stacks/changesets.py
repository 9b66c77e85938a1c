"""What a deployment would change: made by CloudFormation, shown, and only then carried out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError
from infra.deployment.errors import DeployError
from infra.deployment.stacks.description import Stack
from infra.deployment.stacks.remedies import way_out_of_names
from infra.deployment.templates.reading import STACK

_PAUSE_SECONDS: Final = 1.0
_FIRST_PAUSE_SECONDS: Final = 0.1
_DEADLINE_SECONDS: Final = 900
_NO_CHANGES: Final = ("didn't contain changes", "No updates are to be performed")


@dataclass(frozen=True)
class Change:
    """One resource that would be made, changed or removed."""

    path: str
    """Its logical id, behind those of the stacks that it is nested in."""
    kind: str
    action: str
    replacement: str
    properties: tuple[str, ...]

    @property
    def loses_something(self) -> bool:
        """Whether what there is would be gone afterwards, or might be."""
        return self.action == "Remove" or self.replacement in ("True", "Conditional")

    def __str__(self) -> str:
        sign = {"Add": "+", "Remove": "-", "Import": "i"}.get(self.action, "~")
        loud = {
            "Remove": "  <== REMOVES IT",
            "True": "  <== REPLACES IT",
            "Conditional": "  <== MAY REPLACE IT",
        }.get("Remove" if self.action == "Remove" else self.replacement, "")
        about = f" ({', '.join(self.properties)})" if self.properties else ""
        return f"{sign} {self.path} {self.kind}{about}{loud}"


@dataclass(frozen=True)
class ChangeSet:
    """A change set that can be executed."""

    arn: str
    stack: str
    is_new: bool
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Request:
    """What a stack shall be."""

    stack: str
    template: Mapping[str, str]
    """`TemplateURL` or `TemplateBody`."""
    parameters: Sequence[Mapping[str, Any]]
    tags: Mapping[str, str]
    role_arn: str | None


@dataclass(frozen=True)
class ChangeSets:
    """Makes, executes and deletes change sets."""

    cloudformation: Any

    def create(self, request: Request, before: Stack | None) -> ChangeSet | None:
        """A change set for a stack; None if there is nothing to change.

        Raises DeployError with CloudFormation's reason if it cannot be made.
        """
        is_new = before is None or not before.exists
        if is_new:
            return self._create(request, is_new=True, nested=False)
        try:
            return self._create(request, is_new=False, nested=True)
        except (DeployError, ClientError):
            # CloudFormation cannot always look into nested stacks ahead of time. If the fault is in
            # the request, this fails as well and says so.
            return self._create(request, is_new=False, nested=False)

    def _create(self, request: Request, *, is_new: bool, nested: bool) -> ChangeSet | None:
        arguments: dict[str, Any] = {
            "StackName": request.stack,
            "ChangeSetName": f"deploy-{time.time_ns()}",
            "ChangeSetType": "CREATE" if is_new else "UPDATE",
            **request.template,
            "Parameters": list(request.parameters),
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
            "Tags": [{"Key": key, "Value": value} for key, value in sorted(request.tags.items())],
            "IncludeNestedStacks": nested,
        }
        if request.role_arn:
            arguments["RoleARN"] = request.role_arn
        arn: str = self.cloudformation.create_change_set(**arguments)["Id"]
        made = self._made(arn)
        if made["Status"] != "FAILED":
            changes = tuple(self._changes(made))
            return ChangeSet(arn, request.stack, is_new, changes)
        self._delete(arn)
        reason = made.get("StatusReason", "")
        if any(words in reason for words in _NO_CHANGES):
            return None
        raise DeployError(
            f"{request.stack}: CloudFormation cannot make the change set: {reason}"
            f"{way_out_of_names([reason])}"
        )

    def discard(self, change_set: ChangeSet) -> None:
        """Delete a change set, and the empty stack that was made for it."""
        self._delete(change_set.arn)
        if change_set.is_new:
            self.cloudformation.delete_stack(StackName=change_set.stack)

    def execute(self, change_set: ChangeSet, *, undo: bool) -> None:
        """Begin to carry it out, and to undo all of it should it fail."""
        try:
            self.cloudformation.execute_change_set(
                ChangeSetName=change_set.arn, DisableRollback=not undo
            )
        except self.cloudformation.exceptions.InvalidChangeSetStatusException as error:
            raise DeployError(
                f"{change_set.stack} was changed by another deployment since its changes were "
                "shown. Nothing was changed by this one: run it again"
            ) from error

    def _made(self, arn: str) -> dict[str, Any]:
        pause, deadline = _FIRST_PAUSE_SECONDS, time.monotonic() + _DEADLINE_SECONDS
        while time.monotonic() < deadline:
            described: dict[str, Any] = self.cloudformation.describe_change_set(ChangeSetName=arn)
            if described["Status"] in ("CREATE_COMPLETE", "FAILED"):
                return described
            time.sleep(pause)
            pause = min(2 * pause, _PAUSE_SECONDS)
        raise DeployError(f"{arn} is not made after {_DEADLINE_SECONDS} s: run it again")

    def _changes(self, first: Mapping[str, Any], above: str = "") -> Iterator[Change]:
        page = first
        while True:
            for change in (one["ResourceChange"] for one in page["Changes"]):
                yield from self._change(change, above)
            if not page.get("NextToken"):
                return
            page = self.cloudformation.describe_change_set(
                ChangeSetName=first["ChangeSetId"], NextToken=page["NextToken"]
            )

    def _change(self, change: Mapping[str, Any], above: str) -> Iterator[Change]:
        path = above + change["LogicalResourceId"]
        if change.get("ChangeSetId") and change["Action"] == "Modify":
            # It is what changes in it.
            inside = self._made(change["ChangeSetId"])
            yield from self._changes(inside, f"{path}/")
            return
        properties = {
            detail["Target"]["Name"]
            for detail in change.get("Details", [])
            if detail["Target"].get("Name")
        }
        yield Change(
            path=path,
            kind=change["ResourceType"],
            action=change["Action"],
            # A nested stack is never replaced: what is in it may be.
            replacement="" if change["ResourceType"] == STACK else change.get("Replacement", ""),
            properties=tuple(sorted(properties)),
        )

    def _delete(self, arn: str) -> None:
        self.cloudformation.delete_change_set(ChangeSetName=arn)
