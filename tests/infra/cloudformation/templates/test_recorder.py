"""The recorder, what feeds it, and its dead letters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from infra.build import REPOSITORY
from tests.infra.cloudformation.templates.loaded import (
    LOADED,
    RESOURCES,
    granted,
    of_type,
    plain,
    statements,
)


def test_airflow_looks_at_dead_letters_and_neither_takes_nor_sends_any() -> None:
    (looked,) = granted("sqs:ReceiveMessage")["airflow"]
    assert looked.endswith(":${Project}-${Stage}-recorder-dlq")
    assert "airflow" not in granted("sqs:DeleteMessage", "sqs:SendMessage", "sqs:*")


def test_large_objects_are_recorded_with_the_rights_of_the_recorder() -> None:
    """How each proves that it signs, taking messages, starting the job and fetching its code apart,
    the two roles may the same."""
    roles = LOADED["recorder"]["Resources"]
    rights = {
        name: {
            s["Sid"]: s
            for s in statements(roles[name]["Properties"]["Policies"][0]["PolicyDocument"])
        }
        for name in ("Role", "LargeObjectRole")
    }
    shared = rights["Role"].keys() & rights["LargeObjectRole"].keys()
    assert [n for n in shared if rights["Role"][n] != rights["LargeObjectRole"][n]] == []
    assert rights["Role"].keys() - shared == {
        "TakeEvents",
        "LeaveLargeObjectsToTheJob",
        "NoteThatARecordIsLate",
        "SignRecordsInTheFunction",
        "WriteItsLog",
    }
    assert rights["LargeObjectRole"].keys() - shared == {
        "ReadCode",
        "SignRecordsInAJob",
        "WriteJobLogs",
    }


@pytest.mark.parametrize(("stack", "name", "group"), of_type("AWS::Logs::LogGroup"))
def test_every_log_is_encrypted_and_ends_and_outlives_its_stack(
    stack: str, name: str, group: Mapping[str, Any]
) -> None:
    resource = LOADED[stack]["Resources"][name]
    assert resource["DeletionPolicy"] == "RetainExceptOnCreate"
    assert group["RetentionInDays"] == {"Ref": "LogDays"}
    assert group["KmsKeyId"] == {"Ref": "KeyArn" if stack == "mwaa" else "LogKeyArn"}


def test_a_flood_of_uploads_and_other_functions_leave_each_other_alone() -> None:
    resources = LOADED["recorder"]["Resources"]
    reserved = resources["Function"]["Properties"]["ReservedConcurrentExecutions"]
    assert reserved["Fn::If"][:2] == ["Reserves", {"Ref": "Concurrency"}]
    mapping = resources["Subscription"]["Properties"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": {"Ref": "Concurrency"}}


@pytest.mark.parametrize(("stack", "name", "function"), of_type("AWS::Lambda::Function"))
def test_a_functions_handler_exists(stack: str, name: str, function: Mapping[str, Any]) -> None:
    *module, handler = function["Handler"].split(".")
    source = Path(REPOSITORY, "lambda", module[0], *module).with_suffix(".py")
    assert f"\ndef {handler}(" in source.read_text()
    set_ = function["Environment"]["Variables"].keys()
    read = set(re.findall(r'env\["([A-Z_]+)"\]', source.read_text()))
    assert set_ == read


@pytest.mark.parametrize(("stack", "name", "policy"), of_type("AWS::SQS::QueuePolicy"))
def test_every_queue_wants_tls_and_knows_its_senders(
    stack: str, name: str, policy: Mapping[str, Any]
) -> None:
    denied = {s["Sid"]: s for s in statements(policy["PolicyDocument"]) if s["Effect"] == "Deny"}
    tls = denied.pop("DenyPlainTransport")
    assert (tls["Principal"], tls["Action"]) == ("*", "sqs:*")
    assert tls["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    (senders,) = denied.values()
    assert (senders["Principal"], senders["Action"]) == ("*", "sqs:SendMessage")
    if name == "QueuePolicy":
        # Both at once: what S3 sends for our buckets passes, and what who deploys sends.
        assert senders["Condition"] == {
            "ArnNotLike": {
                "aws:SourceArn": {"Fn::Sub": "arn:${AWS::Partition}:s3:::${Project}-${Stage}-*"},
                "aws:PrincipalArn": {"Ref": "DeployerArns"},
            }
        }
    else:
        assert "Condition" not in senders


@pytest.mark.parametrize(
    ("stack", "name", "queue"),
    [case for case in of_type("AWS::SQS::Queue") if "dlq" not in str(case.values[2]["QueueName"])],
)
def test_a_message_that_keeps_failing_is_kept(
    stack: str, name: str, queue: Mapping[str, Any]
) -> None:
    assert "-dlq" in plain(queue["RedrivePolicy"]["deadLetterTargetArn"])
    mappings = [r["Properties"] for _, _, r in RESOURCES if r["Type"].endswith("SourceMapping")]
    assert [m["FunctionResponseTypes"] for m in mappings] == [["ReportBatchItemFailures"]]
