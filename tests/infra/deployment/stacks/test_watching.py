"""Watching a stack: until when, and what is said when it fails."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from infra.deployment.errors import Interrupted
from infra.deployment.stacks.remedies import failure
from infra.deployment.stacks.watching import End, Watch


class CloudFormation:
    """Answers with the events it is given: one more list for each look at the stack."""

    def __init__(self, looks: list[list[dict[str, str]]], nested: list[dict[str, str]]) -> None:
        self._looks = iter([*looks, *itertools.repeat(looks[-1], 3)])
        self._nested = nested

    def describe_stack_events(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        return {"StackEvents": self._nested if "nested" in StackName else next(self._looks)}


def event(number: int, status: str, logical: str = "s", **more: str) -> dict[str, str]:
    return {
        "EventId": str(number),
        "StackId": "arn:s",
        "PhysicalResourceId": "arn:s" if logical == "s" else f"arn:{logical}",
        "LogicalResourceId": logical,
        "ResourceStatus": status,
        "ResourceType": "AWS::CloudFormation::Stack",
        **more,
    }


def watch(
    looks: list[list[dict[str, str]]],
    nested: list[dict[str, str]] | None = None,
) -> tuple[End, list[str]]:
    """How it ended, and what was said meanwhile."""
    said: list[str] = []
    client = CloudFormation(looks, nested or [])
    end = Watch(client, said.append, lambda _seconds: None).until_over("s", seen={"0"})
    return end, said


def test_waits_for_the_end_of_this_change_not_of_the_one_before() -> None:
    before = event(0, "UPDATE_COMPLETE")
    started = event(1, "UPDATE_IN_PROGRESS")
    part = event(2, "UPDATE_COMPLETE", "Keys")
    cleaning = event(3, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    done = event(4, "UPDATE_COMPLETE")
    end, said = watch(
        [[before], [started, before], [cleaning, part, started, before], [done, cleaning]]
    )
    assert end == End("UPDATE_COMPLETE", ())
    assert said == [
        "s: s UPDATE_IN_PROGRESS",
        "s: Keys UPDATE_COMPLETE",
        "s: s UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "s: s UPDATE_COMPLETE",
    ]


def test_a_failure_is_explained_by_the_nested_stacks_own_resource() -> None:
    failed = event(1, "CREATE_FAILED", "nested", ResourceStatusReason="Embedded stack failed")
    stopped = event(2, "CREATE_FAILED", "Jobs", ResourceStatusReason="Resource creation cancelled")
    inner = event(
        9, "CREATE_FAILED", "Raw", ResourceStatusReason="exists", ResourceType="AWS::S3::Bucket"
    )
    end, _ = watch([[event(3, "ROLLBACK_COMPLETE"), stopped, failed]], [inner])
    assert end == End("ROLLBACK_COMPLETE", ("Raw CREATE_FAILED (exists)",))
    assert failure("s", end.status, end.reasons).splitlines()[:2] == [
        "s is ROLLBACK_COMPLETE:",
        "  Raw CREATE_FAILED (exists)",
    ]


def test_a_rolled_back_update_fails_too() -> None:
    failed = event(1, "UPDATE_FAILED", "Mail", ResourceType="AWS::SNS::Subscription")
    end, _ = watch([[event(2, "UPDATE_ROLLBACK_COMPLETE"), failed]])
    assert end == End("UPDATE_ROLLBACK_COMPLETE", ("Mail UPDATE_FAILED",))


def test_evidence_that_failed_is_not_deleted_but_gone_on_with() -> None:
    failed = event(1, "CREATE_FAILED", "Trail", ResourceType="AWS::CloudTrail::Trail")
    end, _ = watch([[event(2, "CREATE_FAILED"), failed]])
    said = failure("s", end.status, end.reasons, is_undone=False)
    assert "Trail CREATE_FAILED" in said
    assert "goes on from there" in said
    assert "delete-stack" not in said


@pytest.mark.parametrize("ended_meanwhile", [False, True])
def test_a_change_of_somebody_else_is_watched_from_its_beginning(ended_meanwhile: bool) -> None:
    before = [event(1, "CREATE_COMPLETE"), event(0, "CREATE_IN_PROGRESS")]
    running = [event(3, "UPDATE_COMPLETE", "Keys"), event(2, "UPDATE_IN_PROGRESS"), *before]
    look = [event(4, "UPDATE_COMPLETE"), *running] if ended_meanwhile else running
    client = CloudFormation([look], [])
    assert Watch(client, print).seen_before_running("s") == {"0", "1"}


def test_the_first_change_of_all_is_watched_from_its_beginning_too() -> None:
    client = CloudFormation([[event(0, "CREATE_IN_PROGRESS")]], [])
    assert Watch(client, print).seen_before_running("s") == set()


def test_who_interrupts_is_told_that_it_goes_on_and_how() -> None:
    def interrupt(_seconds: float) -> None:
        raise KeyboardInterrupt

    client = CloudFormation([[event(1, "UPDATE_IN_PROGRESS")]], [])
    with pytest.raises(Interrupted, match=r"goes on changing.*again.*cancel-update-stack"):
        Watch(client, print, interrupt).until_over("s", set())
