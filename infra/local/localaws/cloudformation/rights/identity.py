"""What CloudFormation calls for roles and policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ministack.services import iam

from localaws.cloudformation.rights.model import Call, Change, Rights

_ROLE = "arn:aws:iam::{account}:role/"


def _boundary(change: Change) -> Mapping[str, Any]:
    """Of the role as it is once the call is done: of one that exists, its own."""
    boundary = change.properties.get("PermissionsBoundary")
    return {"iam:PermissionsBoundary": boundary} if boundary else {}


def _policies(change: Change) -> Iterator[Call]:
    role, keys = change.fill(f"{_ROLE}{{RoleName}}"), _boundary(change)
    before, after = (
        {policy["PolicyName"]: policy for policy in properties.get("Policies", [])}
        for properties in (change.old, change.new)
    )
    if any(before.get(name) != policy for name, policy in after.items()):
        yield Call("iam:PutRolePolicy", role, keys)
    if before.keys() - after.keys():
        yield Call("iam:DeleteRolePolicy", role, keys)
    before_arns, after_arns = (
        set(properties.get("ManagedPolicyArns", [])) for properties in (change.old, change.new)
    )
    if after_arns - before_arns:
        yield Call("iam:AttachRolePolicy", role, keys)
    if before_arns - after_arns:
        yield Call("iam:DetachRolePolicy", role, keys)


def _attachments(change: Change) -> Iterator[Call]:
    """A managed policy that names the roles it is attached to; they have the boundary already."""
    before, after = (set(p.get("Roles", [])) for p in (change.old, change.new))
    for action, roles in (("Attach", after - before), ("Detach", before - after)):
        for role in sorted(roles):
            keys = _boundary_of(role)
            yield Call(f"iam:{action}RolePolicy", change.fill(_ROLE) + role, keys)


def _boundary_of(role: str) -> Mapping[str, Any]:
    boundary = (iam._roles.get(role) or {}).get("PermissionsBoundary")  # noqa: SLF001
    return {"iam:PermissionsBoundary": boundary} if boundary else {}


RIGHTS = {
    "AWS::IAM::Role": Rights(
        f"{_ROLE}{{RoleName}}",
        create=("iam:CreateRole", "iam:TagRole"),
        delete=("iam:DeleteRole",),
        read=(
            "iam:GetRole",
            "iam:GetRolePolicy",
            "iam:ListAttachedRolePolicies",
            "iam:ListRolePolicies",
        ),
        changed={
            "AssumeRolePolicyDocument": ("iam:UpdateAssumeRolePolicy",),
            "Description": ("iam:UpdateRole", "iam:UpdateRoleDescription"),
            "PermissionsBoundary": ("iam:PutRolePermissionsBoundary",),
            "Tags": ("iam:TagRole", "iam:UntagRole"),
        },
        keys=_boundary,
        more=_policies,
    ),
    "AWS::IAM::ManagedPolicy": Rights(
        "arn:aws:iam::{account}:policy/{ManagedPolicyName}",
        create=("iam:CreatePolicy",),
        delete=("iam:DeletePolicy", "iam:ListPolicyVersions"),
        read=("iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListEntitiesForPolicy"),
        changed={
            "PolicyDocument": (
                "iam:CreatePolicyVersion",
                "iam:DeletePolicyVersion",
                "iam:ListPolicyVersions",
            )
        },
        more=_attachments,
    ),
}
