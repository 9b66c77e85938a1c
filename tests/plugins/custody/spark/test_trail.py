"""The trail's events on Spark."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from pyspark.sql import SparkSession
from tests.support.removals import call

from custody.spark.trail import latest

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def test_the_last_event_about_an_object_is_found(spark: SparkSession) -> None:
    early = call(key="a", version="v1", event_id="e1", at=NOON)
    late = call(key="a", version="v2", event_id="e2", at=NOON + timedelta(seconds=1))
    other = call(key="b", version="v1", event_id="e3", at=NOON)
    later = call(key="a", version="v3", event_id="e4", at=NOON + timedelta(seconds=2))
    invented = replace(later, proven=False)
    events = spark.sparkContext.parallelize([invented, late, early, other, call()], 2)
    assert latest(events, [("raw", "a"), ("raw", "c")]) == {("raw", "a"): late}
    assert latest(events, []) == {}
