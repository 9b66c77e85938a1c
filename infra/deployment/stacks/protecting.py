"""Keeps a deployed stack from being deleted, and its evidence from being replaced, by mistake."""

from __future__ import annotations

import json
from typing import Any, Final

from infra.deployment.stacks.description import tree

_EVIDENCE: Final = ("AWS::CloudTrail::Trail", "AWS::S3::Bucket", "AWS::S3::BucketPolicy")
"""No update may replace or remove these. Not keys: a signing key is replaced by a new one now and
then, and the old one stays."""

_POLICY: Final = json.dumps(
    {
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"},
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["Update:Replace", "Update:Delete"],
                "Resource": "*",
                "Condition": {"StringEquals": {"ResourceType": list(_EVIDENCE)}},
            },
        ]
    }
)


def protect(cloudformation: Any, stack: str) -> None:
    """Let no update remove evidence from a stack or those nested in it, and nobody delete it.

    A stack policy holds for one stack, so each nested one that holds evidence has it too.
    """
    resources = list(tree(cloudformation, stack))
    holding = {one.stack for one in resources if one.kind in _EVIDENCE}
    for arn in sorted(holding):
        cloudformation.set_stack_policy(StackName=arn, StackPolicyBody=_POLICY)
    cloudformation.update_termination_protection(StackName=stack, EnableTerminationProtection=True)


def unprotect(cloudformation: Any, stack: str) -> None:
    """Let a stack be deleted."""
    cloudformation.update_termination_protection(StackName=stack, EnableTerminationProtection=False)
