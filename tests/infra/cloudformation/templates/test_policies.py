"""What must hold of every policy, and who assumes which role."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import chain
from typing import Any

import pytest
from tests.infra.cloudformation.templates.loaded import (
    ALLOWED,
    LOADED,
    documents,
    granted,
    listed,
    of_type,
    plain,
    statements,
)


def test_every_statement_is_named_for_what_it_does() -> None:
    for where, _, document in documents():
        names = [statement.get("Sid", "") for statement in statements(document)]
        assert all(re.fullmatch(r"[A-Z][A-Za-z]{4,}", name) for name in names), where
        assert len(names) == len(set(names)), where


WITHOUT_RESOURCES = {
    "cloudtrail:DescribeTrails",
    "cloudtrail:ListPublicKeys",
    "cloudwatch:PutMetricData",
    "ec2:DescribeRegions",
    "glue:CreateSecurityConfiguration",
    "glue:DeleteSecurityConfiguration",
    "glue:GetSecurityConfiguration",
    "kms:CreateKey",
    "lambda:ListEventSourceMappings",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "organizations:DescribeOrganization",
    "organizations:ListAWSServiceAccessForOrganization",
    "organizations:ListAccounts",
    "s3:GetAccountPublicAccessBlock",
    "sns:Unsubscribe",
}


@pytest.mark.parametrize(("kind", "statement"), ALLOWED)
def test_no_statement_allows_everything(kind: str, statement: Mapping[str, Any]) -> None:
    actions = listed(statement["Action"])
    assert "NotAction" not in statement
    assert "NotResource" not in statement
    assert [action for action in actions if action.endswith(":*") or action == "*"] == []
    # In a key's own policy "*" is that key; a trust policy has no resource. Some calls know none.
    # An event source mapping and a network have ids that no name tells: conditions bound them.
    named_later = kind == "deploying" and {a.split(":")[0] for a in actions} <= {"ec2", "lambda"}
    assert not named_later or "Condition" in statement or "*" not in listed(statement["Resource"])
    known = set(actions) <= WITHOUT_RESOURCES or named_later
    if kind not in ("key", "trust") and not known:
        assert "*" not in listed(statement["Resource"])


@pytest.mark.parametrize(("kind", "statement"), ALLOWED)
def test_no_statement_allows_the_public(kind: str, statement: Mapping[str, Any]) -> None:
    if kind in ("identity", "boundary", "deploying"):
        assert "Principal" not in statement
        return
    principal = statement["Principal"]
    assert principal != "*"
    assert [who for who in principal.values() if "*" in listed(who)] == []


@pytest.mark.parametrize(("kind", "statement"), ALLOWED)
def test_no_role_can_change_who_may_do_what(kind: str, statement: Mapping[str, Any]) -> None:
    if kind != "identity":
        return
    forbidden = re.compile(
        r"iam:|sts:|kms:(Put|Create|Schedule|Disable)|s3:(PutBucket|DeleteBucket|BypassGovernance)"
        r"|s3:(DeleteObjectVersion|PutObjectRetention|PutObjectLegalHold)|cloudtrail:(?!Get|List|Describe)"
        r"|lambda:(?!GetFunctionConfiguration\Z|ListEventSourceMappings\Z)"
    )
    assert [action for action in listed(statement["Action"]) if forbidden.match(action)] == []


def test_who_assumes_each_role() -> None:
    trust = {
        where: {
            statement["Sid"]: statement["Principal"]
            for statement in statements(document)
            if statement["Action"] == "sts:AssumeRole"
        }
        for where, kind, document in documents()
        if kind == "trust"
    }
    assert trust == {
        "recorder.Role": {"LambdaAssumes": {"Service": "lambda.amazonaws.com"}},
        "recorder.LargeObjectRole": {"GlueAssumes": {"Service": "glue.amazonaws.com"}},
        "jobs.Role": {"GlueAssumes": {"Service": "glue.amazonaws.com"}},
        "access.Auditor": {"AuditorsAssume": {"AWS": {"Ref": "AuditorArns"}}},
        "access.OnCall": {"NamedPeopleAssume": {"AWS": {"Ref": "OnCallArns"}}},
        "access.BreakGlass": {
            "NamedPeopleAssumeWithASecondFactor": {"AWS": {"Ref": "BreakGlassArns"}}
        },
        "deployers.Deployer": {"DeployersAssume": {"AWS": {"Ref": "DeployerArns"}}},
        "deployers.CloudFormation": {
            "CloudFormationAssumes": {"Service": "cloudformation.amazonaws.com"}
        },
        "catalogencryption.Role": {"GlueAssumes": {"Service": "glue.amazonaws.com"}},
        "globalevents.Role": {"EventsAssume": {"Service": "events.amazonaws.com"}},
        "network.FlowLogRole": {"FlowLogsAssume": {"Service": "vpc-flow-logs.amazonaws.com"}},
        "audit.Role": {"GlueAssumes": {"Service": "glue.amazonaws.com"}},
        "expiry.Role": {"GlueAssumes": {"Service": "glue.amazonaws.com"}},
        "replication.Role": {"StorageAssumes": {"Service": "s3.amazonaws.com"}},
        "replication.BatchRole": {
            "BatchOperationsAssume": {"Service": "batchoperations.s3.amazonaws.com"}
        },
        "airflow.Role": {
            "ManagedAirflowAssumes": {
                "Service": ["airflow.amazonaws.com", "airflow-env.amazonaws.com"]
            },
            "NamedPrincipalsAssume": {"AWS": {"Ref": "TrustedArns"}},
        },
    }


@pytest.mark.parametrize(("kind", "statement"), ALLOWED)
def test_a_service_takes_a_role_for_this_account_alone(
    kind: str, statement: Mapping[str, Any]
) -> None:
    if kind == "trust" and "Service" in statement["Principal"]:
        account = {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        # AWS's guide to replication does not say that S3 tells for whom it acts.
        said = "IfExists" if "s3.amazonaws.com" in json.dumps(statement["Principal"]) else ""
        assert statement["Condition"][f"StringEquals{said}"].items() >= account.items()


# Which services say neither for which resource nor for which account they come, and why that is.
UNBOUND = {
    "CloudTrailDescribes",  # tells of a key what is no secret
    "EventRulesEncrypt",  # EventBridge takes no conditions in a topic's policy, nor in its key's
    "EventRulesPublish",
}


BINDS = {"aws:SourceAccount", "aws:SourceArn", "kms:EncryptionContext:aws:logs:arn"}


def test_no_service_is_anybodys_deputy() -> None:
    """ "The confused deputy problem" in AWS's IAM user guide."""
    by_services = [
        (kind, statement)
        for kind, statement in (case.values for case in ALLOWED)
        if kind in ("key", "resource", "trust") and "Service" in statement["Principal"]
    ]
    unbound = {
        statement["Sid"]
        for _, statement in by_services
        if not BINDS & {key for keys in statement.get("Condition", {}).values() for key in keys}
    }
    assert unbound == UNBOUND
    # For which function, job or bucket they take a role, these do not say.
    storage = {"batchoperations.s3.amazonaws.com", "s3.amazonaws.com"}
    silent = {"glue.amazonaws.com", "lambda.amazonaws.com", *storage}
    for kind, statement in by_services:
        if kind == "trust" and not silent & set(listed(statement["Principal"]["Service"])):
            assert "aws:SourceArn" in {k for keys in statement["Condition"].values() for k in keys}


@pytest.mark.parametrize(("kind", "statement"), ALLOWED)
def test_a_role_signs_in_the_code_it_is_for(kind: str, statement: Mapping[str, Any]) -> None:
    """AWS names no job, only that Glue gave the session to one; of a function it names which."""
    if kind != "identity" or "kms:Sign" not in listed(statement["Action"]):
        return
    if statement["Sid"] == "SignAnswers":
        return  # people do, by themselves or in Airflow; `test_keys` says with which key
    conditions = {key: plain(v) for c in statement["Condition"].values() for key, v in c.items()}
    function = (
        "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}"
        ":function:${Project}-${Stage}-recorder"
    )
    assert conditions in (
        {"lambda:SourceFunctionArn": function},
        {"glue:CredentialIssuingService": '"glue.amazonaws.com"'},
    )


def test_airflows_administrator_is_a_job_that_reads_what_people_did() -> None:
    role = "arn:${AWS::Partition}:airflow:${AWS::Region}:${AWS::AccountId}:role/${Project}-${Stage}"
    assert granted("airflow:InvokeRestApi") == {"audit": [f"{role}/Admin"]}
    (asking,) = (
        statement
        for kind, statement in (case.values for case in ALLOWED)
        if kind == "identity" and "airflow:InvokeRestApi" in listed(statement["Action"])
    )
    # Whoever takes the role himself is nobody to Airflow.
    job = {"glue:CredentialIssuingService": "glue.amazonaws.com"}
    assert asking["Condition"] == {"StringEquals": job}


def test_what_each_role_writes() -> None:
    arn = "arn:${AWS::Partition}:s3:::"
    assert granted("s3:PutObject") == {
        "access": [
            f"{arn}${{Project}}-${{Stage}}-athena-results-${{AWS::AccountId}}/${{Project}}-${{Stage}}/*",
            f"{arn}${{Project}}-${{Stage}}-provenance-${{AWS::AccountId}}/provenance/answers/*",
        ],
        "airflow": [
            f"{arn}${{AnalyticsBucket}}/pages/*",
            f"{arn}${{AnalyticsBucket}}/publications/*",
            f"{arn}${{AthenaResultsBucket}}/${{Workgroup}}/*",
            f"{arn}${{AthenaResultsBucket}}/openlineage/*",
            f"{arn}${{ProvenanceBucket}}/provenance/answers/*",
        ],
        "audit": [
            f"{arn}${{AnalyticsBucket}}/audit/*",
            f"{arn}${{AnalyticsBucket}}/lineage_checks/*",
            f"{arn}${{AnalyticsBucket}}/reconciliation/*",
            f"{arn}${{AnalyticsBucket}}/record_checks/*",
            f"{arn}${{ProvenanceBucket}}/provenance/expiry/*",
            f"{arn}${{ProvenanceBucket}}/provenance/runs/*",
            f"{arn}${{ProvenanceBucket}}/seal/*",
        ],
        "jobs": [
            f"{arn}${{AnalyticsBucket}}/gold/*",
            f"{arn}${{AnalyticsBucket}}/quality/*",
            f"{arn}${{ProcessedBucket}}/files/*",
            f"{arn}${{ProcessedBucket}}/quarantine/*",
            f"{arn}${{ProcessedBucket}}/silver/*",
            f"{arn}${{ProvenanceBucket}}/provenance/lineage/*",
        ],
        # The Lambda and the job for large objects; what is late, the Lambda alone notes.
        "recorder": [
            f"{arn}${{Project}}-${{Stage}}-provenance-${{AWS::AccountId}}/provenance/{place}/*"
            for place in ("incoming", "incoming", "late")
        ],
    }


def test_only_sparks_working_files_and_runs_that_expire_are_ever_deleted() -> None:
    deleting = granted("s3:DeleteObject")
    runs = "/*/dt=*/run=*/*"
    assert deleting.pop("expiry") == [
        "arn:${AWS::Partition}:s3:::${AnalyticsBucket}/gold" + runs,
        *(
            f"arn:${{AWS::Partition}}:s3:::${{ProcessedBucket}}/{area}{runs}"
            for area in ("files", "quarantine", "silver")
        ),
    ]
    assert set(deleting) == {"jobs", "audit"}
    for resource in chain.from_iterable(deleting.values()):
        assert resource.endswith(("/_temporary/*", "/*/"))


def test_who_hides_runs_that_expire_signs_and_writes_nothing_and_hides_in_a_job_alone() -> None:
    """Whoever takes the role himself, or Airflow's, hides nothing."""
    (policy,) = LOADED["expiry"]["Resources"]["Role"]["Properties"]["Policies"]
    rights = list(statements(policy["PolicyDocument"]))
    assert {action for right in rights for action in listed(right["Action"])} == {
        "kms:Decrypt",
        "kms:GetPublicKey",
        "logs:AssociateKmsKey",
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:DeleteObject",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:ListBucketVersions",
    }
    (hiding,) = (right for right in rights if "s3:DeleteObject" in listed(right["Action"]))
    job = {"glue:CredentialIssuingService": "glue.amazonaws.com"}
    assert hiding["Condition"] == {"StringEquals": job}


@pytest.mark.parametrize(("stack", "name", "role"), of_type("AWS::IAM::Role"))
def test_a_session_of_a_role_lasts_no_longer_than_who_took_it_is_looked_for(
    stack: str, name: str, role: Mapping[str, Any]
) -> None:
    assert "MaxSessionDuration" not in role, "IAM's default is an hour"
