"""`AWS::CloudTrail::Trail`, which ministack's CloudFormation lacks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ministack.services import cloudtrail

from localaws.cloudformation.bucketproperties import truth
from localaws.cloudformation.provisioners.registry import Made, physical_name, provide, succeed

_TRAIL = "AWS::CloudTrail::Trail"
# Property of the type, parameter of CreateTrail and UpdateTrail.
_TRAIL_PARAMETERS = {
    "EnableLogFileValidation": "EnableLogFileValidation",
    "IncludeGlobalServiceEvents": "IncludeGlobalServiceEvents",
    "IsMultiRegionTrail": "IsMultiRegionTrail",
    "KMSKeyId": "KmsKeyId",
    "S3BucketName": "S3BucketName",
    "S3KeyPrefix": "S3KeyPrefix",
}
_TRAIL_BOOLEANS = frozenset(
    {"EnableLogFileValidation", "IncludeGlobalServiceEvents", "IsMultiRegionTrail"}
)
_TRAIL_OTHERS = frozenset({"AdvancedEventSelectors", "EventSelectors", "IsLogging", "TrailName"})


def register() -> None:
    """Add the type."""
    provide(_TRAIL, _create_trail, _update_trail, _delete_trail)


def _create_trail(logical_id: str, properties: Mapping[str, Any], stack_name: str) -> Made:
    name = properties.get("TrailName") or physical_name(stack_name, logical_id)
    succeed(
        f"CreateTrail {name}",
        cloudtrail._create_trail({"Name": name, **_parameters(properties)}),  # noqa: SLF001
    )
    _select_and_log(name, properties)
    return name, _trail_attributes(name)


def _update_trail(
    physical_id: str, old: Mapping[str, Any], new: Mapping[str, Any], stack_name: str
) -> Made:
    name = new.get("TrailName", physical_id)
    if name != physical_id:
        created = _create_trail(name, new, stack_name)
        _delete_trail(physical_id, old)
        return created
    changed = {"Name": name, **_parameters(new)}
    if "KMSKeyId" in old and "KMSKeyId" not in new:
        changed["KmsKeyId"] = ""
    succeed(f"UpdateTrail {name}", cloudtrail._update_trail(changed))  # noqa: SLF001
    _select_and_log(name, new)
    return name, _trail_attributes(name)


def _delete_trail(physical_id: str, _properties: Mapping[str, Any]) -> None:
    status, _, body = cloudtrail._delete_trail({"Name": physical_id})  # noqa: SLF001
    if status != 404:
        succeed(f"DeleteTrail {physical_id}", (status, {}, body))


def _parameters(properties: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(properties) - set(_TRAIL_PARAMETERS) - _TRAIL_OTHERS - {"Tags"})
    if unknown:
        raise ValueError(f"the local AWS does not provide {', '.join(unknown)} of {_TRAIL}")
    return {
        parameter: truth(properties[name]) if name in _TRAIL_BOOLEANS else properties[name]
        for name, parameter in _TRAIL_PARAMETERS.items()
        if name in properties
    }


def _select_and_log(name: str, properties: Mapping[str, Any]) -> None:
    for kind in ("AdvancedEventSelectors", "EventSelectors"):
        if kind in properties:
            succeed(
                f"PutEventSelectors {name}",
                cloudtrail._put_event_selectors({"TrailName": name, kind: properties[kind]}),  # noqa: SLF001
            )
    log = cloudtrail._start_logging if truth(properties["IsLogging"]) else cloudtrail._stop_logging  # noqa: SLF001
    succeed(f"logging of {name}", log({"Name": name}))


def _trail_attributes(name: str) -> dict[str, Any]:
    return {"Arn": cloudtrail._trail_arn(name)}  # noqa: SLF001
