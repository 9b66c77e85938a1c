"""How a resource type is added to those of ministack's CloudFormation, or completed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services.cloudformation import provisioners

Answer = tuple[int, Any, Any]
"""What ministack's services answer a call with: status, headers, body."""
Made = tuple[str, dict[str, Any]]
"""A resource's physical id, and its attributes for `GetAtt`."""


# Called with the logical id, the properties and the stack's name; for an update, with the physical
# id, the old and the new properties, and that name.
Create = Callable[[str, Mapping[str, Any], str], Made]
Delete = Callable[[str, Mapping[str, Any]], None]
Update = Callable[[str, Mapping[str, Any], Mapping[str, Any], str], Made]


def provide(kind: str, create: Create, update: Update, delete: Delete) -> None:
    """Add a type that ministack lacks."""
    provisioners._RESOURCE_HANDLERS[kind] = {  # noqa: SLF001
        "create": create,
        "update": update,
        "delete": delete,
    }


def replaceable(
    create: Create, delete: Delete, *, same_name: bool = False
) -> tuple[Create, Update, Delete]:
    """The three of a type whose every change makes another resource.

    The new one is made before the old one goes, but not where both would have the `same_name`.
    """

    def update(
        physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], stack_name: str
    ) -> Made:
        if same_name:
            delete(physical_id, old)
            return create(physical_id, new, stack_name)
        created = create(physical_id, new, stack_name)
        delete(physical_id, old)
        return created

    return create, update, delete


def tell_attributes(kind: str, attributes: Callable[[str], dict[str, Any]]) -> None:
    """Have `GetAtt` know an unchanged resource of a nested stack, by its physical id.

    ministack forgets the attributes of such a resource when the stack is updated.
    """
    update = provisioners._update_resource  # noqa: SLF001

    def remembering(resource_type: str, *arguments: Any) -> Any:
        physical_id, known = update(resource_type, *arguments)
        if resource_type == kind and not known:
            known = attributes(physical_id)
        return physical_id, known

    provisioners._update_resource = remembering  # noqa: SLF001


def physical_name(stack_name: str, logical_id: str) -> str:
    """The name CloudFormation gives a resource whose template names none."""
    return str(provisioners._physical_name(stack_name, logical_id))  # noqa: SLF001


def complete(
    kind: str,
    finish: Callable[[str, Mapping[str, Any], Mapping[str, Any]], None],
    check: Callable[[Mapping[str, Any]], object] = lambda _properties: None,
) -> None:
    """Have `finish` (physical id, old properties, new ones) follow ministack's create and update.

    `check` may refuse properties before anything is made.
    """
    handlers = provisioners._RESOURCE_HANDLERS  # noqa: SLF001
    made: dict[str, Any] = handlers[kind]

    def create(logical_id: str, properties: Mapping[str, Any], stack_name: str) -> Any:
        check(properties)
        created = made["create"](logical_id, properties, stack_name)
        finish(created[0], {}, properties)
        return created

    def update(physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], *more: str) -> Any:
        check(new)
        updated = made["update"](physical_id, old, new, *more)
        finish(updated[0], old if updated[0] == physical_id else {}, new)
        return updated

    handlers[kind] = {**made, "create": create, "update": update}


def succeed(what: str, answer: Answer) -> None:
    """Raise ValueError, which fails the stack, for an answer that is an error."""
    status, _, body = answer
    if status >= 300:
        text = body.decode() if isinstance(body, bytes) else json.dumps(body)
        raise ValueError(f"{what}: {text}")
