"""Each record and lineage statement is read and checked once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from tests.plugins.custody.spark.reconcile.test_judging import WINDOW, in_order
from tests.support.landing_zone import PROVENANCE, LandingZone, MemoryS3
from tests.support.ledger_cases import CASES, read_case
from tests.support.trail_records import USER, put

from custody.core.ledger.rows import LedgerRow
from custody.core.lineage.trust import LineageKeys
from custody.core.records.check_table import RecordCheck
from custody.core.trail.log_files import LogContent, read_log
from custody.spark.checks import Checks
from custody.spark.reconcile.checking import (
    checked_records,
    checked_statements,
    records_by_name,
)
from custody.spark.reconcile.evidence import latest_record
from custody.spark.reconcile.judging import filed_elsewhere, ledger


class Unreadable(MemoryS3):
    """The same, but a read is an error: what was checked is not read again."""

    def get_object(self, **asked: Any) -> dict[str, Any]:
        raise AssertionError(f"read again: {asked}")


FILED = [date(2026, 11, 2)]
"""The day of the records that the zone makes."""


@pytest.fixture
def zone() -> LandingZone:
    zone = LandingZone()
    for number in range(5):
        zone.land(f"incoming/customers/dt=2026-11-01/{number}.csv", b"%d" % number)
    zone.s3.put(PROVENANCE, "provenance/incoming/dt=2026-11-02/not a record", b"rubbish", "p1")
    return zone


def test_each_record_is_verified_once(
    spark: SparkSession, zone: LandingZone, tmp_path: Path
) -> None:
    objects = zone.s3.objects

    def checked(client: type[MemoryS3], run: str, known: list[str]) -> Iterator[RecordCheck]:
        return checked_records(
            spark,
            PROVENANCE,
            FILED,
            zone.keys,
            lambda: client(objects),
            Checks(known, lambda day: str(tmp_path / f"dt={day}" / f"run={run}")),
        ).collect()

    first = checked(MemoryS3, "1", [])
    assert len(first) == 6
    assert [e.stored.key.rpartition("/")[2] for e in first if e.trouble] == ["not a record"]
    known = [str(path) for path in sorted(tmp_path.glob("dt=*"))]
    assert known == [str(tmp_path / "dt=2026-11-02")]
    again = checked(Unreadable, "2", known)
    assert sorted(again, key=repr) == sorted(first, key=repr)
    zone.land("incoming/customers/dt=2026-11-01/late.csv", b"late")
    assert len(checked(MemoryS3, "3", known)) == 7


def test_a_record_that_others_filed_under_another_day_is_read_by_its_key(
    spark: SparkSession, zone: LandingZone
) -> None:
    objects = zone.s3.objects
    (key, *_) = sorted(key for bucket, key in objects if bucket == PROVENANCE)
    _, log = statements(b"rubbish")
    policy = read_case(CASES / "pending_while_a_record_or_event_may_still_arrive").policy
    object.__setattr__(policy, "layers", {**policy.layers, PROVENANCE: "provenance"})
    copied = replace(log.events[0], key=key)
    logs = spark.sparkContext.parallelize([replace(log, events=(copied, *log.events))], 1)
    assert filed_elsewhere(logs, policy, FILED) == []
    assert filed_elsewhere(logs, policy, WINDOW.record_days) == [key]
    read = records_by_name(
        spark.sparkContext, PROVENANCE, [key], zone.keys, lambda: MemoryS3(objects)
    )
    (envelope,) = read.collect()
    assert (envelope.stored.key, envelope.trouble) == (key, None)
    assert latest_record(read) is None
    late = envelope.stored_at + timedelta(hours=9)
    moved = read.map(lambda found: replace(found, stored_at=late))
    assert latest_record(moved) == late


def statements(*bodies: bytes) -> tuple[dict[tuple[str, str], list[tuple[str, bytes]]], LogContent]:
    """Lineage statements as they are stored, and the log that tells of their writing."""
    objects, records = {}, []
    for number, body in enumerate(bodies):
        key, version = f"provenance/lineage/dt=2026-10-31/{number}.json", f"p{number}"
        objects[PROVENANCE, key] = [(version, body)]
        records.append(
            put(
                eventID=f"e{number}",
                requestParameters={"bucketName": PROVENANCE, "key": key},
                responseElements={"x-amz-version-id": version},
            )
        )
    content = json.dumps({"Records": records}).encode()
    return objects, read_log(content, log="log", proven=True, digest="digest")


def test_each_lineage_statement_is_verified_once_and_a_bad_one_is_a_finding(
    spark: SparkSession, zone: LandingZone, tmp_path: Path
) -> None:
    job = "arn:aws:glue:us-east-1:111122223333:job/to-silver"
    keys = LineageKeys({name: key.der for name, key in zone.keys.items()}, frozenset({job}))
    policy = read_case(CASES / "pending_while_a_record_or_event_may_still_arrive").policy
    object.__setattr__(policy, "layers", {**policy.layers, PROVENANCE: "provenance"})
    objects, log = statements(b"rubbish", b"{}")

    def found(client: type[MemoryS3], run: str, known: list[str]) -> list[LedgerRow]:
        checks = Checks(known, lambda day: str(tmp_path / f"dt={day}" / f"run={run}"))
        rows = ledger(
            spark.sparkContext.parallelize([log], 1),
            spark.sparkContext.parallelize([], 1),
            [],
            policy,
            WINDOW,
            lambda written: checked_statements(
                spark, written, WINDOW.days, keys, lambda: client(objects), checks
            ),
        )
        return in_order(rows.collect())

    first = found(MemoryS3, "1", [])
    assert [(row.verdict, row.object_key[-6:], row.version_id) for row in first] == [
        ("BAD_SIGNATURE", "0.json", "p0"),
        ("BAD_SIGNATURE", "1.json", "p1"),
    ]
    assert {(row.log_key, row.digest_key) for row in first} == {("log", "digest")}
    assert {row.principal_arn for row in first} == {USER["arn"]}
    known = [str(path) for path in sorted(tmp_path.glob("dt=*"))]
    assert known == [str(tmp_path / "dt=2026-11-01")]
    assert found(Unreadable, "2", known) == first


def test_only_statements_of_the_window_are_read(spark: SparkSession, tmp_path: Path) -> None:
    objects, log = statements(b"rubbish")
    written = spark.sparkContext.parallelize(log.events, 1)
    checks = Checks([], lambda day: str(tmp_path / f"dt={day}"))
    yesterday = (date(2026, 10, 31),)
    keys = LineageKeys({}, frozenset())
    read = checked_statements(spark, written, yesterday, keys, lambda: Unreadable(objects), checks)
    assert read.collect() == []
