"""`AWS::MWAA::Environment` over ministack's control plane of MWAA, which runs no Airflow here.

ministack keeps half of an environment's properties; the others are put beside them, so that
`GetEnvironment` tells them. As on AWS, the bucket must be versioned, and have the object versions
that the environment names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ministack.services import mwaa, s3

from localaws.cloudformation.provisioners.registry import Made, provide, succeed

_ENVIRONMENT = "AWS::MWAA::Environment"
_NUMBERS = ("MaxWebservers", "MaxWorkers", "MinWebservers", "MinWorkers", "Schedulers")
# Changing one makes another environment.
_FIXED = ("KmsKey", "Name", "NetworkConfiguration", "EndpointManagement")
# An object in the bucket, and its version.
_VERSIONED = {
    "PluginsS3Path": "PluginsS3ObjectVersion",
    "RequirementsS3Path": "RequirementsS3ObjectVersion",
    "StartupScriptS3Path": "StartupScriptS3ObjectVersion",
}


def register() -> None:
    """Add the type."""
    provide(_ENVIRONMENT, _create, _update, _delete)


def _create(_logical_id: str, properties: Mapping[str, Any], _stack_name: str) -> Made:
    wanted = _wanted(properties)
    name = wanted["Name"]
    answer = mwaa._create_environment(  # noqa: SLF001
        "PUT", f"/environments/{name}", {}, json.dumps(wanted).encode(), {}
    )
    succeed(f"CreateEnvironment {name}", answer)
    return name, _keep(name, wanted)


def _update(name: str, old: Mapping[str, Any], new: Mapping[str, Any], stack_name: str) -> Made:
    wanted = _wanted(new)
    if any(old.get(part) != new.get(part) for part in _FIXED):
        if old["Name"] == new["Name"]:
            raise ValueError(f"{name}: a change that needs another environment needs another name")
        created = _create(name, new, stack_name)
        _delete(name, old)
        return created
    answer = mwaa._update_environment(  # noqa: SLF001
        "PATCH", f"/environments/{name}", {}, json.dumps(wanted).encode(), {}
    )
    succeed(f"UpdateEnvironment {name}", answer)
    return name, _keep(name, wanted)


def _delete(name: str, _properties: Mapping[str, Any]) -> None:
    answer = mwaa._delete_environment("DELETE", f"/environments/{name}", {}, b"", {})  # noqa: SLF001
    if answer[0] != 404:
        succeed(f"DeleteEnvironment {name}", answer)


def _wanted(properties: Mapping[str, Any]) -> dict[str, Any]:
    bucket = properties["SourceBucketArn"].rpartition(":")[2]
    if s3._bucket_versioning.get(bucket) != "Enabled":  # noqa: SLF001
        raise ValueError(f"{bucket} must be there, and versioned")
    for path, version in _VERSIONED.items():
        if path in properties:
            _find(bucket, properties[path], properties[version])
    numbers = {part: int(properties[part]) for part in _NUMBERS if part in properties}
    return {**properties, **numbers}


def _find(bucket: str, key: str, version: str) -> None:
    versions = s3._object_versions.get((bucket, key), [])  # noqa: SLF001
    if not any(entry["version_id"] == version for entry in versions):
        raise ValueError(f"s3://{bucket}/{key} has no version {version}")


def _keep(name: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    environment = mwaa._environments[name]  # noqa: SLF001
    environment.update(wanted)
    return {"Arn": environment["Arn"]}
