"""Evidence and tables that earlier code wrote are read, and the evidence gives the same rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.rdd import RDD
from pyspark.sql import SparkSession
from tests.support.earlier_evidence import unpack

from custody.aws.trail.checking import Part
from custody.aws.trail.validation import Pace, validate_trail
from custody.core.case.key_ring import KeyRing
from custody.core.formats.strict_gzip import gunzip
from custody.core.formats.untrusted import load_json
from custody.core.ledger.hours.windows import Window
from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.verdicts import SETTLED, Verdict
from custody.core.lineage.checking import LineageCheck, check_statement
from custody.core.records.checking import ReadEnvelope, read_envelope
from custody.core.trail.events import TrailEvent
from custody.core.trail.log_files import LogContent, read_log
from custody.core.trail.report import TrailReport
from custody.objects import ObjectVersion
from custody.reading.copies import CopySource
from custody.settings import Settings
from custody.spark.checks import LINEAGE_CHECK, RECORD_CHECK
from custody.spark.ledger import ROW
from custody.spark.reconcile.judging import ledger

TAMPERED = "run=jr_41b19a72c52b0ea35fee067170997c7494d2ec592e46754edd32abd3d912fd89"
"""The reconciliation that found the four tamperings."""

MANY_BYTES = 64 * 1024 * 1024


class Evidence:
    """What lies in the copy, as it stood when that reconciliation read it."""

    def __init__(self, folder: Path, as_of: datetime) -> None:
        self.settings = Settings.parse((folder / "settings.json").read_bytes())
        self.keys = KeyRing.parse((folder / "keys.json").read_bytes())
        self.copy = CopySource(folder / "copy")
        self._folder, self._as_of = folder, as_of

    def logs(self, since: datetime) -> list[LogContent]:
        """The log files that a digest of that time vouches for."""
        layout, trail = self.settings.trail_layout, self.copy.trail(self.settings.trail_bucket)
        report = TrailReport.merged(
            validate_trail(
                trail,
                layout,
                lambda _first, _last: self.keys.cloudtrail,
                state=None,
                as_of=self._as_of,
                part=Part(since=since),
                pace=Pace.of_cadence(self.settings.digest_seconds),
            )
        )
        found = []
        for log in report.logs_verified:
            name = layout.digest_name(log.digest_key)
            if name is not None and name.end <= self._as_of:
                packed = self.copy.read(log.version.bucket, log.version.key, max_bytes=MANY_BYTES)
                content = gunzip(packed or b"", what="log file", max_bytes=MANY_BYTES)
                found.append(
                    read_log(content, log=log.version.key, proven=True, digest=log.digest_key)
                )
        return found

    def envelopes(self) -> list[ReadEnvelope]:
        """Every record that was stored by then."""
        bucket = self.settings.provenance_bucket
        listing = load_json(
            (self._folder / "copy" / "_versions" / f"{bucket}.json").read_bytes(),
            what="listing",
            max_bytes=MANY_BYTES,
        )
        assert isinstance(listing, dict)
        return [
            read_envelope(
                self.copy.read(bucket, stored["Key"], max_bytes=MANY_BYTES) or b"",
                self.keys.records,
                stored=ObjectVersion(bucket, stored["Key"], stored["VersionId"]),
                stored_at=datetime.fromisoformat(stored["LastModified"]),
            )
            for stored in listing["Versions"]
            if stored["Key"].startswith("provenance/incoming/")
            and datetime.fromisoformat(stored["LastModified"]) <= self._as_of
        ]

    def check(self, written: list[TrailEvent]) -> list[LineageCheck]:
        """What became of each lineage statement."""
        return [
            check_statement(
                self.copy.read(event.bucket, event.key or "", max_bytes=MANY_BYTES) or b"",
                self.keys.lineage,
                bucket=event.bucket,
                key=event.key or "",
                version_id=event.version_id or "",
                written_at=event.time,
            )
            for event in written
        ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack("2026-11-28.tar.xz", tmp_path_factory.mktemp("earlier"))


@pytest.fixture(scope="module")
def analytics(folder: Path) -> Path:
    (found,) = (folder / "copy").glob("custody-local-analytics-*")
    return found


def rows_of_table(spark: SparkSession, place: Path) -> list[dict[str, Any]]:
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    options = {"recursiveFileLookup": "true", "pathGlobFilter": "*.parquet"}
    read = spark.read.options(**options).parquet(str(place))
    return [row.asDict(recursive=True) for row in read.collect()]


def test_the_same_rows_come_of_the_same_evidence(
    spark: SparkSession, folder: Path, analytics: Path
) -> None:
    earlier = rows_of_table(spark, analytics / "reconciliation" / TAMPERED)
    as_of, start, end = (aware(earlier[0][c]) for c in ("as_of", "window_start", "window_end"))
    evidence = Evidence(folder, as_of)
    window = Window(start, end, as_of=as_of, grace=timedelta(0))
    context = spark.sparkContext

    def check_statements(written: RDD[TrailEvent]) -> RDD[LineageCheck]:
        return context.parallelize(evidence.check(written.collect()), 1)

    rows = ledger(
        context.parallelize(evidence.logs(window.evidence().start), 2),
        context.parallelize(evidence.envelopes(), 2),
        [],
        evidence.settings.policy(as_of=as_of, grace=window.grace),
        window,
        check_statements,
    ).collect()
    within = [row for row in rows if window.start <= row.event_time < window.end]
    settled = [row for row in earlier if row["verdict"] in SETTLED]
    assert {earlier_identity(row) for row in settled} == {
        identity(row) for row in within if row.verdict in SETTLED
    }
    # A finding stays the one that people were told of. How it is told has changed: the reason names
    # the causes, and whoever forged a record is told with his own call.
    findings = [row for row in earlier if row["verdict"] not in SETTLED]
    new = {*SETTLED, Verdict.CONTROL_CHANGED}
    told = [row for row in within if row.verdict not in new and row.pipeline_layer != "results"]
    assert {tuple(row[c] for c in TOLD) for row in findings} == {
        tuple(getattr(row, c) for c in TOLD) for row in told
    }
    assert sorted(row["verdict"] for row in findings) == [
        "CONFLICT",
        "UNRECORDED",
        "UNWITNESSED",
        "UNWITNESSED",
    ]
    # What Athena wrote for the engineer counts as his: the trail of then did not say through whom a
    # call came.
    results = {row.principal_arn for row in within if row.pipeline_layer == "results"}
    assert {arn and arn.rpartition("/")[2] for arn in results} <= {"platform-engineer"}
    # The insider changed controls for it, which was no finding then. (So did the engineer, as far
    # as is known: his settings do not say yet who deploys, nor his trail what his calls are about.)
    changed = {row.principal_arn for row in within if row.verdict == Verdict.CONTROL_CHANGED}
    assert changed > {row.principal_arn for row in told if row.verdict == Verdict.CONFLICT}


TOLD = ("verdict", "bucket", "object_key", "version_id", "principal_arn", "fingerprint")
"""What tells a finding from another, and whom it names."""


def identity(row: LedgerRow) -> tuple[object, ...]:
    return tuple(getattr(row, column) for column in ROW.names)


def earlier_identity(row: dict[str, Any]) -> tuple[object, ...]:
    times = {"event_time", "hashed_at"}
    return tuple(aware(row[c]) if c in times else row[c] for c in ROW.names)


def aware(moment: datetime | None) -> Any:
    """Spark gives times of the session's zone, which is UTC, without one."""
    return moment if moment is None else moment.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("table", "schema"), [("record_checks", RECORD_CHECK), ("lineage_checks", LINEAGE_CHECK)]
)
def test_tables_of_checks_have_the_columns_that_are_read(
    spark: SparkSession, analytics: Path, table: str, schema: Any
) -> None:
    rows = rows_of_table(spark, analytics / table)
    assert len(rows) > 3
    assert set(rows[0]) >= set(schema.names)
    assert {row["trouble"] for row in rows} >= {None}


def test_findings_of_an_audit_are_read(spark: SparkSession, analytics: Path) -> None:
    rows = rows_of_table(spark, analytics / "audit")
    assert {row["verdict"] for row in rows} >= {"VERIFIED"}
    assert set(rows[0]) >= set(ROW.names)
