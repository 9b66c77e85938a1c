"""What watches: CloudTrail and log groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from localaws.cloudformation.readers.apis import Apis, Properties, Reader


def _trail(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    cloudtrail = apis.client("cloudtrail")
    trail = cloudtrail.get_trail(Name=name)["Trail"]
    selectors = cloudtrail.get_event_selectors(TrailName=name)
    return {
        **trail,
        "TrailName": trail["Name"],
        "KMSKeyId": trail.get("KmsKeyId"),
        "EnableLogFileValidation": trail["LogFileValidationEnabled"],
        "IsLogging": cloudtrail.get_trail_status(Name=name)["IsLogging"],
        "AdvancedEventSelectors": selectors.get("AdvancedEventSelectors"),
        "EventSelectors": selectors.get("EventSelectors"),
    }


def _log_group(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    groups = apis.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    group = next(group for group in groups if group["logGroupName"] == name)
    return {
        "LogGroupName": name,
        "RetentionInDays": group.get("retentionInDays"),
        "KmsKeyId": group.get("kmsKeyId"),
    }


READERS: dict[str, Reader] = {
    "AWS::CloudTrail::Trail": _trail,
    "AWS::Logs::LogGroup": _log_group,
}
