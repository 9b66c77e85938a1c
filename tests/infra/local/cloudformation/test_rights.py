"""What CloudFormation may, and what it needs: whatever is in the templates, and no more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest
from infra.deployment.templates.reading import FOLDER, load

from localaws.cloudformation.rights import RIGHTS
from localaws.cloudformation.rights.model import Call, Change, Operation

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


HOME, SECOND = "home", "second"
KNOWN = {
    "AWS::AccountId": "1",
    "AWS::Partition": "aws",
    "Project": "p",
    "ReplicaRegion": SECOND,
    "Stage": "s",
    "TrailAccountId": "2",
}


def filled(text: str, region: str) -> str:
    """With the names of an account and of a stage whose copies are in its second region."""
    for name, value in {**KNOWN, "AWS::Region": region}.items():
        text = text.replace(f"${{{name}}}", value)
    return text


# What other stacks tell a template: a bucket, a topic, a queue, a key, a role.
TOLD = {
    "AlarmTopicArn": "arn:aws:sns:home:1:p-s-alarms",
    "AthenaResults": "p-s-athena-results-1",
    "CodeBucket": "p-s-artifacts-1",
    "DagsBucketArn": "arn:aws:s3:::p-s-dags-1",
    "KeyArn": "arn:aws:kms:home:1:key/k",
    "PageTopicArn": "arn:aws:sns:home:1:p-s-pages",
    "ReplicationRole": "p-s-replication",
    "RoleName": "p-s-airflow",
    "Workgroup": "p-s",
}


# A reference is the name, but of a topic its ARN.
ARNS = {"AWS::SNS::Topic": "arn:aws:sns:${AWS::Region}:${AWS::AccountId}:"}


def named(stack: str, call: Call, region: str) -> str:
    """The resource of a call, each reference of its template followed."""
    names = {
        name: ARNS.get(resource["Type"], "") + plain(value)
        for name, resource in TEMPLATES[stack]["Resources"].items()
        for key, value in resource.get("Properties", {}).items()
        if key.endswith("Name") and key != "DisplayName"
    }
    # A deployment uploads what a stack nests.
    text = re.sub(r"(?<=:::)(\w+\.yaml)$", r"${CodeBucket}/\1", call.resource)
    for name, value in {**names, **TOLD}.items():
        text = re.sub(
            rf"\$\{{{name}\}}|(?<=[:/]){name}(?=$|/)|^{name}$", lambda _, v=value: v, text
        )
    return filled(text, region)


def called(stack: str, resource: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Everything that a deployment may have to call for a resource, whatever changes of it."""
    region = SECOND if stack == "replica" else HOME
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
        (call.action, named(stack, call, region))
        for operation, old, new in changes
        for call in RIGHTS[resource["Type"]].calls(
            Change(operation, "p-s-x", old, new, "1", region)
        )
    }


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def granted() -> set[tuple[str, str]]:
    """What the service role's policies allow, and on what."""
    return {
        (action, filled(plain(place), HOME))
        for resource in TEMPLATES["deployers"]["Resources"].values()
        if resource["Type"] == "AWS::IAM::ManagedPolicy"
        for each in resource["Properties"]["PolicyDocument"]["Statement"]
        for statement in [each["Fn::If"][1] if "Fn::If" in each else each]
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
        for place in listed(statement["Resource"])
    }


def may(call: tuple[str, str], grant: tuple[str, str]) -> bool:
    return all(fnmatchcase(*each) for each in zip(call, grant, strict=True))


NEEDED = {
    call
    for stack, _, resource in resources()
    if stack not in BY_HAND
    for call in called(stack, resource)
}


def test_the_service_role_may_what_the_templates_need() -> None:
    grants = granted()
    missing = sorted(call for call in NEEDED if not any(may(call, grant) for grant in grants))
    assert missing == []


def test_the_service_role_may_nothing_that_no_template_needs() -> None:
    actions = {action for action, _ in NEEDED}
    unneeded = {
        grant for grant, _ in granted() if not any(fnmatchcase(action, grant) for action in actions)
    }
    assert unneeded == UNCALLED.keys()


@pytest.mark.parametrize("action", ["s3:DeleteBucket", "cloudtrail:DeleteTrail", "sqs:DeleteQueue"])
def test_a_deployment_has_no_right_to_delete_evidence(action: str) -> None:
    assert not any(fnmatchcase(action, grant) for grant, _ in granted())
