"""CloudWatch metrics: the numbers that alarms watch (`infra/cloudformation/observability.yaml`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

NAMESPACE: Final = "Custody"
"""The only one that Airflow's role may publish to."""


def publish(cloudwatch: Any, deployment: str, numbers: Mapping[str, int]) -> None:
    """Publish a number for each metric, of one deployment (`<project>-<stage>`)."""
    dimensions = [{"Name": "Deployment", "Value": deployment}]
    cloudwatch.put_metric_data(
        Namespace=NAMESPACE,
        MetricData=[
            {"MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": "Count"}
            for name, value in numbers.items()
        ],
    )
