"""Change sets: which kind is made, and what is shown of it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from infra.deployment.errors import DeployError
from infra.deployment.stacks.changesets import Change, ChangeSets, Request
from infra.deployment.stacks.description import Stack

REQUEST = Request("s", {"TemplateURL": "https://t"}, [], {"stage": "dev"}, None)
EXISTING = Stack("s", "arn:s", "UPDATE_COMPLETE", {}, {})


def modified(name: str, kind: str, replacement: str, **more: Any) -> dict[str, Any]:
    change = {
        "Action": "Modify",
        "LogicalResourceId": name,
        "ResourceType": kind,
        "Replacement": replacement,
        "Details": [{"Target": {"Attribute": "Properties", "Name": "Code"}}],
        **more,
    }
    return {"ResourceChange": change}


class CloudFormation:
    """Answers with the descriptions of change sets that it is given, by what was asked for."""

    def __init__(self, *made: dict[str, Any], nested: dict[str, Any] | None = None) -> None:
        self._made = list(made)
        self._described: dict[str, dict[str, Any]] = {"nested": nested or {}}
        self.created: list[dict[str, Any]] = []
        self.deleted: list[str] = []

    def create_change_set(self, **arguments: Any) -> dict[str, str]:
        self.created.append(arguments)
        arn = f"arn:{len(self.created)}"
        made = self._made.pop(0)
        if made["Status"] == "REFUSED":
            raise ClientError({"Error": {"Code": "ValidationError", "Message": "no"}}, "x")
        self._described[arn] = {"ChangeSetId": arn, "Changes": []} | made
        return {"Id": arn}

    def describe_change_set(self, **arguments: str) -> dict[str, Any]:
        described = self._described[arguments["ChangeSetName"]]
        next_page: dict[str, Any] = described.get("next", {})
        return next_page if "NextToken" in arguments else described

    def delete_change_set(self, **arguments: str) -> None:
        self.deleted.append(arguments["ChangeSetName"])

    def delete_stack(self, **arguments: str) -> None:
        self.deleted.append(arguments["StackName"])


def made(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Status": "CREATE_COMPLETE", "Changes": list(changes), **more}


def failed(reason: str) -> dict[str, Any]:
    return {"Status": "FAILED", "StatusReason": reason}


def test_what_changes_in_nested_stacks_is_shown_and_a_loss_is_loud() -> None:
    stack = "AWS::CloudFormation::Stack"
    nested = made(
        modified("Raw", "AWS::S3::Bucket", "True"), ChangeSetId="nested", NextToken="more"
    ) | {"next": made({"ResourceChange": removed("Old", "AWS::SQS::Queue")})}
    client = CloudFormation(
        made(
            modified("Storage", stack, "False", ChangeSetId="nested"),
            modified("Jobs", stack, "Conditional"),
            modified("Role", "AWS::IAM::Role", "False"),
        ),
        nested=nested,
    )
    change_set = ChangeSets(client).create(REQUEST, EXISTING)
    assert change_set is not None
    assert [str(change) for change in change_set.changes] == [
        "~ Storage/Raw AWS::S3::Bucket (Code)  <== REPLACES IT",
        "- Storage/Old AWS::SQS::Queue  <== REMOVES IT",
        "~ Jobs AWS::CloudFormation::Stack (Code)",
        "~ Role AWS::IAM::Role (Code)",
    ]
    assert [one.path for one in change_set.changes if one.loses_something] == [
        "Storage/Raw",
        "Storage/Old",
    ]


def removed(name: str, kind: str) -> dict[str, Any]:
    return {"Action": "Remove", "LogicalResourceId": name, "ResourceType": kind}


@pytest.mark.parametrize(
    "answer", [failed("Nested change set nested was not created"), {"Status": "REFUSED"}]
)
def test_an_update_looks_into_nested_stacks_and_does_without_where_it_cannot(
    answer: dict[str, Any],
) -> None:
    client = CloudFormation(answer, made())
    assert ChangeSets(client).create(REQUEST, EXISTING) is not None
    assert [one["IncludeNestedStacks"] for one in client.created] == [True, False]
    assert client.deleted == ([] if answer["Status"] == "REFUSED" else ["arn:1"])


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information",
        "No updates are to be performed.",
    ],
)
def test_no_changes_are_no_failure(reason: str) -> None:
    client = CloudFormation(failed(reason))
    assert ChangeSets(client).create(REQUEST, EXISTING) is None
    assert client.deleted == ["arn:1"]


def test_what_cannot_be_made_is_told_in_cloudformations_words() -> None:
    client = CloudFormation(failed("nested"), failed("Parameter LockDays must be a number"))
    with pytest.raises(DeployError, match=r"s: .*Parameter LockDays must be a number"):
        ChangeSets(client).create(REQUEST, EXISTING)


@pytest.mark.parametrize("before", [None, Stack("s", "arn:s", "REVIEW_IN_PROGRESS", {}, {})])
def test_a_new_stack_is_made_and_forgotten_again_when_nobody_wants_it(
    before: Stack | None,
) -> None:
    client = CloudFormation(made({"ResourceChange": removed("X", "T") | {"Action": "Add"}}))
    change_set = ChangeSets(client).create(REQUEST, before)
    assert change_set is not None
    assert client.created[0]["ChangeSetType"] == "CREATE"
    assert change_set.changes == (Change("X", "T", "Add", "", ()),)
    assert str(change_set.changes[0]) == "+ X T"
    ChangeSets(client).discard(change_set)
    assert client.deleted == ["arn:1", "s"]


def test_cloudformation_may_use_a_role_of_its_own() -> None:
    client = CloudFormation(made())
    request = Request("s", {"TemplateURL": "https://t"}, [], {}, "arn:role")
    ChangeSets(client).create(request, EXISTING)
    assert client.created[0]["RoleARN"] == "arn:role"
