"""A stack as CloudFormation describes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from infra.deployment.templates.reading import STACK


@dataclass(frozen=True)
class Stack:
    """What is known of a stack that exists."""

    name: str
    arn: str
    status: str
    parameters: Mapping[str, str]
    outputs: Mapping[str, str]

    @property
    def exists(self) -> bool:
        """Whether it has been made; a change set alone makes an empty one."""
        return self.status != "REVIEW_IN_PROGRESS"

    @property
    def kept(self) -> Mapping[str, str]:
        """The values that the next deployment may keep: none of a stack that is begun anew."""
        return self.parameters if self.exists and self.status != "ROLLBACK_COMPLETE" else {}

    @property
    def in_progress(self) -> bool:
        """Whether it changes just now."""
        return self.status.endswith("_IN_PROGRESS") and self.exists


def find(cloudformation: Any, name: str) -> Stack | None:
    """A stack by its name or ARN; None if there is none, or it is deleted."""
    try:
        described = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    if described["StackStatus"] == "DELETE_COMPLETE":
        return None
    return Stack(
        name=described["StackName"],
        arn=described["StackId"],
        status=described["StackStatus"],
        parameters={
            one["ParameterKey"]: one["ParameterValue"] for one in described.get("Parameters", [])
        },
        outputs={one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])},
    )


@dataclass(frozen=True)
class Resource:
    """A resource of a stack."""

    stack: str
    """The ARN of its stack."""
    name: str
    kind: str
    physical_id: str


def tree(cloudformation: Any, stack: str) -> Iterator[Resource]:
    """The resources of a stack and of those nested in it; a nested stack comes before its own."""
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    for summary in (one for page in pages for one in page["StackResourceSummaries"]):
        physical_id = summary.get("PhysicalResourceId", "")
        resource = Resource(
            stack, summary["LogicalResourceId"], summary["ResourceType"], physical_id
        )
        if physical_id and summary["ResourceStatus"] != "DELETE_COMPLETE":
            yield resource
            if resource.kind == STACK:
                yield from tree(cloudformation, physical_id)
