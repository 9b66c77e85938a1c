"""The templates, read once for all tests that look at them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from cfnlint.decode import decode
from infra.build import REPOSITORY

TEMPLATES = REPOSITORY / "infra" / "cloudformation"


FILES = sorted(TEMPLATES.glob("*.yaml"))


LOADED: dict[str, dict[str, Any]] = {file.stem: decode(str(file))[0] for file in FILES}


ROOTS = (
    *("access", "bootstrap", "catalogencryption", "deployers", "evidence", "globalevents"),
    *("replica", "root"),
)
"""The stacks that are deployed; the others are nested in one of them."""


RESOURCES = [
    (stack, name, resource)
    for stack, template in LOADED.items()
    for name, resource in template["Resources"].items()
]


def of_type(*types: str) -> list[Any]:
    """The resources of these types, as test cases."""
    return [
        pytest.param(stack, name, resource["Properties"], id=f"{stack}.{name}")
        for stack, name, resource in RESOURCES
        if resource["Type"] in types
    ]


def documents() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every policy document: where it is, what kind it is, and itself."""
    for stack, name, resource in RESOURCES:
        properties = resource.get("Properties", {})
        where = f"{stack}.{name}"
        # Who deploys makes all the others: `test_access` says what these two may.
        identity = "deploying" if stack == "deployers" else "identity"
        if "KeyPolicy" in properties:
            yield where, "key", properties["KeyPolicy"]
        if "AssumeRolePolicyDocument" in properties:
            yield where, "trust", properties["AssumeRolePolicyDocument"]
        if "PolicyDocument" in properties:
            kind = "resource"
            if resource["Type"] == "AWS::IAM::ManagedPolicy":
                kind = "boundary" if name == "Boundary" else identity
            yield where, kind, properties["PolicyDocument"]
        for policy in properties.get("Policies", []):
            yield f"{where}.{policy['PolicyName']}", identity, policy["PolicyDocument"]


def statements(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The statements, those under a condition as if it were met."""
    for statement in document["Statement"]:
        yield from (
            (branch for branch in statement["Fn::If"][1:] if "Effect" in branch)
            if "Fn::If" in statement
            else (statement,)
        )


STATEMENTS = [
    pytest.param(kind, statement, id=f"{where}.{statement.get('Sid')}")
    for where, kind, document in documents()
    for statement in statements(document)
]


ALLOWED = [case for case in STATEMENTS if case.values[1]["Effect"] == "Allow"]


def listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def plain(value: object) -> str:
    """A resource as text: what Sub substitutes stays as it is written in the template."""
    if isinstance(value, dict) and "Fn::Sub" in value:
        return str(value["Fn::Sub"])
    return json.dumps(value)


def granted(*actions: str) -> dict[str, list[str]]:
    """What each role may do these actions on; a folder as the template writes it."""
    found: dict[str, list[str]] = {}
    for where, kind, document in documents():
        for statement in statements(document):
            if kind != "identity" or not set(actions) & set(listed(statement["Action"])):
                continue
            stack = where.partition(".")[0]
            found.setdefault(stack, []).extend(map(plain, listed(statement["Resource"])))
    return {stack: sorted(resources) for stack, resources in found.items()}


def settings() -> dict[str, str]:
    """The SSM parameter's value, each placeholder left in place."""
    properties = LOADED["settings"]["Resources"]["AirflowVariable"]["Properties"]
    value: dict[str, str] = json.loads(properties["Value"]["Fn::Sub"])
    return value
