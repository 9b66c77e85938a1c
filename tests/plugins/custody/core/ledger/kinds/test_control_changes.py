"""Every change of a control of ours is found with a name, unless it was the deployment's."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.support.ledger_cases import policy
from tests.support.management_records import ACCOUNT, INSIDER, ROLE, call, service, session
from tests.support.trail_records import put

from custody.core.calls.kinds import USE, CallKind
from custody.core.calls.s3 import S3
from custody.core.calls.table import SERVICES
from custody.core.ledger.attribution import calls_of
from custody.core.ledger.kinds.control_changes import control_rows, settings_row, without_known
from custody.core.ledger.kinds.undeclared import catalog_rows
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import CONTROL, LedgerRow
from custody.core.ledger.versions import ObjectHistory, rows_of
from custody.core.trail.log_files import read_log

UPLOADER = f"arn:aws:iam::{ACCOUNT}:user/crm-export"
ENGINEER = {
    "type": "IAMUser",
    "principalId": "AIDAENGINEER",
    "arn": f"arn:aws:iam::{ACCOUNT}:user/platform-engineer",
    "accessKeyId": "AKIAENGINEER",
    "userName": "platform-engineer",
}
BY_CLOUDFORMATION = {"invokedBy": "cloudformation.amazonaws.com"}

THROUGH_CLOUDFORMATION = (
    ENGINEER | BY_CLOUDFORMATION,
    session("cloudformation", "ASIA1", "AWSCloudFormation") | BY_CLOUDFORMATION,
)

RULES = replace(
    policy(datetime(2026, 11, 1, 8, tzinfo=UTC)),
    deployment="custody-local",
    deployers=(ENGINEER["arn"], f"{ROLE}cloudformation"),
    assumed_by={f"{ROLE}{name}": () for name in ("glue", "cloudformation", "airflow")},
    named={
        "bucket": frozenset({"raw"}),
        "key": frozenset({"k-1"}),
        "user": frozenset({"crm-export", "platform-engineer"}),
    },
    control_writers={("job", "runs"): (f"{ROLE}airflow",)},
)

CHANGING = [
    (source, name, operation)
    for source, table in SERVICES.items()
    for name, operation in table.items()
    if operation.kind is CallKind.CHANGES_A_CONTROL
    and (operation.thing, operation.aspect) != ("database", "tables")
]


def rows(*records: Any, proven: bool = True, rules: Policy = RULES) -> list[LedgerRow]:
    content = read_log(json.dumps({"Records": records}).encode(), log="log", proven=proven)
    assert content.problems == ()
    calls, _ = calls_of(content.calls, rules)
    return list(control_rows(calls, rules))


def changed(source: str, name: str, parameters: tuple[str, ...], who: dict[str, Any]) -> Any:
    """A call about something of ours, named by the first of its parameters."""
    named = {parameters[0]: "custody-local-x"} if parameters else {}
    if SERVICES[source][name].aspect == USE:
        named = {"roleArn": f"{ROLE}audit"}
    return call(source, name, who, named)


@pytest.mark.parametrize(("source", "name", "operation"), CHANGING)
def test_each_call_of_the_table_is_found_of_an_insider_and_not_of_the_deployment(
    source: str, name: str, operation: Any
) -> None:
    (row,) = rows(changed(source, name, operation.named_by, INSIDER))
    assert (row.verdict, row.principal_arn) == ("CONTROL_CHANGED", INSIDER["arn"])
    assert (row.bucket, row.event_name) == (CONTROL, name)
    assert row.object_key.startswith(f"{source}/{operation.thing}")
    for who in THROUGH_CLOUDFORMATION:
        assert rows(changed(source, name, operation.named_by, who)) == []
    # Neither does anybody else become the deployment by using CloudFormation.
    assert len(rows(changed(source, name, operation.named_by, INSIDER | BY_CLOUDFORMATION))) == 1


@pytest.mark.parametrize(
    "name", [n for n, operation in S3.items() if operation.kind is CallKind.ALTERS_IN_PLACE]
)
def test_what_alters_a_version_in_place_is_found_with_its_name(name: str) -> None:
    record = put(eventName=name, userIdentity=INSIDER)
    record["requestParameters"]["versionId"] = "v7"
    for proven, verdict in ((True, "CONTROL_CHANGED"), (False, "PENDING")):
        content = read_log(json.dumps({"Records": [record]}).encode(), log="log", proven=proven)
        bucket, key = content.events[0].bucket, content.events[0].key
        assert key is not None
        (row,) = rows_of(ObjectHistory(bucket, key, content.events, ()), RULES, {})
        assert (row.verdict, row.principal_arn) == (verdict, INSIDER["arn"])
        assert (row.bucket, row.object_key, row.version_id) == (bucket, key, "v7")
        assert name in row.verdict_reason
    for who in THROUGH_CLOUDFORMATION:
        event = read_log(
            json.dumps({"Records": [record | {"userIdentity": who}]}).encode(), log="l", proven=True
        ).events[0]
        assert list(rows_of(ObjectHistory(bucket, key, (event,), ()), RULES, {})) == []


@pytest.mark.parametrize("filed_as", [{}, {"managementEvent": True, "eventCategory": "Management"}])
def test_another_key_for_a_version_is_found_whatever_cloudtrail_files_it_under(
    filed_as: dict[str, Any],
) -> None:
    """AWS does not say whether `UpdateObjectEncryption` is a data event or a management event."""
    record = put(eventName="UpdateObjectEncryption", userIdentity=INSIDER, **filed_as)
    record["requestParameters"]["versionId"] = "v7"
    content = read_log(json.dumps({"Records": [record]}).encode(), log="log", proven=True)
    assert content.calls == ()
    (event,) = content.events
    (row,) = rows_of(ObjectHistory(event.bucket, event.key or "", (event,), ()), RULES, {})
    assert (row.verdict, row.principal_arn) == ("CONTROL_CHANGED", INSIDER["arn"])
    assert (row.object_key, row.version_id) == (event.key, "v7")


def test_a_verb_of_s3_that_nobody_has_looked_at_alters_in_place() -> None:
    record = put(eventName="TurnObjectInsideOut", userIdentity=INSIDER, readOnly=False)
    content = read_log(json.dumps({"Records": [record]}).encode(), log="log", proven=True)
    assert [event.name for event in content.events] == ["TurnObjectInsideOut"]
    read = {**record, "readOnly": True}
    assert read_log(json.dumps({"Records": [read]}).encode(), log="l", proven=True).events == ()


def test_a_row_says_what_was_changed_to_what_and_by_whom_before() -> None:
    policy_then, policy_now = {"bucketName": "raw", "bucketPolicy": "a"}, {"bucketName": "raw"}
    deployed = call(
        "s3", "PutBucketPolicy", ENGINEER | BY_CLOUDFORMATION, policy_then, eventID="m0"
    )
    after = call(
        "s3",
        "DeleteBucketPolicy",
        INSIDER,
        policy_now,
        eventTime="2026-11-01T06:30:00Z",
        requestID="M2",
    )
    (row,) = rows(after, deployed)
    assert row.object_key == "s3/bucket/raw/policy"
    assert row.pipeline_layer == "bronze"
    assert row.event_time == datetime(2026, 11, 1, 6, 30, tzinfo=UTC)
    assert row.verdict_reason == (
        f"{INSIDER['arn']} called DeleteBucketPolicy, which changes the policy of the bucket raw, "
        'and is not the deployment. Asked for: {"bucketName": "raw"}. Before, '
        f"{ENGINEER['arn']} had called PutBucketPolicy at 2026-11-01 06:00:00, asking for: "
        '{"bucketName": "raw", "bucketPolicy": "a"}.'
    )


def test_the_same_change_again_is_another_finding() -> None:
    asked = {"bucketName": "raw"}
    (one,) = rows(call("s3", "DeleteBucketPolicy", INSIDER, asked))
    (other,) = rows(call("s3", "DeleteBucketPolicy", INSIDER, asked, requestID="M2"))
    assert one.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    "record",
    [
        call("iam", "PutRolePolicy", INSIDER, None),
        call("lambda", "UpdateEventSourceMapping20150331", INSIDER, {"uUID": "u"}),
        call("iam", "DoSomethingNew", INSIDER, {"to": ["custody-local-glue"]}),
        call("iam", "DoSomethingNew", INSIDER, "HIDDEN_DUE_TO_SECURITY_REASONS"),
    ],
)
def test_what_cloudtrail_left_out_may_be_ours(record: Any) -> None:
    (row,) = rows(record)
    assert row.principal_arn == INSIDER["arn"]


@pytest.mark.parametrize(
    "record",
    [
        call("iam", "PutRolePolicy", INSIDER, {"roleName": "of-others"}),
        call("s3", "PutBucketPolicy", INSIDER, {"bucketName": "custody-locale"}),
        call("sqs", "PurgeQueue", INSIDER, {"queueUrl": "http://127.0.0.1:4566/1/crm-export"}),
        call("ssm", "PutParameter", INSIDER, {"name": "/custody/dev/x"}),
        call(
            "lambda", "UpdateFunctionCode20150331v2", INSIDER, {"functionName": "x-custody-local"}
        ),
        call("iam", "DoSomethingNew", INSIDER, {"to": "others"}),
        call("cloudformation", "CreateChangeSet", INSIDER, {"stackName": "of-others"}),
        # What is ours and was changed by whom it is for.
        call("kms", "CreateGrant", service("glue"), {"keyId": "k-1"}),
        call("kms", "CreateGrant", INSIDER | {"invokedBy": "glue.amazonaws.com"}, {"keyId": "k-1"}),
        call("iam", "CreateAccessKey", ENGINEER, {"userName": "platform-engineer"}),
        call("iam", "DeleteAccessKey", ENGINEER, {"accessKeyId": "AKIAOLD"}),
        call("glue", "StartJobRun", session("airflow", "A"), {"jobName": "custody-local-audit"}),
        call("cloudformation", "ExecuteChangeSet", ENGINEER, {"stackName": "custody-local"}),
    ],
)
def test_what_others_change_of_theirs_and_the_platform_of_its_own_is_no_finding(
    record: Any,
) -> None:
    assert rows(record) == []


@pytest.mark.parametrize(
    ("record", "control"),
    [
        (
            call("ssm", "PutParameter", INSIDER, {"name": "/custody/local/airflow/variables/x"}),
            "ssm/parameter/custody/local/airflow/variables/x",
        ),
        (
            call("kms", "DisableKey", INSIDER, {"keyId": f"arn:aws:kms:eu:{ACCOUNT}:key/k-1"}),
            "kms/key/k-1/state",
        ),
        (
            call("sqs", "PurgeQueue", INSIDER, {"queueUrl": "http://sqs/1/custody-local-recorder"}),
            "sqs/queue/custody-local-recorder/messages",
        ),
        (
            call("iam", "AttachUserPolicy", INSIDER, {"userName": "crm-export"}),
            "iam/user/crm-export/rights",
        ),
        (
            call(
                "cloudtrail",
                "StopLogging",
                INSIDER,
                {"name": f"arn:aws:cloudtrail:eu:{ACCOUNT}:trail/custody-local"},
            ),
            "cloudtrail/trail/custody-local/logging",
        ),
        (call("iam", "PutRolePolicy", INSIDER, None), "iam/role/*/rights"),
        (call("glue", "UpdateJob", ENGINEER, {"jobName": "custody-local-audit"}),
         "glue/job/custody-local-audit/code"),
        (call("glue", "StartJobRun", ENGINEER, {"jobName": "custody-local-audit"}),
         "glue/job/custody-local-audit/runs"),
        (call("iam", "CreateAccessKey", INSIDER, {"userName": "crm-export"}),
         "iam/user/crm-export/access keys"),
    ],
)  # fmt: skip
def test_a_control_is_named_by_service_thing_name_and_aspect(record: Any, control: str) -> None:
    (row,) = rows(record)
    assert (row.object_key, row.version_id) == (control, "null")


@pytest.mark.parametrize(
    "record",
    [
        # A session that is called as the user is not he.
        call("iam", "CreateAccessKey", session("x", "A", "crm-export"), {"userName": "crm-export"}),
        # A stack of his own, to which he gives the deployment's role.
        call(
            "cloudformation",
            "CreateChangeSet",
            INSIDER,
            {"stackName": "mine", "roleARN": f"{ROLE}cloudformation"},
        ),
        # A bucket of his own, from which S3 is to copy as the role whose copies are evidence.
        call(
            "s3",
            "PutBucketReplication",
            INSIDER,
            {
                "bucketName": "mine",
                "ReplicationConfiguration": {"Role": f"{ROLE}replication", "Rule": {"ID": "x"}},
            },
        ),
    ],
)
def test_nobody_passes_for_another_by_a_name_that_he_chose(record: Any) -> None:
    assert [row.verdict for row in rows(record)] == ["CONTROL_CHANGED"]


GIVING = [
    # A job, a function or a session of his own, which runs as the role that judges.
    ("glue", "CreateJob", {"name": "mine", "role": f"{ROLE}audit"}),
    ("glue", "UpdateJob", {"jobName": "mine", "jobUpdate": {"role": "custody-local-audit"}}),
    ("glue", "CreateSession", {"id": "x", "role": f"{ROLE}audit"}),
    ("glue", "CreateDevEndpoint", {"endpointName": "x", "roleArn": f"{ROLE}audit"}),
    ("lambda", "CreateFunction20150331", {"functionName": "mine", "role": f"{ROLE}audit"}),
    (
        "lambda",
        "UpdateFunctionConfiguration20150331v2",
        {"functionName": "mine", "role": f"{ROLE}audit"},
    ),
    ("airflow", "CreateEnvironment", {"Name": "mine", "ExecutionRoleArn": f"{ROLE}audit"}),
    ("events", "PutTargets", {"rule": "mine", "targets": [{"roleArn": f"{ROLE}audit"}]}),
    ("ssm", "StartAutomationExecution", {"parameters": {"AutomationAssumeRole": [f"{ROLE}audit"]}}),
    ("s3", "CreateJob", {"roleArn": f"{ROLE}audit"}),
]


@pytest.mark.parametrize(("source", "name", "asked"), GIVING)
def test_whoever_gives_a_role_of_ours_to_what_is_his_is_found(
    source: str, name: str, asked: Any
) -> None:
    """A service then works as that role, and nobody is seen taking it."""
    (row,) = rows(call(source, name, INSIDER, asked))
    assert (row.verdict, row.principal_arn) == ("CONTROL_CHANGED", INSIDER["arn"])
    assert row.object_key == f"{source}/role/custody-local-audit/use"
    assert "the use of the role custody-local-audit" in row.verdict_reason
    for who in THROUGH_CLOUDFORMATION:
        assert rows(call(source, name, who, asked)) == []
    # A role of others is theirs, an uploader's included.
    text = json.dumps(asked).replace("custody-local-audit", "web-shop")
    rules = replace(RULES, named={**RULES.named, "role": frozenset({"web-shop"})})
    assert rows(call(source, name, INSIDER, json.loads(text)), rules=rules) == []


def test_a_job_of_ours_that_is_given_its_role_again_is_one_finding() -> None:
    """As each `UpdateJob` must."""
    asked = {"jobName": "custody-local-audit", "jobUpdate": {"role": f"{ROLE}audit"}}
    (row,) = rows(call("glue", "UpdateJob", INSIDER, asked))
    assert row.object_key == "glue/job/custody-local-audit/code"


def test_a_call_that_could_have_given_a_role_and_gave_none_is_no_finding() -> None:
    assert rows(call("ssm", "SendCommand", INSIDER, {"documentName": "x"})) == []
    (row,) = rows(call("glue", "CreateSession", INSIDER, None))
    assert row.object_key == "glue/role/*/use"


@pytest.mark.parametrize(
    ("source", "name", "asked"),
    [
        ("glue", "CreateJob", {f"p{n}": {"iamRole": f"of-others-{n}"} for n in range(101)}),
        ("ssm", "DeleteParameters", {"names": [f"/others/{n}" for n in range(101)]}),
        ("iam", "DoSomethingNew", {"to": [f"others-{n}" for n in range(101)]}),
    ],
)
def test_nobody_hides_a_name_behind_many(source: str, name: str, asked: Any) -> None:
    (row,) = rows(call(source, name, INSIDER, asked))
    assert row.principal_arn == INSIDER["arn"]


@pytest.mark.parametrize("source", ["kms", "lambda", "glue"])
def test_what_aws_does_by_itself_is_no_finding(source: str) -> None:
    """A key that is rotated by its schedule, as "Non-API AWS service events" in the AWS CloudTrail
    User Guide shows it: nobody called, and the event has no parameters."""
    internal = {"accountId": ACCOUNT, "invokedBy": "AWS Internal"}
    by_itself = {"eventType": "AwsServiceEvent", "requestID": None}
    assert rows(call(source, "RotateKey", internal, None, **by_itself)) == []


def test_each_thing_of_a_call_about_several_has_a_row() -> None:
    asked = {"names": ["/custody/local/a", "/others/a", "/custody/local/b"]}
    found = rows(call("ssm", "DeleteParameters", INSIDER, asked))
    assert [row.object_key for row in found] == [
        "ssm/parameter/custody/local/a",
        "ssm/parameter/custody/local/b",
    ]
    assert len({row.fingerprint for row in found}) == 2


def test_a_stack_is_one_control_whether_the_call_has_its_name_or_its_arn() -> None:
    arn = f"arn:aws:cloudformation:eu-central-1:{ACCOUNT}:stack/custody-local/5a1b"
    record = call(
        "cloudformation",
        "UpdateTerminationProtection",
        INSIDER,
        {"stackName": "custody-local"},
        {"stackId": arn},
    )
    assert [row.object_key for row in rows(record)] == ["cloudformation/stack/custody-local"]


def test_a_change_pages_nobody_before_it_is_proven() -> None:
    (row,) = rows(call("s3", "DeleteBucketPolicy", INSIDER, {"bucketName": "raw"}), proven=False)
    assert row.verdict == "PENDING"


def test_who_took_the_deployments_role_is_not_the_deployment() -> None:
    taken = call(
        "sts",
        "AssumeRole",
        INSIDER,
        {"roleArn": f"{ROLE}cloudformation"},
        {"credentials": {"accessKeyId": "ASIA1"}},
        eventID="m0",
    )
    change = call(
        "s3",
        "DeleteBucketPolicy",
        session("cloudformation", "ASIA1") | BY_CLOUDFORMATION,
        {"bucketName": "raw"},
        eventTime="2026-11-01T06:10:00Z",
    )
    (row,) = rows(taken, change)
    assert row.principal_arn == INSIDER["arn"]
    assert "(as arn:aws:sts::" in row.verdict_reason


def test_rules_of_a_deployment_that_is_not_named_find_nothing_by_a_name() -> None:
    rules = replace(RULES, deployment="", grace=timedelta())
    assert rows(call("s3", "PutBucketPolicy", INSIDER, {"bucketName": "raw"}), rules=rules) == []


CATALOG = [
    (name, operation.named_by)
    for name, operation in SERVICES["glue"].items()
    if (operation.thing, operation.aspect) == ("database", "tables")
]


@pytest.mark.parametrize(("name", "parameters"), CATALOG)
def test_each_change_of_tables_is_found_of_an_insider_and_not_of_the_deployment(
    name: str, parameters: tuple[str, ...]
) -> None:
    """These have rows of their own, about the table or partition."""

    def found(who: dict[str, Any]) -> list[LedgerRow]:
        named = "custody_local" if name == "DeleteDatabase" else "t"
        asked = {"databaseName": "custody_local", "name": named, "tableName": "t"}
        record = call("glue", name, who, asked | {"tableInput": {"name": "t"}})
        content = read_log(json.dumps({"Records": [record]}).encode(), log="log", proven=True)
        assert [c.control is not None for c in content.calls] == [True]
        rules = replace(RULES, database="custody_local", catalog_writers=(f"{ROLE}airflow",))
        return [row for c in content.calls for row in catalog_rows(c, rules)]

    assert parameters
    # Where no partition is named, it is about the table as a whole.
    assert {(row.verdict, row.principal_arn) for row in found(INSIDER)} == {
        ("CONTROL_CHANGED", INSIDER["arn"])
    }
    for who in THROUGH_CLOUDFORMATION:
        assert found(who) == []


PARAMETER = "/custody/local/airflow/variables/custody"


def standing(version: int = 3) -> LedgerRow:
    return settings_row(PARAMETER, ["uploader_arns"], version, RULES.as_of, RULES)


def test_settings_that_stand_otherwise_than_deployed_are_found_of_nobody() -> None:
    row = standing()
    assert (row.verdict, row.bucket) == ("CONTROL_CHANGED", CONTROL)
    assert row.object_key == f"ssm/parameter{PARAMETER}"
    assert (row.principal_arn, row.pipeline_layer) == (None, "control")
    assert "they differ in uploader_arns" in row.verdict_reason
    gone = settings_row(PARAMETER, [], 0, RULES.as_of, RULES)
    assert "they cannot be read" in gone.verdict_reason


def test_each_version_of_the_settings_is_a_finding_of_its_own() -> None:
    assert standing(3).fingerprint == standing(3).fingerprint != standing(4).fingerprint


@pytest.mark.parametrize("proven", [True, False])
def test_settings_whose_change_the_trail_tells_are_found_once(proven: bool) -> None:
    """Of an event that no digest proves yet, the finding waits for its name."""
    put_parameter = call("ssm", "PutParameter", INSIDER, {"name": PARAMETER})
    told = rows(put_parameter, proven=proven)
    assert [row.object_key for row in told] == [standing().object_key]
    assert without_known([standing()], told) == []
    assert without_known([standing()], rows(call("iam", "DeleteUser", INSIDER, {}))) == [standing()]
