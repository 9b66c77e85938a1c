"""The policies in the templates, as IAM would get them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

TEMPLATES = Path(__file__).resolve().parents[1] / "cloudformation"
# What stands for the values that only a deployment knows.
_KNOWN = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::URLSuffix": "amazonaws.com",
    "Project": "custody",
    "ReplicaAccountId": "444455556666",
    "ReplicaRegion": "eu-west-1",
    "Stage": "dev",
    "TrailAccountId": "111122223333",
}
_PLACEHOLDER = re.compile(r"\$\{([\w:]+)\}")


class _Loader(yaml.SafeLoader):
    """Reads a template with its functions as `{"Sub": …}` and so on."""


def _function(loader: yaml.Loader, tag: str, node: yaml.Node) -> Any:
    match node:
        case yaml.ScalarNode():
            value: Any = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            value = loader.construct_mapping(node, deep=True)
        case _:
            raise ValueError(f"!{tag} of a {type(node).__name__}")
    return {tag: value}


_Loader.add_multi_constructor("!", _function)


def identity_policies() -> Iterator[tuple[str, str]]:
    """Where each policy of a role is (`<stack>.<logical id>`), and its JSON."""
    for file in sorted(TEMPLATES.glob("*.yaml")):
        template = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - safe
        for name, resource in template["Resources"].items():
            properties = resource.get("Properties", {})
            documents = [policy["PolicyDocument"] for policy in properties.get("Policies", [])]
            if resource["Type"] == "AWS::IAM::ManagedPolicy":
                documents.append(properties["PolicyDocument"])
            for document in documents:
                yield f"{file.stem}.{name}", json.dumps(_rendered(document))


def _rendered(value: Any) -> Any:
    match value:
        case {"Sub": str(text)}:
            return _PLACEHOLDER.sub(lambda match: _KNOWN.get(match[1], match[1].lower()), text)
        case {"Ref": str(name)} | {"GetAtt": str(name)}:
            return _referred(name.replace(".", ""))
        case {"If": [_, first, _]}:
            return _rendered(first)
        case dict():
            return {key: _rendered(each) for key, each in value.items()}
        case list():
            return [_rendered(each) for each in value]
    return value


def _referred(name: str) -> str:
    if name in _KNOWN:
        return _KNOWN[name]
    place = f"{_KNOWN['AWS::Region']}:{_KNOWN['AWS::AccountId']}"
    if name.endswith("KeyArn"):
        return f"arn:aws:kms:{place}:key/11111111-2222-3333-4444-555555555555"
    if name.endswith("RoleArn"):
        return "arn:aws:iam::444455556666:role/x"
    if name.endswith("TopicArn"):
        return f"arn:aws:sns:{place}:custody-dev-pages"
    return name.lower()
