"""Nested stacks, as CloudFormation treats them when they fail or go.

ministack leaves what a failed nested stack had made, with nothing that would ever delete it, and
deletes all of a nested stack, whatever `DeletionPolicy` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ministack.services.cloudformation import _stacks as stacks
from ministack.services.cloudformation import provisioners

_STACK = "AWS::CloudFormation::Stack"


def register() -> None:
    """Follow ministack's handlers of nested stacks."""
    handlers = provisioners._RESOURCE_HANDLERS  # noqa: SLF001
    made: dict[str, Any] = handlers[_STACK]

    def create(logical_id: str, properties: Mapping[str, Any], stack_name: str) -> Any:
        before = {record["StackId"] for record in stacks.values()}
        try:
            return made["create"](logical_id, properties, stack_name)
        except Exception:
            for record in [one for one in stacks.values() if one["StackId"] not in before]:
                if record.get("_parent_stack_name") == stack_name:
                    _forget(record, _retained(record, created_just_now=True))
                    made["delete"](record["StackId"], properties)
            raise

    def delete(physical_id: str, properties: Mapping[str, Any]) -> None:
        for record in [one for one in stacks.values() if one["StackId"] == physical_id]:
            _forget(record, _retained(record, created_just_now=_is_rolled_back(record)))
        made["delete"](physical_id, properties)

    handlers[_STACK] = {**made, "create": create, "delete": delete}


def _retained(record: Mapping[str, Any], *, created_just_now: bool) -> list[str]:
    """The resources of a stack that stay when it goes."""
    staying = {"Retain"} if created_just_now else {"Retain", "RetainExceptOnCreate"}
    declared = record["_template"].get("Resources", {})
    return [name for name in record["_resources"] if _policy(declared, name) in staying]


def _policy(declared: Mapping[str, Any], name: str) -> Any:
    return declared.get(name, {}).get("DeletionPolicy", "Delete")


def _forget(record: Mapping[str, Any], resources: list[str]) -> None:
    for name in resources:
        del record["_resources"][name]


def _is_rolled_back(record: Mapping[str, Any]) -> bool:
    """Whether the stack goes because what made it is undone."""
    return any("ROLLBACK" in one["StackStatus"] for one in _ancestors(record))


def _ancestors(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    while parent := stacks.get(record.get("_parent_stack_name", "")):
        yield parent
        record = parent
