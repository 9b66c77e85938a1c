"""`AWS::Glue::DataCatalogEncryptionSettings`, of which an account has one in each region."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.cloudformation.provisioners.registry import Made, provide
from localaws.glue import encryption

# Property of the type, member of PutDataCatalogEncryptionSettings.
_MEMBERS = {"KmsKeyId": "AwsKmsKeyId"}
_KIND = "AWS::Glue::DataCatalogEncryptionSettings"


def register() -> None:
    """Add the type."""
    provide(_KIND, _create, _update, _delete)


def _create(_logical_id: str, properties: Mapping[str, Any], _stack_name: str) -> Made:
    settings = properties["DataCatalogEncryptionSettings"]
    passwords = {
        _MEMBERS.get(name, name): value
        for name, value in settings.get("ConnectionPasswordEncryption", {}).items()
    }
    given = {"ConnectionPasswordEncryption": passwords} if passwords else {}
    encryption.put({**settings, **given})
    return str(properties["CatalogId"]), {}


def _update(
    _physical_id: str, _old: Mapping[str, Any], new: Mapping[str, Any], stack_name: str
) -> Made:
    return _create("", new, stack_name)


def _delete(_physical_id: str, _properties: Mapping[str, Any]) -> None:
    encryption.put({})
