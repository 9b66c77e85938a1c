"""What CloudFormation may, and what it needs: whatever is in the templates, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest
from infra.deployment.templates.reading import FOLDER, load

from localaws.cloudformation.rights import RIGHTS
from localaws.cloudformation.rights.model import Change, Operation

TEMPLATES = {file.stem: load(file) for file in sorted(FOLDER.glob("*.yaml"))}
# What an administrator deploys, as himself.
BY_HAND = frozenset({"access", "catalogencryption", "deployers", "globalevents"})
# What is retained of these is never deleted by a deployment: a failed one is not undone.
EVIDENCE = frozenset(
    {"bootstrap", "evidence", "keys", "queue", "replica", "storage", "trail", "witnesses"}
)
# Granted, and not called by what `RIGHTS` knows.
UNCALLED = {
    "kms:RevokeGrant": "MWAA gives back with it what it was granted with kms:CreateGrant",
}


def resources() -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for stack, template in TEMPLATES.items():
        for name, resource in template["Resources"].items():
            yield stack, name, resource


def test_every_type_of_the_templates_has_its_rights() -> None:
    assert {resource["Type"] for _, _, resource in resources()} <= RIGHTS.keys()


def plain(value: Any) -> Any:
    """A property with text for what only a deployment knows."""
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value)).startswith(("Fn::", "Ref")):
            (function, given), *_ = value.items()
            if function == "Fn::If":
                return plain(given[1])
            return given if isinstance(given, str) else json.dumps(given)
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return value


def called(stack: str, resource: Mapping[str, Any]) -> set[str]:
    """Everything that a deployment may have to call for a resource, whatever changes of it."""
    properties = plain(resource.get("Properties", {}))
    # Lists are compared by their members.
    none = {name: [] for name in ("Policies", "ManagedPolicyArns", "Roles") if name in properties}
    others = {"Tags": "before"} | dict.fromkeys(properties, "before") | none
    changes: list[tuple[Operation, Mapping[str, Any], Mapping[str, Any]]] = [
        ("create", {}, properties),
        ("update", others, properties),
        ("update", properties, {**properties, **none}),
    ]
    if stack not in EVIDENCE or "DeletionPolicy" not in resource:
        changes.append(("delete", properties, {}))
    return {
        call.action
        for operation, old, new in changes
        for call in RIGHTS[resource["Type"]].calls(Change(operation, "x", old, new, "1", "r"))
    }


def granted() -> set[str]:
    """What the service role's policies allow."""
    return {
        action
        for resource in TEMPLATES["deployers"]["Resources"].values()
        if resource["Type"] == "AWS::IAM::ManagedPolicy"
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
        for action in (
            [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        )
    }


NEEDED = {
    action
    for stack, _, resource in resources()
    if stack not in BY_HAND
    for action in called(stack, resource)
}


def test_the_service_role_may_what_the_templates_need() -> None:
    missing = {
        action for action in NEEDED if not any(fnmatchcase(action, grant) for grant in granted())
    }
    assert missing == set()


def test_the_service_role_may_nothing_that_no_template_needs() -> None:
    unneeded = {
        grant for grant in granted() if not any(fnmatchcase(action, grant) for action in NEEDED)
    }
    assert unneeded == UNCALLED.keys()


@pytest.mark.parametrize("action", ["s3:DeleteBucket", "cloudtrail:DeleteTrail", "sqs:DeleteQueue"])
def test_a_deployment_has_no_right_to_delete_evidence(action: str) -> None:
    assert not any(fnmatchcase(action, grant) for grant in granted())
