"""What CloudFormation calls for alarms, dashboards, rules and budgets."""

from __future__ import annotations

from collections.abc import Iterator

from localaws.cloudformation.rights.model import Call, Change, Rights


def _passed(change: Change) -> Iterator[Call]:
    for target in change.new.get("Targets", []):
        yield from change.passes(target.get("RoleArn"), "events")


def _budget(change: Change) -> Iterator[Call]:
    name = change.properties["Budget"]["BudgetName"]
    for action in ("budgets:ModifyBudget", "budgets:ViewBudget"):
        yield Call(action, change.fill("arn:aws:budgets::{account}:budget/") + name)


RIGHTS = {
    "AWS::CloudWatch::Alarm": Rights(
        "arn:aws:cloudwatch:{region}:{account}:alarm:{AlarmName}",
        create=("cloudwatch:PutMetricAlarm", "cloudwatch:TagResource"),
        update=("cloudwatch:PutMetricAlarm",),
        delete=("cloudwatch:DeleteAlarms",),
        read=("cloudwatch:DescribeAlarms", "cloudwatch:ListTagsForResource"),
        changed={"Tags": ("cloudwatch:TagResource", "cloudwatch:UntagResource")},
    ),
    "AWS::CloudWatch::Dashboard": Rights(
        "arn:aws:cloudwatch::{account}:dashboard/{DashboardName}",
        create=("cloudwatch:PutDashboard", "cloudwatch:TagResource"),
        update=("cloudwatch:PutDashboard",),
        delete=("cloudwatch:DeleteDashboards",),
        read=("cloudwatch:GetDashboard", "cloudwatch:ListTagsForResource"),
    ),
    "AWS::Events::Rule": Rights(
        "arn:aws:events:{region}:{account}:rule/{Name}",
        create=("events:PutRule", "events:PutTargets", "events:TagResource"),
        update=("events:PutRule", "events:PutTargets", "events:RemoveTargets"),
        delete=("events:DeleteRule", "events:RemoveTargets"),
        read=("events:DescribeRule", "events:ListTagsForResource", "events:ListTargetsByRule"),
        changed={"Tags": ("events:TagResource", "events:UntagResource")},
        more=_passed,
    ),
    # No schema says what a budget needs: "Actions, resources, and condition keys for AWS Budget
    # Service" in AWS's Service Authorization Reference.
    "AWS::Budgets::Budget": Rights("*", more=_budget),
}
