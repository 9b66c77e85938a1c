"""The reconciliation on Spark: it brings together what `custody.core.ledger` then judges."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.response import StreamingBody
from pyspark.rdd import RDD
from pyspark.sql import SparkSession
from tests.plugins.custody.core.ledger.test_rows import rows
from tests.support.landing_zone import PROVENANCE, LandingZone
from tests.support.ledger_testimony import CASES, said_in
from tests.support.management_records import (
    INSIDER,
    ROLE,
    partition_moved,
    role_taken,
    session,
    switched,
)
from tests.support.trail_records import USER, put

from custody.core.ledger.defects import DatedDefect, Outage
from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.windows import Window
from custody.core.lineage.checking import LineageCheck
from custody.core.lineage.trust import LineageKeys
from custody.core.records.check_table import RecordCheck
from custody.core.trail.events import TrailEvent
from custody.core.trail.log_files import LogContent, read_log
from custody.spark.checks import Checks
from custody.spark.reconcile import job as reconcile

HOUR = timedelta(hours=1)
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
        "removals_are_told_unless_a_writer_clears_its_working_files",
        "unwitnessed_names_the_uploader_as_cloudtrail_knows_him",
    ],
)
def test_spark_gives_the_rows_that_the_rules_give(spark: SparkSession, name: str) -> None:
    context, case = spark.sparkContext, CASES / name
    said = said_in(case)
    halves = [
        LogContent(said.log.log, said.log.events[::2], said.log.principals, ()),
        LogContent(said.log.log, said.log.events[1::2], said.log.principals, ()),
    ]
    found = reconcile.ledger(
        context.parallelize(halves, 2),
        context.parallelize(said.envelopes, 2),
        [],
        said.policy,
        WINDOW,
        unchecked,
    )
    assert in_order(found.collect()) == in_order(list(rows(case)))


def test_what_is_wrong_with_the_trail_names_who_touched_it(spark: SparkSession) -> None:
    said = said_in(CASES / "removals_are_told_unless_a_writer_clears_its_working_files")
    policy = said.policy
    object.__setattr__(policy, "layers", {**policy.layers, "trail": "trail"})
    defect = DatedDefect("trail", "AWSLogs/x", "null", WINDOW.start, "The log file was deleted.")
    unreadable = LogContent("AWSLogs/y", (), {}, ("Records[3].eventName: is missing",))
    found = reconcile.ledger(
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
        said_in(CASES / "pending_while_a_witness_may_still_come").policy,
        as_of=WINDOW.as_of,
        layers={"raw": "bronze", "trail": "trail"},
        writers={"bronze": (f"{ROLE}glue",)},
        assumed_by={f"{ROLE}glue": ()},
        trail="custody-local",
        database="custody_local",
    )
    gap = DatedDefect("trail", "d", "null", WINDOW.start, "A gap.", outage=Outage(None, None))
    rows = reconcile.ledger(
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
    assert sorted(row.verdict for row in rows) == [
        "TRAIL_BROKEN",
        "UNEXPECTED_PRINCIPAL",
        "UNRECORDED",
    ]


def test_only_rows_of_the_window_are_written_each_in_its_hour(
    spark: SparkSession, tmp_path: Path
) -> None:
    said = said_in(CASES / "pending_while_a_witness_may_still_come")
    trail = reconcile.TrailEvidence([], [])
    envelopes = spark.sparkContext.parallelize(said.envelopes, 1)
    counts = reconcile.run(
        spark,
        trail,
        envelopes,
        said.policy,
        WINDOW,
        unchecked,
        lambda: None,
        str(tmp_path / "out"),
    )
    written = spark.read.parquet(str(tmp_path / "out"))
    assert {(row["dt"].isoformat(), row["hour"]) for row in written.collect()} <= {
        ("2026-11-01", 6),
        ("2026-11-01", 7),
    }
    assert sum(counts.values()) == written.count() > 0
    first = written.orderBy("event_time").first()
    assert first["window_end"] == datetime(2026, 11, 1, 8)  # noqa: DTZ001 - Spark's are naive
    assert first["as_of"] == datetime(2026, 11, 1, 8, 35)  # noqa: DTZ001


class VersionsOf:
    """An S3 client that lists one landing zone's records in pages of one, and counts its reads."""

    reads = 0

    def __init__(self, objects: dict[tuple[str, str], list[tuple[str, bytes]]]) -> None:
        self._objects = objects

    def list_object_versions(self, **asked: Any) -> dict[str, Any]:
        """The next object behind KeyMarker."""
        keys = sorted(
            key
            for bucket, key in self._objects
            if bucket == asked["Bucket"]
            and key.startswith(asked["Prefix"])
            and key > asked.get("KeyMarker", "")
        )
        stored = datetime(2026, 11, 2, 1, 31, tzinfo=UTC)
        return {
            "Versions": [
                {"Key": key, "VersionId": version, "LastModified": stored}
                for key in keys[:1]
                for version, _ in self._objects[asked["Bucket"], key]
            ],
            "IsTruncated": len(keys) > 1,
            "NextKeyMarker": keys[0] if keys else "",
            "NextVersionIdMarker": "",
        }

    def get_object(self, *, Bucket: str, Key: str, VersionId: str) -> dict[str, Any]:  # noqa: N803
        body = dict(self._objects[Bucket, Key])[VersionId]
        return {
            "Body": StreamingBody(io.BytesIO(body), len(body)),
            "Metadata": {},
            "VersionId": VersionId,
        }


class Unreadable(VersionsOf):
    """The same, but a read is an error: what was checked is not read again."""

    def get_object(self, **asked: Any) -> dict[str, Any]:
        raise AssertionError(f"read again: {asked}")


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

    def checked(client: type[VersionsOf], run: str, known: list[str]) -> Iterator[RecordCheck]:
        return reconcile.checked_records(
            spark,
            PROVENANCE,
            WINDOW.record_days,
            zone.keys,
            lambda: client(objects),
            Checks(known, lambda day: str(tmp_path / f"dt={day}" / f"run={run}")),
        ).collect()

    first = checked(VersionsOf, "1", [])
    assert len(first) == 6
    assert [e.place.rpartition("/")[2] for e in first if e.trouble] == ["not a record"]
    known = [str(path) for path in sorted(tmp_path.glob("dt=*"))]
    assert known == [str(tmp_path / "dt=2026-11-02")]
    again = checked(Unreadable, "2", known)
    assert sorted(again, key=repr) == sorted(first, key=repr)
    zone.land("incoming/customers/dt=2026-11-01/late.csv", b"late")
    assert len(checked(VersionsOf, "3", known)) == 7


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
    policy = said_in(CASES / "pending_while_a_witness_may_still_come").policy
    object.__setattr__(policy, "layers", {**policy.layers, PROVENANCE: "provenance"})
    objects, told = statements(b"rubbish", b"{}")

    def found(client: type[VersionsOf], run: str, known: list[str]) -> list[LedgerRow]:
        checks = Checks(known, lambda day: str(tmp_path / f"dt={day}" / f"run={run}"))
        rows = reconcile.ledger(
            spark.sparkContext.parallelize([told], 1),
            spark.sparkContext.parallelize([], 1),
            [],
            policy,
            WINDOW,
            lambda written: reconcile.checked_statements(
                spark, written, WINDOW.days, keys, lambda: client(objects), checks
            ),
        )
        return in_order(rows.collect())

    first = found(VersionsOf, "1", [])
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
    objects, told = statements(b"rubbish")
    written = spark.sparkContext.parallelize(told.events, 1)
    checks = Checks([], lambda day: str(tmp_path / f"dt={day}"))
    yesterday = (date(2026, 10, 31),)
    keys = LineageKeys({}, frozenset())
    read = reconcile.checked_statements(
        spark, written, yesterday, keys, lambda: Unreadable(objects), checks
    )
    assert read.collect() == []
