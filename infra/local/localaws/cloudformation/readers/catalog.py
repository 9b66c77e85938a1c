"""What queries need: Glue's catalog and Athena."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.cloudformation.readers.apis import Apis, Properties, Reader


def _glue_database(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    return {"DatabaseInput": apis.client("glue").get_database(Name=name)["Database"]}


def _workgroup(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    group = apis.client("athena").get_work_group(WorkGroup=name)["WorkGroup"]
    return {**group, "WorkGroupConfiguration": group["Configuration"]}


def _catalog_encryption(apis: Apis, _id: str, _wanted: Mapping[str, Any]) -> Properties:
    told = apis.client("glue").get_data_catalog_encryption_settings()
    settings = told["DataCatalogEncryptionSettings"]
    passwords = settings["ConnectionPasswordEncryption"]
    named = {**passwords, "KmsKeyId": passwords.get("AwsKmsKeyId")}
    return {"DataCatalogEncryptionSettings": {**settings, "ConnectionPasswordEncryption": named}}


READERS: dict[str, Reader] = {
    "AWS::Athena::WorkGroup": _workgroup,
    "AWS::Glue::DataCatalogEncryptionSettings": _catalog_encryption,
    "AWS::Glue::Database": _glue_database,
}
NOT_READ = {
    "AWS::Athena::WorkGroup": frozenset(
        {"RecursiveDeleteOption"}
    ),  # says how to delete it; AWS does not tell it either
    "AWS::Glue::DataCatalogEncryptionSettings": frozenset({"CatalogId"}),  # the same
    "AWS::Glue::Database": frozenset({"CatalogId"}),  # always the caller's account
}
