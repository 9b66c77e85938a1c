"""Whether each right of a role is needed: that it has let a request through while work was done.

The local AWS notes which statement of whose policies allows a request (`localaws.access.grants`).
Without its statement a request is refused, so a right that was used is needed by the work that used
it. A right that no work used is in `grants.yaml`, with the reason why it stays, or can go.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from infra.deployment.templates.reading import FOLDER, load

REASONS = Path(__file__).with_name("grants.yaml")

Right = tuple[str, str, str]
"""A role, a statement of its policies, and an action."""


def unexplained(log: Path, *roles: str) -> list[str]:
    """What is wrong with the rights of these roles, after all of their work was logged there."""
    rights = {right for right in given() if right[0] in roles}
    explained = {right for right in reasons() if right[0] in roles}
    wrong = [f"nobody needs {right}" for right in sorted(rights - used(log) - explained)]
    return wrong + [f"{right} is explained, and not given" for right in sorted(explained - rights)]


def given() -> set[Right]:
    """Everything that the policies of the roles in the templates allow."""
    return {
        (role, str(statement["Sid"]), action)
        for file in FOLDER.glob("*.yaml")
        for role, statement in _statements(load(file))
        for action in _listed(statement["Action"])
    }


def used(log: Path) -> set[Right]:
    """What has let a request through."""
    found = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    roles = {who: str(who).partition(":role/custody-local-")[2] for who, _, _ in found}
    return {(roles[who], sid, action) for who, sid, action in found if roles[who]}


def reasons() -> dict[Right, str]:
    """The rights that stay although nothing here uses them, and why; of all roles."""
    content = yaml.safe_load(REASONS.read_text(encoding="utf-8"))
    return {
        (role, *right.split()): group["reason"]
        for group in content
        for role, rights in group["rights"].items()
        for right in rights
    }


def _statements(template: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for resource in template["Resources"].values():
        if resource["Type"] != "AWS::IAM::Role":
            continue
        properties = resource["Properties"]
        role = str(properties["RoleName"]["Fn::Sub"]).rpartition("${Stage}-")[2]
        for policy in properties.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                if statement.get("Effect") == "Allow":
                    yield role, statement


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
