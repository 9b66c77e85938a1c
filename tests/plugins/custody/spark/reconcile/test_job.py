"""A reconciliation writes the rows of its window."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from tests.plugins.custody.spark.reconcile.test_judging import WINDOW, unchecked
from tests.support.ledger_cases import CASES, read_case

from custody.core.ledger.hours.windows import BadWindow
from custody.spark.audit.job import audit
from custody.spark.audit.request import AuditRequest
from custody.spark.glue_runs import GlueRun
from custody.spark.ledger import Target
from custody.spark.reconcile.evidence import TrailEvidence
from custody.spark.reconcile.job import Records, reconcile, run


def test_a_run_that_is_asked_for_another_time_judges_nothing() -> None:
    """Airflow proposes when it is, in an XCom that its users edit; the job has a clock."""
    for late in (timedelta(days=2), -timedelta(hours=2)):
        glue_run = GlueRun("reconcile", "jr_1", {}, WINDOW.as_of + late, ())
        with pytest.raises(BadWindow, match="as_of"):
            reconcile(glue_run, WINDOW)
        with pytest.raises(BadWindow, match="as_of"):
            audit(glue_run, AuditRequest(WINDOW.as_of, timedelta(), 28, 2))
    # One version in a billion a day is none.
    now = GlueRun("audit", "jr_1", {}, WINDOW.as_of, ())
    with pytest.raises(BadWindow, match="sample_days"):
        audit(now, AuditRequest(WINDOW.as_of, timedelta(), 10**9, 2))


def test_only_rows_of_the_window_are_written_each_in_its_hour(
    spark: SparkSession, tmp_path: Path
) -> None:
    said = read_case(CASES / "pending_while_a_record_or_event_may_still_arrive")
    trail = TrailEvidence([], [])
    envelopes = spark.sparkContext.parallelize(said.envelopes, 1)
    none = spark.sparkContext.parallelize([], 1)
    judged = run(
        spark,
        trail,
        Records(envelopes, lambda _: none),
        said.policy,
        WINDOW,
        unchecked,
        lambda: None,
        Target(str(tmp_path / "out")),
    )
    written = spark.read.parquet(str(tmp_path / "out"))
    assert {(row["dt"].isoformat(), row["hour"]) for row in written.collect()} <= {
        ("2026-11-01", 6),
        ("2026-11-01", 7),
    }
    assert sum(judged.verdicts.values()) == written.count() > 0
    first = written.orderBy("event_time").first()
    assert first["window_end"] == datetime(2026, 11, 1, 8)  # noqa: DTZ001 - Spark's are naive
    assert first["as_of"] == datetime(2026, 11, 1, 8, 35)  # noqa: DTZ001
