"""Every status in which a stack may be found has a way out, or needs none."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from infra.deployment.stacks.description import Resource
from infra.deployment.stacks.remedies import (
    DEPLOYABLE,
    GOES_ON,
    before_the_next,
    failure,
    remedy,
)
from mypy_boto3_cloudformation.literals import StackStatusType

SETTLED: list[Any] = [
    status for status in get_args(StackStatusType) if not status.endswith("_IN_PROGRESS")
]


@pytest.mark.parametrize("status", SETTLED)
def test_every_status_has_a_way_out(status: str) -> None:
    if status in ("DELETE_COMPLETE", "IMPORT_ROLLBACK_FAILED"):
        return  # no stack, or one that only an import leaves, and nothing is imported here
    assert status in DEPLOYABLE or "run the same command again" in remedy("s", status)


@pytest.mark.parametrize(
    ("status", "command"),
    [
        ("ROLLBACK_FAILED", "delete-stack --stack-name s"),
        ("DELETE_FAILED", "delete-stack --stack-name s --deletion-mode FORCE_DELETE_STACK"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback --stack-name s"),
        ("UPDATE_FAILED", "rollback-stack --stack-name s"),
    ],
)
def test_the_remedy_names_the_command(status: str, command: str) -> None:
    assert f"\n  aws cloudformation {command}" in remedy("s", status)


@pytest.mark.parametrize("status", sorted(GOES_ON))
def test_evidence_is_never_deleted_to_begin_anew(status: str) -> None:
    said = remedy("s", status, is_undone=False)
    assert "goes on from there" in said
    assert "delete" not in said


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("Log CREATE_FAILED (AWS::Logs::LogGroup 's' already exists.)", True),
        ("Log CREATE_FAILED (Resource handler returned message: Access denied)", False),
    ],
)
def test_what_stayed_of_a_deleted_stack_is_told_to_bar_the_way(reason: str, told: bool) -> None:
    said = failure("s", "ROLLBACK_COMPLETE", [reason])
    assert ("docs/deploy.md says under 'Take it down'" in said) is told


def test_before_a_stack_is_made_again_its_logs_must_go_and_its_buckets_bar_it() -> None:
    log = Resource("arn:s", "Log", "AWS::Logs::LogGroup", "/aws/lambda/s")
    bucket = Resource("arn:s", "Raw", "AWS::S3::Bucket", "s-raw")
    assert list(before_the_next([log]))[1:] == [
        "  aws logs delete-log-group --log-group-name /aws/lambda/s"
    ]
    assert "under another `project`" in next(before_the_next([bucket]))
    assert list(before_the_next([Resource("arn:s", "Key", "AWS::KMS::Key", "k")])) == []
