"""The `Rules` of a template, checked before anything is made.

CloudFormation checks them too, but only when the stack that holds them is made, after others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from infra.deployment.templates.reading import Template


def broken(template: Template, values: Mapping[str, str]) -> list[str]:
    """What the rules say against these values of the parameters, in their own words."""
    return [
        description
        for rule in template.get("Rules", {}).values()
        if "RuleCondition" not in rule or _value(rule["RuleCondition"], values)
        for description in _broken_assertions(rule, values)
    ]


def _broken_assertions(rule: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[str]:
    for assertion in rule["Assertions"]:
        if not _value(assertion["Assert"], values):
            yield assertion["AssertDescription"]


def _value(node: Any, values: Mapping[str, str]) -> Any:
    """An expression's value; the rule functions that our templates use, and no others."""
    if not isinstance(node, dict):
        return str(node)
    ((function, argument),) = node.items()
    if function == "Ref":
        return values[argument]
    if function == "Fn::Contains":
        return _value(argument[1], values) in [str(one) for one in argument[0]]
    return _COMBINED[function]([_value(one, values) for one in argument])


_COMBINED: Final[Mapping[str, Callable[[list[Any]], bool]]] = {
    "Fn::And": all,
    "Fn::Equals": lambda values: values[0] == values[1],
    "Fn::Not": lambda values: not values[0],
    "Fn::Or": any,
}
