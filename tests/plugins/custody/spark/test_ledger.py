"""Ledger rows as Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from pyspark.sql import SparkSession
from tests.support.landing_zone import RAW

from custody.core.ledger.rows import LedgerRow, fingerprint
from custody.core.paging import findings
from custody.core.seal.entries import VerdictEntry
from custody.objects import ObjectVersion
from custody.spark import ledger
from custody.spark.audit.job import target
from custody.spark.audit.request import AuditRequest
from custody.spark.ledger import ROW, Target, verdict_entries, write_rows

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

AS_OF = datetime(2026, 11, 3, 3, 20, tzinfo=UTC)


def test_a_row_is_written_field_by_field() -> None:
    assert ROW.names == [field.name for field in fields(LedgerRow)]
    optional = [field.name for field in fields(LedgerRow) if "None" in str(field.type)]
    assert [column.name for column in ROW if column.nullable] == optional


def fingerprint_of(verdict: str, key: str) -> str:
    return fingerprint(verdict, ObjectVersion(RAW, key, "v1"))


def row(verdict: str, key: str, hour: int) -> LedgerRow:
    (found,) = [
        LedgerRow(
            event_time=datetime(2026, 11, 2, hour, 0, 1, tzinfo=UTC),
            bucket=RAW,
            object_key=key,
            version_id="v1",
            verdict=verdict,
            verdict_reason="why",
            fingerprint=fingerprint_of(verdict, key),
            **dict.fromkeys(
                (
                    *("event_name", "principal_arn", "principal_type", "source_ip", "user_agent"),
                    *("request_id", "event_id", "sha256", "size_bytes", "hashed_at", "key_id"),
                    *("pipeline_layer", "record_key", "log_key", "digest_key"),
                )
            ),
        )
    ]
    return found


def test_verdicts_are_sealed_as_readers_see_them_but_for_those_that_are_none_yet(
    spark: SparkSession, tmp_path: Path
) -> None:
    rows = [row("VERIFIED", "a.csv", 6), row("PENDING", "b.csv", 6), row("UNRECORDED", "c.csv", 7)]
    written = write_rows(
        spark,
        spark.sparkContext.parallelize(rows, 1),
        as_of=AS_OF,
        window=(AS_OF - timedelta(days=1), AS_OF),
        target=Target(f"{tmp_path}/run=1/", [rows[2], row("ALTERED", "a.csv", 6)]),
    )
    assert written.verdicts == {"VERIFIED": 1, "PENDING": 1, "UNRECORDED": 1}
    # What pages, and what settles the pages that are open, in order.
    assert [r.object_key for r in written.found.rows] == ["c.csv", "a.csv"]
    assert written.found.rows[0] == rows[2]
    assert written.found.watched == (rows[2].fingerprint, fingerprint_of("ALTERED", "a.csv"))
    folders = {path.parent.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.parquet")}
    assert folders == {"run=1/dt=2026-11-02/hour=06", "run=1/dt=2026-11-02/hour=07"}
    files = sorted(str(path) for path in tmp_path.rglob("*.parquet"))
    assert set(verdict_entries(spark, files)) == {
        VerdictEntry(RAW, "a.csv", "v1", "VERIFIED", rows[0].fingerprint, rows[0].event_time),
        VerdictEntry(RAW, "c.csv", "v1", "UNRECORDED", rows[2].fingerprint, rows[2].event_time),
    }
    assert list(verdict_entries(spark, [])) == []


def test_of_each_cause_only_so_many_are_read_and_the_others_counted(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "READ_LIMIT", 2)
    assert findings.READ_LIMIT == 500
    rows = [row("CONFLICT", f"{n}.csv", n) for n in range(5)] + [row("REMOVED", "x.csv", 1)]
    written = write_rows(
        spark,
        spark.sparkContext.parallelize(rows, 2),
        as_of=AS_OF,
        window=(AS_OF - timedelta(days=1), AS_OF),
        target=Target(str(tmp_path / "out"), [rows[4]]),
    )
    # The first ones, and the one whose page is open.
    keys = [r.object_key for r in written.found.rows]
    assert keys == ["0.csv", "1.csv", "4.csv", "x.csv"]
    assert written.found.left_out == {("CONFLICT", None): 2, ("REMOVED", None): 0}


def test_who_acts_under_many_names_makes_no_report_that_cannot_be_read(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of each cause is told before the second of any, and in the next run the others."""
    monkeypatch.setattr(ledger, "READ_LIMIT", 2)
    monkeypatch.setattr(ledger, "MAX_ROWS", 4)
    rows = [
        replace(row("REMOVED", f"{who}-{n}", n), principal_arn=who)
        for who in ("a", "b", "c")
        for n in range(3)
    ]

    def found(told: Sequence[LedgerRow]) -> list[str]:
        out = str(tmp_path / f"after-{len(told)}")
        written = write_rows(
            spark,
            spark.sparkContext.parallelize(rows, 2),
            as_of=AS_OF,
            window=(AS_OF - timedelta(days=1), AS_OF),
            target=Target(out, told[:1], lambda _: [each.fingerprint for each in told]),
        )
        assert sum(written.found.left_out.values()) == len(rows) - 4
        return [r.object_key for r in written.found.rows]

    first = found([])
    assert {key[0] for key in first} == {"a", "b", "c"}
    told = [each for each in rows if each.object_key in first]
    second = found(told)
    assert told[0].object_key in second, "its page is open"
    assert len(set(second) - set(first)) == 3


def test_what_is_done_to_one_object_over_and_over_hides_no_other(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "READ_LIMIT", 2)
    rows = [row("CONTROL_CHANGED", "a", n) for n in range(4)] + [row("CONTROL_CHANGED", "z", 5)]
    written = write_rows(
        spark,
        spark.sparkContext.parallelize(rows, 2),
        as_of=AS_OF,
        window=(AS_OF - timedelta(days=1), AS_OF),
        target=Target(str(tmp_path / "out")),
    )
    assert [r.object_key for r in written.found.rows] == ["a", "z"]
    assert written.found.left_out == {("CONTROL_CHANGED", None): 3}


def test_what_people_were_told_hides_nothing_that_is_new(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Junk of one cause by the hundred is told once, and then makes way for the one that matters,
    though that came last, and though not all pages about the junk are watched."""
    monkeypatch.setattr(ledger, "READ_LIMIT", 2)
    rows = [row("REMOVED", f"junk-{n}", n) for n in range(4)] + [row("REMOVED", "evidence", 9)]
    asked: list[Sequence[str]] = []

    def found(told: Sequence[LedgerRow]) -> list[str]:
        def told_on(days: Sequence[str]) -> list[str]:
            asked.append(days)
            return [r.fingerprint for r in told]

        written = write_rows(
            spark,
            spark.sparkContext.parallelize(rows, 2),
            as_of=AS_OF,
            window=(AS_OF - timedelta(days=1), AS_OF),
            target=Target(str(tmp_path / f"after-{len(told)}"), told[:1], told_on),
        )
        assert written.found.left_out == {("REMOVED", None): 5 - len(written.found.rows)}
        return [r.object_key for r in written.found.rows]

    assert found([]) == ["junk-0", "junk-1"]
    assert found(rows[:2]) == ["junk-2", "junk-3", "junk-0"]
    assert found(rows[:4]) == ["evidence", "junk-0"]
    # Of the days on which something was found, no others.
    assert asked == [["2026-11-02"]] * 3


def test_the_audit_knows_what_people_were_told_on_other_days(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is missing is found anew every night, and dated then: what was told of it bears the day
    of another night, and must make way all the same."""
    told = {"2026-11-02": "junk", "2026-11-03": "more"}

    def told_pages(*asked: Any) -> Iterator[str]:
        for partition in asked[-1]:
            yield from (found for day, found in told.items() if partition in ((), (day,)))

    monkeypatch.setattr(ledger, "told_pages", told_pages)
    request = AuditRequest(AS_OF, timedelta(0), sample_days=28, days=2)
    assert set(target(Mock(), "analytics", "", request).told(["2026-11-03"])) == {"junk", "more"}
