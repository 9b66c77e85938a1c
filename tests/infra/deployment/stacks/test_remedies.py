"""Every status in which a stack may be found has a way out, or needs none."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from infra.deployment.stacks.remedies import DEPLOYABLE, GOES_ON, remedy
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
