"""Spark gives of an honest day the rows of the pure rules, by which false alarms are sought."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from pyspark.sql import SparkSession
from tests.plugins.custody.spark.reconcile.test_judging import WINDOW, in_order, unchecked
from tests.support.honest.hours import ONE_OF_EACH
from tests.support.honest.judging import judge_all, keys_at, policy_at
from tests.support.honest.places import START
from tests.support.honest.platform import live

from custody.spark.reconcile.judging import ledger

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


@pytest.mark.parametrize(
    ("hours", "verdicts"),
    [(14, {"PENDING", "CONTROL_CHANGED"}), (50, {"VERIFIED", "CONTROL_CHANGED"})],
    ids=["while records are late", "once all is there"],
)
def test_spark_gives_the_rows_that_the_rules_give(
    spark: SparkSession, hours: int, verdicts: set[str]
) -> None:
    late = [replace(hour, record_delay=30 * 3600, addendum_delay=7200) for hour in ONE_OF_EACH]
    history, context = live(late), spark.sparkContext
    # Nobody may deploy, so that there are findings too.
    policy = replace(policy_at(START + timedelta(hours=hours)), deployers=())
    at = policy.as_of
    found = ledger(
        context.parallelize(
            [log.read(proven=log.vouched <= at) for log in history.logs if log.delivered <= at], 2
        ),
        context.parallelize(
            [kept.read(keys_at(at)) for kept in history.records if kept.stored_at <= at], 2
        ),
        [],
        policy,
        WINDOW,
        unchecked,
        notes=history.notes,
    )
    rows = in_order(found.collect())
    assert rows == in_order(judge_all(history, policy))
    assert {row.verdict for row in rows} == verdicts
