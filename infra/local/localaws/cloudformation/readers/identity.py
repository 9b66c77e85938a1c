"""IAM and KMS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from localaws.cloudformation.readers.apis import Apis, Properties, Reader


def _iam_role(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    iam = apis.client("iam")
    role = iam.get_role(RoleName=name)["Role"]
    inline = iam.list_role_policies(RoleName=name)["PolicyNames"]
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    return {
        "RoleName": name,
        "Description": role.get("Description"),
        "MaxSessionDuration": role.get("MaxSessionDuration"),
        "AssumeRolePolicyDocument": role["AssumeRolePolicyDocument"],
        "Policies": [
            {
                "PolicyName": policy,
                "PolicyDocument": iam.get_role_policy(RoleName=name, PolicyName=policy)[
                    "PolicyDocument"
                ],
            }
            for policy in inline
        ],
        "ManagedPolicyArns": [policy["PolicyArn"] for policy in attached],
        "PermissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
    }


def _managed_policy(apis: Apis, arn: str, _wanted: Mapping[str, Any]) -> Properties:
    iam = apis.client("iam")
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    version = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])
    attached = iam.list_entities_for_policy(PolicyArn=arn)
    return {
        "ManagedPolicyName": policy["PolicyName"],
        "Description": policy.get("Description"),
        "PolicyDocument": version["PolicyVersion"]["Document"],
        "Roles": [role["RoleName"] for role in attached["PolicyRoles"]],
    }


def _kms_key(apis: Apis, key_id: str, wanted: Mapping[str, Any]) -> Properties:
    kms = apis.client("kms")
    metadata = kms.describe_key(KeyId=key_id)["KeyMetadata"]
    found = {name: metadata[name] for name in ("Description", "KeySpec", "KeyUsage", "Enabled")}
    found["KeyPolicy"] = json.loads(
        kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]
    )
    if "EnableKeyRotation" in wanted:
        found["EnableKeyRotation"] = kms.get_key_rotation_status(KeyId=key_id)["KeyRotationEnabled"]
    return found


def _kms_alias(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    pages = apis.client("kms").get_paginator("list_aliases").paginate()
    targets = {a["AliasName"]: a.get("TargetKeyId") for page in pages for a in page["Aliases"]}
    return {"AliasName": name, "TargetKeyId": targets.get(name)}


READERS: dict[str, Reader] = {
    "AWS::IAM::ManagedPolicy": _managed_policy,
    "AWS::IAM::Role": _iam_role,
    "AWS::KMS::Alias": _kms_alias,
    "AWS::KMS::Key": _kms_key,
}
NOT_READ = {
    "AWS::KMS::Key": frozenset({"PendingWindowInDays"}),  # of a deletion that has not begun
}
