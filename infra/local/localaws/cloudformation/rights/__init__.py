"""Whether CloudFormation may make, change and delete what a template says, as on AWS.

ministack makes resources without asking. Here each of the calls that AWS's CloudFormation makes for
a resource (`model.Rights`, a module for each kind of service) is put to ministack's evaluator, as
the stack's service role or as whoever called (`worker`). The first refusal fails the resource.
Types that the platform does not use are made unasked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services.cloudformation import provisioners

from localaws.cloudformation.provisioners.registry import physical_name
from localaws.cloudformation.rights import (
    identity,
    messaging,
    network,
    running,
    storage,
    watching,
    worker,
)
from localaws.cloudformation.rights.model import Change, Operation, Rights

RIGHTS: Mapping[str, Rights] = {
    **identity.RIGHTS,
    **messaging.RIGHTS,
    **network.RIGHTS,
    **running.RIGHTS,
    **storage.RIGHTS,
    **watching.RIGHTS,
}


def register() -> None:
    """Put the question before each of ministack's handlers, ours included; after `provisioners`."""
    worker.register()
    handlers: dict[str, dict[str, Any]] = provisioners._RESOURCE_HANDLERS  # noqa: SLF001
    for kind, rights in RIGHTS.items():
        handlers[kind] = _asking(rights, handlers[kind])


def _asking(rights: Rights, made: dict[str, Any]) -> dict[str, Any]:
    def create(logical_id: str, properties: Mapping[str, Any], stack_name: str) -> Any:
        check(rights, "create", physical_name(stack_name, logical_id), {}, properties)
        return made["create"](logical_id, properties, stack_name)

    def update(physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], *more: Any) -> Any:
        check(rights, "update", _name(physical_id), old, new)
        return made["update"](physical_id, old, new, *more)

    def delete(physical_id: str, properties: Mapping[str, Any], *more: Any) -> None:
        check(rights, "delete", _name(physical_id), properties, {})
        made["delete"](physical_id, properties, *more)

    asking: dict[str, Callable[..., Any]] = {"create": create, "update": update, "delete": delete}
    return {**made, **{name: handler for name, handler in asking.items() if name in made}}


def _name(physical_id: str) -> str:
    """What stands for the id in an ARN: of a nested stack its name."""
    of_stack = physical_id.partition(":stack/")[2]
    return of_stack.partition("/")[0] or physical_id


def check(
    rights: Rights,
    operation: Operation,
    name: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
) -> None:
    """Raises ValueError, which fails the resource, if whoever works may not do it all."""
    change = Change(operation, name, old, new, get_account_id(), get_region())
    for call in rights.calls(change):
        refused = worker.refusal(call)
        if refused:
            raise ValueError(f"{refused} (Status Code: 403, HandlerErrorCode: AccessDenied)")
