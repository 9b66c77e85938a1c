"""What CloudFormation calls for a resource, said of each type of resource in one `Rights`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Operation = Literal["create", "update", "delete"]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an AWS service: what IAM is asked about it."""

    action: str
    resource: str = "*"
    keys: Mapping[str, Any] = field(default_factory=dict)
    """The condition keys that the service says of it."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of a resource."""

    operation: Operation
    name: str
    """Its physical id; of a resource that is to be made the name of its stack and its own."""
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    account: str
    region: str

    @property
    def properties(self) -> Mapping[str, Any]:
        """As they will be, or were before a deletion."""
        return self.old if self.operation == "delete" else self.new

    def sets(self, name: str) -> bool:
        """Whether it gives a property another value."""
        return self.operation != "delete" and self.old.get(name) != self.new.get(name)

    def fill(self, text: str) -> str:
        """`text` with properties, `{id}`, `{account}` and `{region}` filled in."""
        known: dict[str, Any] = defaultdict(lambda: self.name, self.properties)
        known |= {"id": self.name, "account": self.account, "region": self.region}
        return text.format_map(known)

    def passes(self, role: str | None, service: str) -> Iterator[Call]:
        """Giving a role (its ARN or name) to a service."""
        if role and self.operation != "delete":
            arn = role if role.startswith("arn:") else f"arn:aws:iam::{self.account}:role/{role}"
            yield Call("iam:PassRole", arn, {"iam:PassedToService": f"{service}.amazonaws.com"})


@dataclass(frozen=True, slots=True)
class Rights:
    """The calls for one type: always, and those for a property that is set.

    Source: `handlers` in the type's schema in CloudFormation's registry, but for what concerns
    properties that the platform does not use. A schema says of an operation all that may be called;
    which property needs what follows from the names of the actions. What can be tagged is tagged
    when it is made: every stack of the platform has tags, which CloudFormation hands on.
    """

    arn: str
    """Of the resource, to be filled in."""
    create: tuple[str, ...] = ()
    update: tuple[str, ...] = ()
    delete: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    """With each of the three: CloudFormation looks before and after."""
    given: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By property: where it is given to a new resource."""
    changed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By property: where an update changes it; else as where it is given."""
    keys: Callable[[Change], Mapping[str, Any]] = lambda _change: {}
    more: Callable[[Change], Iterable[Call]] = lambda _change: ()
    """Calls about something else than the resource."""

    def calls(self, change: Change) -> Iterator[Call]:
        """Everything that is called for a change."""
        always = {"create": self.create, "update": self.update, "delete": self.delete}
        actions = [*always[change.operation], *self.read]
        by_property = self.given
        if change.operation == "update":
            by_property = {**self.given, **self.changed}
        actions += [a for name, some in by_property.items() if change.sets(name) for a in some]
        arn, keys = change.fill(self.arn), self.keys(change)
        for action in dict.fromkeys(actions):
            yield Call(action, arn, keys)
        yield from self.more(change)
