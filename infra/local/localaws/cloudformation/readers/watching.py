"""What watches: CloudTrail, CloudWatch, EventBridge and Budgets."""

from __future__ import annotations

import json
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


def _alarm(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    alarms = apis.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return dict(alarms[0])


def _dashboard(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    return dict(apis.client("cloudwatch").get_dashboard(DashboardName=name))


def _rule(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    events = apis.client("events")
    rule = events.describe_rule(Name=name)
    return {
        **rule,
        "EventPattern": json.loads(rule["EventPattern"]),
        "Targets": events.list_targets_by_rule(Rule=name)["Targets"],
    }


def _budget(apis: Apis, name: str, _wanted: Mapping[str, Any]) -> Properties:
    budgets = apis.client("budgets")
    which = {"AccountId": apis.account_id, "BudgetName": name}
    notifications = budgets.describe_notifications_for_budget(**which)["Notifications"]
    return {
        "Budget": budgets.describe_budget(**which)["Budget"],
        "NotificationsWithSubscribers": [
            {
                "Notification": notification,
                "Subscribers": budgets.describe_subscribers_for_notification(
                    **which, Notification=notification
                )["Subscribers"],
            }
            for notification in notifications
        ],
    }


READERS: dict[str, Reader] = {
    "AWS::Budgets::Budget": _budget,
    "AWS::CloudWatch::Alarm": _alarm,
    "AWS::CloudWatch::Dashboard": _dashboard,
    "AWS::Events::Rule": _rule,
    "AWS::CloudTrail::Trail": _trail,
    "AWS::Logs::LogGroup": _log_group,
}
