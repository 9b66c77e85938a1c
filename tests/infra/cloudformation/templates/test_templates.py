"""What must hold of every template, whatever is added to them."""

from __future__ import annotations

import json
import re

import pytest
from tests.infra.cloudformation.templates.loaded import (
    ALLOWED,
    FILES,
    LOADED,
    RESOURCES,
    ROOTS,
    documents,
)


def test_there_are_policies_to_look_at() -> None:
    assert {kind for _, kind, _ in documents()} == {
        "key",
        "trust",
        "resource",
        "identity",
        "boundary",
        "deploying",
    }
    assert len(ALLOWED) > 40


def test_a_silenced_rule_has_its_reason_beside_it() -> None:
    silenced = [
        (file.name, line)
        for file in FILES
        for line in file.read_text().splitlines()
        if re.search(r"^\s*- [EWI]\d{4}\b", line)
    ]
    assert silenced
    assert [where for where in silenced if not re.search(r"\d{4}\s+# \S+ \S+", where[1])] == []


def test_nested_templates_build_arns_from_names() -> None:
    """See the head of root.yaml. An address's allocation has an id that no name tells."""
    asking = {
        (stack, attribute)
        for stack, template in LOADED.items()
        for attribute in re.findall(r'"Fn::GetAtt": \[[^]]*"(\w+)"\]', json.dumps(template))
        if stack not in ROOTS
    }
    assert asking == {("network", "AllocationId")}


def test_nothing_names_an_account_a_region_or_a_partition() -> None:
    named = [
        (file.name, line)
        for file in FILES
        for line in file.read_text().splitlines()
        if re.search(r"\b\d{12}\b|\b[a-z]{2}-(east|west|central|north|south)\w*-\d|arn:aws", line)
        and "AllowedPattern" not in line
    ]
    # One TiB in bytes has thirteen digits; nothing else comes near.
    assert named == []


@pytest.mark.parametrize(
    ("stack", "parameter"),
    [(stack, name) for stack, template in LOADED.items() for name in template["Parameters"]],
)
def test_every_parameter_is_described(stack: str, parameter: str) -> None:
    declaration = LOADED[stack]["Parameters"][parameter]
    assert declaration["Description"]
    # Where people give values, they are guarded.
    if stack in ROOTS:
        assert declaration.keys() & {"AllowedPattern", "AllowedValues", "MinValue"}


@pytest.mark.parametrize("stack", ROOTS)
def test_every_parameter_is_in_a_group(stack: str) -> None:
    interface = LOADED[stack]["Metadata"]["AWS::CloudFormation::Interface"]
    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]
    assert sorted(grouped) == sorted(LOADED[stack]["Parameters"])


KEPT = ("AWS::CloudTrail::Trail", "AWS::KMS::Key", "AWS::S3::Bucket", "AWS::S3::BucketPolicy")


def test_deleting_a_stack_neither_deletes_evidence_nor_unprotects_it() -> None:
    lost = [
        f"{stack}.{name}"
        for stack, name, resource in RESOURCES
        if resource["Type"] in KEPT
        and (resource.get("DeletionPolicy"), resource.get("UpdateReplacePolicy"))
        != ("RetainExceptOnCreate", "Retain")
    ]
    assert lost == []


def test_the_platforms_own_stack_holds_no_evidence() -> None:
    """So that nothing that goes wrong with it takes evidence along."""
    nested = {
        root: {
            resource["Properties"]["TemplateURL"].removesuffix(".yaml")
            for resource in LOADED[root]["Resources"].values()
            if resource["Type"] == "AWS::CloudFormation::Stack"
        }
        for root in ROOTS
    }
    assert nested["evidence"] == {
        *("keys", "queue", "replication", "witnesses", "storage", "trail"),
    }
    assert not nested["evidence"] & nested["root"]


def test_the_trail_comes_last_for_from_then_on_the_bucket_is_never_empty_again() -> None:
    resources = LOADED["evidence"]["Resources"]
    reached, pending = set[str](), ["Trail"]
    while pending:
        stack = resources[pending.pop()]
        text = json.dumps(stack)
        for name in resources.keys() - reached:
            if stack.get("DependsOn") == name or f'"{name}.Outputs' in text or f'"{name}",' in text:
                reached.add(name)
                pending.append(name)
    assert reached == resources.keys() - {"Trail"}
