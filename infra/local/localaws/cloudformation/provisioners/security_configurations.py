"""`AWS::Glue::SecurityConfiguration`, which ministack's Glue keeps and its CloudFormation lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services import glue

from localaws.cloudformation.provisioners.registry import Made, physical_name, provide, succeed

_KIND = "AWS::Glue::SecurityConfiguration"
# Property of the type, member of CreateSecurityConfiguration.
_MEMBERS = {
    "CloudWatchEncryption": "CloudWatchEncryption",
    "JobBookmarksEncryption": "JobBookmarksEncryption",
    "S3Encryptions": "S3Encryption",
}


def register() -> None:
    """Add the type."""
    provide(_KIND, _create, _update, _delete)


def _create(logical_id: str, properties: Mapping[str, Any], stack_name: str) -> Made:
    name = properties.get("Name") or physical_name(stack_name, logical_id)
    wanted = properties["EncryptionConfiguration"]
    request = {
        "Name": name,
        "EncryptionConfiguration": {
            member: wanted[part] for part, member in _MEMBERS.items() if part in wanted
        },
    }
    succeed(f"CreateSecurityConfiguration {name}", glue._create_security_configuration(request))  # noqa: SLF001
    return name, {}


def _update(
    physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], stack_name: str
) -> Made:
    """Every change replaces it, and what has a name of its own cannot be replaced, as on AWS."""
    if old.get("EncryptionConfiguration") != new["EncryptionConfiguration"]:
        return _create(physical_id, new, stack_name)
    return physical_id, {}


def _delete(physical_id: str, _properties: Mapping[str, Any]) -> None:
    status, headers, body = glue._delete_security_configuration({"Name": physical_id})  # noqa: SLF001
    if b"EntityNotFoundException" not in body:
        succeed(f"DeleteSecurityConfiguration {physical_id}", (status, headers, body))
