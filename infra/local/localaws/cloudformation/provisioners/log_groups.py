"""What ministack ignores of `AWS::Logs::LogGroup`: that a name may be taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services import cloudwatch_logs
from ministack.services.cloudformation import provisioners

_KIND = "AWS::Logs::LogGroup"


def register() -> None:
    """Have a log group be made only where there is none of its name."""
    made: dict[str, Any] = provisioners._RESOURCE_HANDLERS[_KIND]  # noqa: SLF001

    def create(logical_id: str, properties: Mapping[str, Any], stack_name: str) -> Any:
        name = properties.get("LogGroupName")
        if name in cloudwatch_logs._log_groups:  # noqa: SLF001
            raise ValueError(f"Resource of type '{_KIND}' with identifier '{name}' already exists.")
        return made["create"](logical_id, properties, stack_name)

    provisioners._RESOURCE_HANDLERS[_KIND] = {**made, "create": create}  # noqa: SLF001
