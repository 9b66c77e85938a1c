"""What calls people: each alarm's metric exists, and each is explained."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from infra.build import REPOSITORY
from tests.infra.cloudformation.templates.loaded import LOADED, of_type, plain

from custody.aws.metrics import NAMESPACE

# Metric and dimension, as AWS's pages name them; nothing here can see AWS publish them.
AWS_METRICS = {
    # "Available CloudWatch metrics for Amazon SQS", SQS's developer guide
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): "QueueName",
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): "QueueName",
    # "Types of metrics for Lambda functions", Lambda's developer guide
    ("AWS/Lambda", "Duration"): "FunctionName",
    ("AWS/Lambda", "Errors"): "FunctionName",
    ("AWS/Lambda", "Invocations"): "FunctionName",
    ("AWS/Lambda", "Throttles"): "FunctionName",
    # "Monitoring Amazon SNS topics using CloudWatch", SNS's developer guide
    ("AWS/SNS", "NumberOfNotificationsFailed"): "TopicName",
    # "Using S3 Replication metrics", S3's user guide: the first in the region of the copy, the
    # other in that of what is copied; with bucket, copy and rule as dimensions
    ("AWS/S3", "ReplicationLatency"): "SourceBucket",
    ("AWS/S3", "OperationsFailedReplication"): "SourceBucket",
}
TOPIC = "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:${Project}-${Stage}-alarms"
CALLING = of_type("AWS::CloudWatch::Alarm", "AWS::Events::Rule")


def published() -> set[str]:
    """The metrics that the DAGs publish."""
    dags = " ".join(file.read_text() for file in (REPOSITORY / "dags").glob("*.py"))
    reporting = (REPOSITORY / "plugins/custody/tasks/telling/reporting.py").read_text()
    success = re.findall(r'success_metric="(\w+)"', dags)
    return {*success, *re.findall(r'\{metric: .+?, "(\w+)": ', reporting)}


@pytest.mark.parametrize(("stack", "name", "alarm"), of_type("AWS::CloudWatch::Alarm"))
def test_an_alarm_watches_a_metric_that_somebody_publishes(
    stack: str, name: str, alarm: Mapping[str, Any]
) -> None:
    dimension, *others = alarm["Dimensions"]
    copied = ["DestinationBucket", "RuleId"] if alarm["Namespace"] == "AWS/S3" else []
    assert [other["Name"] for other in others] == copied
    if alarm["Namespace"] == NAMESPACE:
        assert alarm["MetricName"] in published()
        assert dimension == {
            "Name": "Deployment",
            "Value": {"Fn::Sub": "${Project}-${Stage}"},
        }
    else:
        assert AWS_METRICS[alarm["Namespace"], alarm["MetricName"]] == dimension["Name"]
    seconds = alarm["Period"] * alarm["EvaluationPeriods"]
    # PutMetricAlarm: a day, or seven of periods of an hour and more.
    assert seconds <= (7 * 86_400 if alarm["Period"] >= 3600 else 86_400)


@pytest.mark.parametrize(
    ("metric", "most_hours"), [("ReconciliationSucceeded", 2), ("AuditSucceeded", 26)]
)
def test_a_dag_that_does_not_succeed_is_noticed_outside_airflow(
    metric: str, most_hours: int
) -> None:
    """Whatever the reason: that it fails, is paused, or Airflow is away publishes nothing, and
    nothing is a breach."""
    (alarm,) = (
        alarm
        for case in of_type("AWS::CloudWatch::Alarm")
        for alarm in [case.values[2]]
        if alarm["MetricName"] == metric
    )
    assert alarm["TreatMissingData"] == "breaching"
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)
    assert alarm["Statistic"] == "Sum"
    assert alarm["Period"] * alarm["EvaluationPeriods"] == most_hours * 3600
    # One success in the time is enough, and none is too few: no number of points in between.
    assert "DatapointsToAlarm" not in alarm
    assert alarm.get("ActionsEnabled", True) is True
    # CloudWatch publishes there itself, and Airflow may not.
    assert alarm["AlarmActions"] == [{"Ref": "AlarmTopicArn"}]


def test_the_dashboard_shows_metrics_that_exist() -> None:
    body = LOADED["observability"]["Resources"]["Dashboard"]["Properties"]["DashboardBody"]
    text = body["Fn::Sub"].replace("${Project}-${Stage}", "p-s").replace("${AWS::Region}", "r")
    shown = set()
    for widget in json.loads(text)["widgets"]:
        before = ["", ""]
        for metric in widget["properties"]["metrics"]:
            named = [old if new == "." else new for old, new in zip(before, metric, strict=False)]
            before = named
            shown.add((named[0], named[1]))
    assert {metric for namespace, metric in shown if namespace == NAMESPACE} == published()
    assert {each for each in shown if each[0] != NAMESPACE} <= AWS_METRICS.keys()


@pytest.mark.parametrize(
    ("stack", "name", "resource"), [case for case in CALLING if "globalevents" not in case.id]
)
def test_who_is_called_finds_what_to_do(stack: str, name: str, resource: Mapping[str, Any]) -> None:
    full = plain(resource.get("AlarmName") or resource["Name"])
    assert full.startswith("${Project}-${Stage}-"), "the topic takes no others"
    operations = (REPOSITORY / "docs" / "operations.md").read_text()
    assert f"`{full.removeprefix('${Project}-${Stage}-')}`" in operations
    for document in re.findall(r"docs/[\w/-]+\.md", resource.get("AlarmDescription", "")):
        assert (REPOSITORY / document).is_file()
    # Of the region that the alarm is in, whose stack may not have been told which.
    topic = {
        "replica": {"Ref": "Topic"},
        "replication": {"Fn::Sub": TOPIC},
    }.get(stack, {"Ref": "AlarmTopicArn"})
    if "Targets" in resource:
        assert [target["Arn"] for target in resource["Targets"]] == [topic]
    else:
        assert (resource["AlarmActions"], resource["OKActions"]) == ([topic], [topic])
