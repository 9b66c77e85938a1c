"""Templates, read as CloudFormation reads them: short forms written out, aliases resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

FOLDER: Final = Path(__file__).resolve().parents[2] / "cloudformation"
STACK: Final = "AWS::CloudFormation::Stack"

Template = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's tags; a date is text, as in JSON."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any = None
    if isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    elif isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load(file: Path) -> Template:
    """The template in a file, as CloudFormation's JSON has it."""
    return parse(file.read_text(encoding="utf-8"))


def parse(body: str | Template) -> Template:
    """A template as CloudFormation gives it back: botocore has parsed it, if it was JSON."""
    if isinstance(body, str):
        return dict(yaml.load(body, _Loader))  # noqa: S506 - safe
    return body


@dataclass(frozen=True)
class Declaration:
    """A parameter that a template declares."""

    default: str | None
    """None where there is none: it must be given."""


def declarations(template: Template) -> dict[str, Declaration]:
    """The parameters of a template."""
    return {
        name: Declaration(_text(declared["Default"]) if "Default" in declared else None)
        for name, declared in template.get("Parameters", {}).items()
    }


def retained(template: Mapping[str, Any]) -> dict[str, str]:
    """The resources (logical id: type) that stay when their stack is deleted."""
    return {
        name: resource["Type"]
        for name, resource in template.get("Resources", {}).items()
        if str(resource.get("DeletionPolicy", "")).startswith("Retain")
    }


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
