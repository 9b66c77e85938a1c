"""Who may become whom, and how far each role reaches at most."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest
from infra.build import REPOSITORY
from tests.infra.cloudformation.templates.loaded import LOADED, documents, listed, plain, statements
from tests.support.grants import given

ROLES = {
    (stack, name): resource["Properties"]
    for stack, template in LOADED.items()
    for name, resource in template["Resources"].items()
    if resource["Type"] == "AWS::IAM::Role"
}
BOUNDARY = "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/${Project}-${Stage}-boundary"
# Who makes the roles cannot be within their boundary; who helps in an emergency must not be.
WITHOUT_BOUNDARY = {
    ("access", "BreakGlass"),
    ("deployers", "CloudFormation"),
    ("deployers", "Deployer"),
    ("catalogencryption", "Role"),  # of the account, whatever stages it has
    ("globalevents", "Role"),  # in another region, where it does nothing else
}
# In letters, of a managed policy; white space does not count ("IAM quotas" in AWS's user guide).
LONGEST_POLICY = 6144


def test_every_role_of_the_platform_has_its_boundary() -> None:
    bound = {
        role
        for role, properties in ROLES.items()
        if plain(properties.get("PermissionsBoundary")) == BOUNDARY
    }
    assert ROLES.keys() - bound == WITHOUT_BOUNDARY
    assert "Boundary" in LOADED["bootstrap"]["Resources"]


# The work that is done as these says whether they need each right (`tests.support.grants`).
AT_WORK = {
    "airflow",
    "audit",
    "auditor",
    "deployer",
    "expiry",
    "glue",
    "recorder",
    "recorder-large",
}
# These no test sees at work as AWS does it: each right of theirs is here as well.
UNSEEN = {
    "batch": "s3:GetObject s3:GetObjectVersion s3:InitiateReplication",
    "catalog": "kms:Decrypt kms:Encrypt kms:GenerateDataKey",
    "flow-logs": (
        "logs:CreateLogStream logs:DescribeLogGroups logs:DescribeLogStreams logs:PutLogEvents"
    ),
    "global-events": "events:PutEvents",
    "on-call": """
        kms:Decrypt kms:GenerateDataKey kms:GetPublicKey kms:Sign s3:GetObject s3:GetObjectVersion
        s3:ListBucketVersions s3:PutObject ssm:GetParameter
    """,
    "replication": """
        kms:Decrypt kms:Encrypt kms:GenerateDataKey s3:GetObjectLegalHold s3:GetObjectRetention
        s3:GetObjectVersionAcl s3:GetObjectVersionForReplication s3:GetObjectVersionTagging
        s3:GetReplicationConfiguration s3:ListBucket s3:ReplicateObject s3:ReplicateTags
    """,
}


def test_a_role_that_no_test_sees_at_work_has_the_rights_that_are_listed() -> None:
    rights: dict[str, set[str]] = {}
    for role, _, action in given():
        rights.setdefault(role.removeprefix("${Project}-"), set()).add(action)
    unseen = {role: actions for role, actions in rights.items() if role not in AT_WORK}
    assert unseen == {role: set(actions.split()) for role, actions in UNSEEN.items()}


def test_no_role_is_promised_what_its_boundary_refuses() -> None:
    """Neither a call nor what it is made on; what other stacks tell a template has its name."""
    boundary = LOADED["bootstrap"]["Resources"]["Boundary"]["Properties"]["PolicyDocument"]
    within = list(promises(boundary))
    outside = sorted(
        (where, *promise)
        for where, kind, document in documents()
        if kind == "identity" and tuple(where.split(".")[:2]) not in WITHOUT_BOUNDARY
        for promise in promises(document)
        if not any(all(map(fnmatchcase, promise, pattern)) for pattern in within)
    )
    assert outside == []


TOLD = {
    r"\$\{\w*(Bucket|Job|Log|LogGroup)\}": "${Project}-${Stage}-x",
    r"\$\{(TrailName|Workgroup)\}": "${Project}-${Stage}",
    r"\$\{Database\}": "${Project}_${Stage}",
    r".*\bReplicaKeyArn\b.*": "arn:${AWS::Partition}:kms:x:${ReplicaAccountId}:key/x",
    r".*KeyArn\b.*": "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/x",
    r".*\bTopicArn\b.*": (
        "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:${Project}-${Stage}-x"
    ),
}


def promises(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each call that a policy allows, on each resource."""
    for statement in statements(document):
        for action in listed(statement["Action"]):
            for place in listed(statement["Resource"]):
                yield from ((action, named(text)) for text in branches(place))


def named(text: str) -> str:
    for told, name in TOLD.items():
        text = re.sub(told, name, text)
    return text


def branches(place: Any) -> list[str]:
    """A resource as text, or each that a condition chooses from."""
    if isinstance(place, dict) and "Fn::If" in place:
        chosen = [each for each in place["Fn::If"][1:] if each != {"Ref": "AWS::NoValue"}]
        return [text for each in chosen for text in branches(each)]
    return [plain(place)]


def test_an_emergency_takes_a_second_factor_and_is_an_alarm() -> None:
    (statement,) = statements(ROLES["access", "BreakGlass"]["AssumeRolePolicyDocument"])
    assert statement["Condition"] == {
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
        "NumericLessThan": {"aws:MultiFactorAuthAge": "3600"},
        # In another region, the rule below would not hear of it.
        "StringEquals": {"aws:RequestedRegion": {"Ref": "AWS::Region"}},
    }
    rule = LOADED["observability"]["Resources"]["BreakGlassUsed"]["Properties"]
    name = plain(ROLES["access", "BreakGlass"]["RoleName"])
    assert f"role/{name}" in json.dumps(rule["EventPattern"])


def test_an_auditor_writes_nothing_but_query_results() -> None:
    writing = [
        (statement["Sid"], action)
        for where, _, document in documents()
        if where.startswith("access.Auditor.")
        for statement in statements(document)
        for action in listed(statement["Action"])
        if not action.split(":")[1].startswith(("Describe", "Get", "List"))
    ]
    assert writing == [
        ("DecryptThroughStorage", "kms:Decrypt"),
        ("QueryInTheWorkgroup", "athena:StartQueryExecution"),
        ("QueryInTheWorkgroup", "athena:StopQueryExecution"),
        ("WriteQueryResultsAndReadThemBack", "s3:AbortMultipartUpload"),
        ("WriteQueryResultsAndReadThemBack", "s3:PutObject"),
        ("EncryptTheResults", "kms:GenerateDataKey"),
    ]


def test_an_auditor_may_all_that_the_commands_ask_for() -> None:
    document = (REPOSITORY / "docs" / "auditor.md").read_text(encoding="utf-8")
    asked = set(re.findall(r"`([a-z0-9]+:[A-Z]\w+)`", document))
    may = {
        action
        for where, _, policy in documents()
        if where.startswith("access.Auditor.")
        for statement in statements(policy)
        for action in listed(statement["Action"])
    }
    assert asked
    assert asked <= may


def test_a_deployer_may_what_the_deploy_command_asks_for_and_no_more() -> None:
    """As the deploy guide lists it; what the deployed stacks need is their service role's."""
    guide = (REPOSITORY / "docs" / "deploy.md").read_text(encoding="utf-8")
    rights = guide.partition("## The rights a deployment needs")[2]
    asked: set[str] = set()
    for block in re.findall(r"```text\n(.*?)```", rights, re.DOTALL):
        service = ""
        for line in block.splitlines():
            service = line.split()[0] if line[:1].strip() else service
            asked |= {f"{service}:{name}" for name in re.findall(r"\b[A-Z]\w+", line)}
    may = {
        action
        for where, _, policy in documents()
        if where.startswith("deployers.Deployer.")
        for statement in statements(policy)
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
    }
    # Whoever is known to AWS may ask who he is.
    asked.remove("sts:GetCallerIdentity")
    assert {"cloudformation:CreateChangeSet", "s3:PutObject", "iam:PassRole"} <= asked
    assert asked == may


@pytest.mark.parametrize(
    ("where", "guarded"),
    [
        ("deployers.Deployer.upload-and-order", ("stack/{}-access/*", "stack/{}-deployers/*")),
        ("deployers.MakeThings", ("stack/{}-access/*", "stack/{}-deployers/*")),
        (
            "deployers.MakeWhatRuns",
            (
                *("role/{}-auditor", "role/{}-break-glass", "role/{}-cloudformation"),
                *("role/{}-deployer", "role/{}-global-events", "role/{}-on-call"),
                *("policy/{}-cloudformation-*", "policy/{}-boundary"),
            ),
        ),
    ],
)
def test_who_deploys_does_not_say_who_may_deploy(where: str, guarded: tuple[str, ...]) -> None:
    (document,) = [document for place, _, document in documents() if place == where]
    (denied,) = [s for s in statements(document) if s["Effect"] == "Deny"]
    kept = [plain(resource).rpartition(":")[2] for resource in listed(denied["Resource"])]
    assert kept == [each.format("${Project}-${Stage}") for each in guarded]


def test_a_role_that_a_deployment_makes_has_the_boundary() -> None:
    made = LOADED["deployers"]["Resources"]["MakeWhatRuns"]["Properties"]["PolicyDocument"]
    (making,) = [s for s in statements(made) if "iam:CreateRole" in listed(s["Action"])]
    assert plain(making["Condition"]["ArnEquals"]["iam:PermissionsBoundary"]) == BOUNDARY
    assert {"iam:PutRolePolicy", "iam:AttachRolePolicy"} <= set(making["Action"])
    elsewhere = {
        action
        for statement in statements(made)
        if statement["Effect"] == "Allow" and statement is not making
        for action in listed(statement["Action"])
    }
    assert not elsewhere & {*making["Action"], "iam:DeleteRolePermissionsBoundary"}


@pytest.mark.parametrize(
    ("where", "document"),
    [
        pytest.param(where, document, id=where)
        for where, kind, document in documents()
        if kind in ("boundary", "deploying", "identity")
    ],
)
def test_a_policy_is_no_longer_than_iam_takes(where: str, document: Mapping[str, Any]) -> None:
    text = json.dumps(document, separators=(",", ":"))
    long_names = {
        "${Project}-${Stage}": "c" * 16 + "-local",
        "${AWS::Region}": "ap-southeast-1",
        "${AWS::AccountId}": "1" * 12,
        "${AWS::Partition}": "aws-us-gov",
    }
    for placeholder, value in long_names.items():
        text = text.replace(placeholder, value)
    text = text.replace('{"Fn::Sub":"', '"').replace('"}', '"')
    assert len(text) <= LONGEST_POLICY
