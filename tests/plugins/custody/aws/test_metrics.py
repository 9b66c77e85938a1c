"""Numbers in CloudWatch, as the alarms look for them."""

from datetime import UTC, datetime, timedelta

import boto3
from moto import mock_aws
from tests.support.moto_aws import REGION

from custody.aws import metrics


def test_a_number_is_found_under_its_deployment() -> None:
    with mock_aws():
        cloudwatch = boto3.client("cloudwatch", region_name=REGION)
        metrics.publish(cloudwatch, "custody-test", {"AuditSucceeded": 1, "TrailBroken": 3})
        now = datetime.now(UTC)
        sums = {
            name: cloudwatch.get_metric_statistics(
                Namespace="Custody",
                MetricName=name,
                Dimensions=[{"Name": "Deployment", "Value": "custody-test"}],
                StartTime=now - timedelta(hours=1),
                EndTime=now + timedelta(hours=1),
                Period=3600,
                Statistics=["Sum"],
            )["Datapoints"]
            for name in ("AuditSucceeded", "TrailBroken")
        }
    assert {name: [p["Sum"] for p in points] for name, points in sums.items()} == {
        "AuditSucceeded": [1.0],
        "TrailBroken": [3.0],
    }
