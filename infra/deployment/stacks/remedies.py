"""What to do about a stack that cannot be deployed as it stands.

Each remedy is a command that works as printed; `docs/deploy.md` has the same table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from infra.deployment.stacks.description import Resource

DEPLOYABLE: Final = frozenset(
    {
        "CREATE_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
        "REVIEW_IN_PROGRESS",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
    }
)
"""Those of a stack that can be updated, or made."""


GOES_ON: Final = frozenset({"CREATE_FAILED", "UPDATE_FAILED"})
"""Those of a stack that is not undone when it fails: the next deployment goes on from there."""

_AGAIN: Final = "Mend the cause, then run the same command again"


def remedy(stack: str, status: str, is_undone: bool = True) -> str:
    """How to get a stack in this status to where it can be deployed again; empty if it can be."""
    if status in GOES_ON and not is_undone:
        return f"What is there stays. {_AGAIN}: it goes on from there"
    return _REMEDIES.get(status, "").format(stack=stack)


_DELETE: Final = "\n  aws cloudformation delete-stack --stack-name {stack}"
_REMEDIES: Final = {
    "ROLLBACK_COMPLETE": (
        f"The first deployment failed and was undone. {_AGAIN}: it deletes what is left of the "
        "stack, and begins anew"
    ),
    "UPDATE_ROLLBACK_COMPLETE": f"Everything is as it was before. {_AGAIN}",
    "ROLLBACK_FAILED": (
        "The first deployment failed, and some of it could not be deleted. Remove what is in its "
        f"way (see the reasons), delete the stack, then run the same command again:{_DELETE}"
    ),
    "DELETE_FAILED": (
        "Some of it could not be deleted. Remove what is in its way (see the reasons), delete the "
        f"stack, then run the same command again:{_DELETE}"
        "\nor delete all else, and look after what is left yourself:"
        f"{_DELETE} --deletion-mode FORCE_DELETE_STACK"
    ),
    "UPDATE_ROLLBACK_FAILED": (
        "The update failed, and could not be undone. Mend what the reasons name (often something "
        "was changed by hand), then let CloudFormation go on undoing:"
        "\n  aws cloudformation continue-update-rollback --stack-name {stack}"
        "\nWhat cannot be mended can be left as it is (--resources-to-skip, with its logical id). "
        "Then run the same command again"
    ),
    "CREATE_FAILED": f"Delete the stack, then run the same command again:{_DELETE}",
    "UPDATE_FAILED": (
        "The update failed and was not undone. Undo it, then run the same command again:"
        "\n  aws cloudformation rollback-stack --stack-name {stack}"
    ),
}


def failure(stack: str, status: str, reasons: Sequence[str], is_undone: bool = True) -> str:
    """What to tell when a stack is in this status, and why it got there."""
    said = "\n  ".join([f"{stack} is {status}:", *reasons])
    return f"{said}{way_out_of_names(reasons)}\n{remedy(stack, status, is_undone)}"


# The second is how CloudFormation refuses a change set before anything is made.
_NAME_IS_TAKEN: Final = ("already exists", "ResourceExistenceCheck")


def way_out_of_names(reasons: Sequence[str]) -> str:
    """What to add where a resource cannot be made, because its name is taken; else nothing."""
    if not any(words in reason for words in _NAME_IS_TAKEN for reason in reasons):
        return ""
    return (
        "\nA name is taken, often by what stayed of a stack that was deleted: docs/deploy.md says "
        "under 'Take it down' how to make way"
    )


def before_the_next(staying: Sequence[Resource]) -> Iterator[str]:
    """What has to be done before a deleted stack can be made again: CloudFormation makes nothing
    whose name is taken, and these stay of it."""
    logs = [one.physical_id for one in staying if one.kind == "AWS::Logs::LogGroup"]
    if logs:
        yield "Keep what you need of its logs. Before it is deployed again, delete them:"
        yield from (f"  aws logs delete-log-group --log-group-name {log}" for log in logs)
    if any(one.kind == "AWS::S3::Bucket" for one in staying):
        yield "While its buckets exist, it is deployed again under another `project` alone"
