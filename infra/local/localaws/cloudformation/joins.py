"""`Fn::Join` in a stack's `Conditions`, by which a template asks whether a list has anything in it.

ministack compares the function itself there, which is equal to nothing, so that an empty list
counted as a full one. Source: "Condition functions" in AWS's CloudFormation template reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ministack.services.cloudformation import changesets, engine, handlers, stacks

_JOIN = "Fn::Join"


def register() -> None:
    """Have ministack join before it compares; call it once in a process."""
    evaluate = engine._evaluate_conditions  # noqa: SLF001

    def of_joined(template: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, bool]:
        conditions = joined(template.get("Conditions", {}), params)
        evaluated: dict[str, bool] = evaluate({**template, "Conditions": conditions}, params)
        return evaluated

    for module in (changesets, engine, handlers, stacks):
        module._evaluate_conditions = of_joined  # noqa: SLF001


def joined(value: Any, params: Mapping[str, Any]) -> Any:
    """`value` with texts for what it joins."""
    if isinstance(value, list):
        return [joined(item, params) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {_JOIN}:
        delimiter, items = value[_JOIN]
        return str(delimiter).join(_parts(items, params))
    return {name: joined(item, params) for name, item in value.items()}


def _parts(items: Any, params: Mapping[str, Any]) -> Iterator[str]:
    """A parameter that is a list is one text with commas here."""
    if isinstance(items, dict):
        yield from str(params[items["Ref"]]["Value"]).split(",")
        return
    for item in items:
        yield str(params[item["Ref"]]["Value"]) if isinstance(item, dict) else str(item)
