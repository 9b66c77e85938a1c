"""Spark brings together what `custody.core.ledger.rows` then judges."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from pyspark.rdd import RDD
from pyspark.sql import SparkSession
from tests.support.ledger_cases import CASES, read_case, rows_of_case
from tests.support.management_records import (
    INSIDER,
    ROLE,
    partition_moved,
    role_taken,
    session,
    switched,
)
from tests.support.trail_records import put

from custody.core.ledger.hours.windows import Window
from custody.core.ledger.kinds.defects import DatedDefect, Outage
from custody.core.ledger.rows import LedgerRow
from custody.core.lineage.checking import LineageCheck
from custody.core.records.names import record_id, record_key
from custody.core.trail.events import TrailEvent
from custody.core.trail.log_files import LogContent, read_log
from custody.objects import ObjectVersion
from custody.spark.reconcile.judging import ledger

WINDOW = Window(
    start=datetime(2026, 11, 1, 6, tzinfo=UTC),
    end=datetime(2026, 11, 1, 8, tzinfo=UTC),
    as_of=datetime(2026, 11, 1, 8, 35, tzinfo=UTC),
    grace=timedelta(minutes=30),
)


def in_order(some: list[LedgerRow]) -> list[LedgerRow]:
    return sorted(some, key=repr)


def unchecked(written: RDD[TrailEvent]) -> RDD[LineageCheck]:
    """Lineage of which nothing is bad."""
    return written.filter(lambda _: False)


@pytest.mark.parametrize(
    "name",
    [
        "a_displaced_record_is_a_conflict",
        "conflict_of_records_names_the_one_who_is_not_the_recorder",
        "removals_are_rows_unless_a_writer_clears_its_working_files",
        "unwitnessed_names_the_uploader_as_cloudtrail_knows_him",
    ],
)
def test_spark_gives_the_rows_that_the_rules_give(spark: SparkSession, name: str) -> None:
    context, case = spark.sparkContext, CASES / name
    said = read_case(case)
    halves = [
        LogContent(said.log.log, said.log.events[::2], said.log.principals, ()),
        LogContent(said.log.log, said.log.events[1::2], said.log.principals, ()),
    ]
    found = ledger(
        context.parallelize(halves, 2),
        context.parallelize(said.envelopes, 2),
        [],
        said.policy,
        WINDOW,
        unchecked,
    )
    assert in_order(found.collect()) == in_order(list(rows_of_case(case)))


def test_a_key_of_ours_that_is_away_is_one_finding_and_accuses_no_uploader(
    spark: SparkSession,
) -> None:
    """However many records lie under it."""
    context, said = spark.sparkContext, read_case(CASES / "verified_shows_every_column")
    (write,) = (event for event in said.log.events if event.is_write)
    version = ObjectVersion(write.bucket, write.key or "", write.version_id or "")
    place = record_key(write.time, record_id(version))
    away = [
        replace(
            said.envelopes[0],
            stored=ObjectVersion("provenance", place, stored),
            claim=None,
            trouble="KMS.DisabledException",
            was_read=False,
            key_away="k-1",
        )
        for stored in ("p1", "p2")
    ]
    found = ledger(
        context.parallelize([said.log], 1),
        context.parallelize(away, 1),
        [],
        said.policy,
        WINDOW,
        unchecked,
    ).collect()
    assert {(row.verdict, row.object_key) for row in found} == {
        ("PENDING", version.key),
        ("CONTROL_CHANGED", "kms/key/k-1/state"),
    }
    assert sum(row.verdict == "CONTROL_CHANGED" for row in found) == 1


def test_what_is_wrong_with_the_trail_names_who_touched_it(spark: SparkSession) -> None:
    said = read_case(CASES / "removals_are_rows_unless_a_writer_clears_its_working_files")
    policy = said.policy
    object.__setattr__(policy, "layers", {**policy.layers, "trail": "trail"})
    defect = DatedDefect("trail", "AWSLogs/x", "null", WINDOW.start, "The log file was deleted.")
    unreadable = LogContent("AWSLogs/y", (), {}, ("Records[3].eventName: is missing",))
    found = ledger(
        spark.sparkContext.parallelize([said.log, unreadable], 2),
        spark.sparkContext.parallelize([], 1),
        [defect],
        policy,
        WINDOW,
        unchecked,
    )
    broken = {row.object_key: row for row in found.collect() if row.verdict == "TRAIL_BROKEN"}
    assert broken.keys() == {"AWSLogs/x", "AWSLogs/y"}
    assert broken["AWSLogs/x"].principal_arn == "arn:aws:iam::111122223333:user/crm-export"
    assert broken["AWSLogs/x"].verdict_reason.startswith("The log file was deleted.")
    assert "Records[3].eventName: is missing" in broken["AWSLogs/y"].verdict_reason


def test_management_events_name_who_is_behind_what_is_found(spark: SparkSession) -> None:
    """Of two logs, one tells who took the role, stopped the trail and moved a partition."""
    writes = json.dumps({"Records": [put(userIdentity=session("glue", "ASIA1"))]})
    calls = json.dumps(
        {
            "Records": [
                role_taken("glue", "ASIA1", INSIDER),
                switched("StopLogging", INSIDER, "06:10:00"),
                partition_moved(INSIDER, eventID="m3"),
            ]
        }
    )
    policy = replace(
        read_case(CASES / "pending_while_a_record_or_event_may_still_arrive").policy,
        as_of=WINDOW.as_of,
        layers={"raw": "bronze", "trail": "trail"},
        writers={"bronze": (f"{ROLE}glue",)},
        assumed_by={f"{ROLE}glue": ()},
        trail="custody-local",
        database="custody_local",
        deployment="custody-local",
    )
    gap = DatedDefect("trail", "d", "null", WINDOW.start, "A gap.", outage=Outage(None, None))
    rows = ledger(
        spark.sparkContext.parallelize(
            [read_log(log.encode(), log="log", proven=True) for log in (writes, calls)], 2
        ),
        spark.sparkContext.parallelize([], 1),
        [gap],
        policy,
        WINDOW,
        unchecked,
    ).collect()
    assert {row.principal_arn for row in rows} == {INSIDER["arn"]}
    (changed,) = (row for row in rows if row.verdict == "CONTROL_CHANGED")
    assert changed.object_key == "cloudtrail/trail/custody-local/logging"
    (broken,) = (row for row in rows if row.verdict == "TRAIL_BROKEN")
    assert f"{INSIDER['arn']} called StopLogging on {changed.object_key}" in broken.verdict_reason
    assert sorted(row.verdict for row in rows) == [
        "CONTROL_CHANGED",
        "TRAIL_BROKEN",
        "UNEXPECTED_PRINCIPAL",
        "UNRECORDED",
    ]
