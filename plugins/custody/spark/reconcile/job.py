"""Judge a window's writes by the evidence of both the trail and the records.

The rules are those of `custody.core.ledger.versions`; what brings their evidence together is here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import boto3
from pyspark.rdd import RDD
from pyspark.sql import SparkSession

from custody.aws.lineage.keeping import check_written
from custody.aws.records.evidence import (
    KeyRange,
    LogToRead,
    StoredVersion,
    read_record,
    record_ranges,
    stored_versions,
    trusted_keys,
)
from custody.aws.trail.proof import prove_recent
from custody.core.ledger.attribution import trail_rows
from custody.core.ledger.defects import DatedDefect, dated_defect, malformed_record_row
from custody.core.ledger.facts import StoredRecord
from custody.core.ledger.lineage_rows import is_statement, rows_of_statements
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow
from custody.core.ledger.stored_records import split_envelopes, undisplaced_key
from custody.core.ledger.undeclared import catalog_rows
from custody.core.ledger.versions import ObjectHistory, rows_of
from custody.core.ledger.windows import Window
from custody.core.lineage.checking import LineageCheck
from custody.core.lineage.trust import LineageKeys
from custody.core.records.check_table import from_row, to_row
from custody.core.records.checking import ReadEnvelope, TrustedKey
from custody.core.records.landing import RECORD_PREFIX
from custody.core.trail.defects import TrailDefect
from custody.core.trail.events import TrailEvent
from custody.core.trail.log_files import LogContent
from custody.core.trail.principals import Principal, better_known
from custody.core.trail.report import TrailReport
from custody.objects import UNVERSIONED
from custody.settings import Settings
from custody.spark.checks import (
    LINEAGE_CHECK,
    RECORD_CHECK,
    Checks,
    keep_checks,
    known_checks,
)
from custody.spark.ledger import write_rows
from custody.spark.startup import CLIENTS, kms_client, s3_client
from custody.spark.trail import latest, read_logs, told_by

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

RECORD_CHECKS, LINEAGE_CHECKS = "record_checks/", "lineage_checks/"

StatementCheck = Callable[[RDD[TrailEvent]], RDD[LineageCheck]]
"""Given the writes of lineage statements, what became of each of these."""


# --- Bringing together what belongs together ------------------------------------------------------


def ledger(
    logs: RDD[LogContent],
    envelopes: RDD[ReadEnvelope],
    defects: Sequence[DatedDefect],
    policy: Policy,
    window: Window,
    check_statements: StatementCheck,
) -> RDD[LedgerRow]:
    """The ledger's rows of everything in ``logs`` and ``envelopes``, of the lineage statements that
    ``logs`` tell of, and of the trail's defects."""
    defects = [*defects, *_unreadable(logs, policy, window)]
    seen = logs.flatMap(lambda content: content.principals.items()).reduceByKey(better_known)
    principals = logs.context.broadcast(dict(seen.collect()))
    told = told_by(logs, policy)
    calls, events = told.calls, told.events
    testimony = (
        envelopes.map(lambda envelope: (undisplaced_key(envelope.place), envelope))
        .cogroup(
            events.filter(lambda event: _is_undeclared(event, policy)).map(
                lambda event: (undisplaced_key(event.key or ""), event)
            )
        )
        .map(lambda place: split_envelopes(*place[1]))
        .persist()
    )
    records = testimony.flatMap(
        lambda found: (((record.claim.bucket, record.claim.key), record) for record in found[0])
    )
    judged = (
        events.filter(lambda event: event.key is not None)
        .map(lambda event: ((event.bucket, event.key), event))
        .cogroup(records)
        .flatMap(lambda known: _judged(known, policy, principals.value))
    )
    stated = events.filter(lambda event: is_statement(event, policy))
    misstated = (
        check_statements(stated)
        .map(lambda check: ((check.bucket, check.statement_key), check))
        .cogroup(stated.map(lambda event: ((event.bucket, event.key), event)))
        .flatMap(lambda known: rows_of_statements(known[1][0], known[1][1], policy))
    )
    malformed = testimony.flatMap(lambda found: found[1])
    touched = latest(events, ((defect.bucket, defect.key) for defect in defects))
    broken = trail_rows(defects, calls, touched, policy)
    catalog = [row for call in calls for row in catalog_rows(call, policy)]
    return logs.context.union(
        [
            judged,
            malformed.map(lambda record: malformed_record_row(record, policy)),
            misstated,
            logs.context.parallelize([*broken, *catalog], 1),
        ]
    )


def _unreadable(logs: RDD[LogContent], policy: Policy, window: Window) -> list[DatedDefect]:
    """The log files that hold records without CloudTrail's shape."""
    return [
        DatedDefect(
            next(bucket for bucket, layer in policy.layers.items() if layer == "trail"),
            content.log,
            UNVERSIONED,
            window.last_moment,
            f"{len(content.problems)} records of this log file cannot be read; the first: "
            f"{content.problems[0]}.",
        )
        for content in logs.filter(lambda content: bool(content.problems)).collect()
    ]


def _is_undeclared(event: TrailEvent, policy: Policy) -> bool:
    """Whether somebody other than the recorder wrote under the key of a record."""
    return (
        event.is_write
        and policy.layers.get(event.bucket) == "provenance"
        and (event.key or "").startswith(RECORD_PREFIX)
        and not event.who.is_one_of(policy.recorders)
    )


def _judged(
    known: tuple[tuple[str, str], tuple[Iterable[TrailEvent], Iterable[StoredRecord]]],
    policy: Policy,
    principals: Mapping[str, Principal],
) -> Iterator[LedgerRow]:
    (bucket, key), (events, records) = known
    return rows_of(ObjectHistory(bucket, key, tuple(events), tuple(records)), policy, principals)


# --- Reading --------------------------------------------------------------------------------------


def list_records(
    ranges: Iterable[KeyRange], bucket: str, s3_client: Callable[[], S3Client]
) -> Iterator[StoredVersion]:
    """Every stored version of what lies in the places of records."""
    s3 = s3_client()
    for keys in ranges:
        yield from stored_versions(s3, bucket, keys)


def read_records(
    stored: Iterable[StoredVersion],
    keys: Mapping[str, TrustedKey],
    s3_client: Callable[[], S3Client],
) -> Iterator[ReadEnvelope]:
    """Each stored record, read and checked."""
    s3 = s3_client()
    for record in stored:
        yield read_record(s3, record, keys)


def checked_records(
    spark: SparkSession,
    bucket: str,
    days: Sequence[date],
    keys: Mapping[str, TrustedKey],
    s3_client: Callable[[], S3Client],
    checks: Checks,
) -> RDD[ReadEnvelope]:
    """Every record filed under ``days``, read and checked: by this run, those that none has yet."""
    context = spark.sparkContext
    parts = min(256, context.defaultParallelism)
    ranges = [keys for day in days for keys in record_ranges(day, parts)]
    stored = context.parallelize(ranges, len(ranges)).mapPartitions(
        lambda some: list_records(some, bucket, s3_client)
    )
    known = known_checks(spark, checks, RECORD_CHECK).map(from_row)
    new = (
        stored.keyBy(lambda record: (record.key, record.version_id))
        .subtractByKey(known.keyBy(lambda envelope: (envelope.place, envelope.version_id)))
        .values()
        .mapPartitions(lambda some: read_records(some, keys, s3_client))
        .persist()
    )
    keep_checks(
        spark,
        new.filter(lambda envelope: envelope.was_read).map(to_row),
        lambda check: _day_filed(check.record_key),
        schema=RECORD_CHECK,
        days=days,
        checks=checks,
    )
    log.info("checked %d records that no run had checked before", new.count())
    return known.union(new)


def _day_filed(place: str) -> date:
    """The day in the place of a record."""
    return date.fromisoformat(place.removeprefix(f"{RECORD_PREFIX}dt=")[:10])


def checked_statements(
    spark: SparkSession,
    written: RDD[TrailEvent],
    days: Sequence[date],
    keys: LineageKeys,
    s3_client: Callable[[], S3Client],
    checks: Checks,
) -> RDD[LineageCheck]:
    """Every lineage statement ``written`` on ``days``, read and checked: by this run, those that
    none has yet."""
    recent = frozenset(days)
    known = known_checks(spark, checks, LINEAGE_CHECK).map(lambda row: LineageCheck(**row))
    settled = known.filter(lambda check: check.was_read)
    new = (
        written.filter(lambda event: event.time.date() in recent)
        .keyBy(lambda event: (event.key, event.version_id))
        .subtractByKey(settled.keyBy(lambda check: (check.statement_key, check.statement_version)))
        .values()
        .mapPartitions(lambda some: read_statements(some, keys, s3_client))
        .persist()
    )
    keep_checks(
        spark,
        new,
        lambda check: check.written_at.date(),
        schema=LINEAGE_CHECK,
        days=days,
        checks=checks,
    )
    log.info("checked %d lineage statements that no run had checked before", new.count())
    return settled.union(new)


def read_statements(
    written: Iterable[TrailEvent], keys: LineageKeys, s3_client: Callable[[], S3Client]
) -> Iterator[LineageCheck]:
    """Each statement that is still there, read and checked."""
    s3, trust = s3_client(), keys.trust
    for event in written:
        check = check_written(s3, event, trust)
        if check is not None:
            yield check


def defects_of(report: TrailReport, window: Window) -> list[DatedDefect]:
    """What is wrong with the trail, dated within the window that was judged."""

    def within(defect: TrailDefect) -> datetime:
        last = window.last_moment
        return min(max(defect.period_end or defect.period_start or last, window.start), last)

    return [dated_defect(defect, within(defect)) for defect in report.defects]


# --- Running --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TrailEvidence:
    """What the trail has for the window: log files, and what is wrong with it."""

    logs: Sequence[LogToRead]
    defects: Sequence[DatedDefect]


def prove_trail(
    settings: Settings, window: Window, s3: S3Client, cloudtrail: CloudTrailClient
) -> TrailEvidence:
    """Prove the trail as far as the window needs it, and list its log files."""
    trail = prove_recent(s3, cloudtrail, settings, as_of=window.as_of, since=window.evidence_from)
    report, logs = trail.report, trail.logs
    for defect in report.defects:
        log.error("the trail is broken: s3://%s/%s: %s", defect.bucket, defect.key, defect.reason)
    log.info(
        "%d digests and %d log files proven, %d log files to read",
        report.digests_verified,
        len(report.logs_verified),
        len(logs),
    )
    return TrailEvidence(logs, defects_of(report, window))


def run(
    spark: SparkSession,
    trail: TrailEvidence,
    envelopes: RDD[ReadEnvelope],
    policy: Policy,
    window: Window,
    check_statements: StatementCheck,
    s3_client: Callable[[], S3Client],
    output: str,
) -> dict[str, int]:
    """Judge the evidence and write the window's rows to the URI `output`; return verdict counts."""
    logs = read_logs(spark.sparkContext, trail.logs, s3_client)
    rows = ledger(logs, envelopes, trail.defects, policy, window, check_statements).filter(
        lambda row: window.start <= row.event_time < window.end
    )
    return write_rows(
        spark, rows, as_of=window.as_of, window=(window.start, window.end), output=output
    )


def checks_table(
    s3: S3Client, bucket: str, table: str, days: Iterable[date], run_id: str
) -> Checks:
    """A table of checks (its folder in ``bucket``): where it has anything of ``days``, and where
    this run adds to it."""
    folders = (f"{table}dt={day}/" for day in days)
    known = [
        f"s3://{bucket}/{folder}"
        for folder in folders
        if s3.list_objects_v2(Bucket=bucket, Prefix=folder, MaxKeys=1)["KeyCount"]
    ]
    return Checks(known, lambda day: f"s3://{bucket}/{table}dt={day}/run={run_id}/")


def reconcile(settings: Settings, window: Window, *, run_id: str) -> None:
    """Judge ``window`` and write its rows to where the run ``run_id`` writes."""
    policy = settings.policy(as_of=window.as_of, grace=window.grace)
    s3, bucket = s3_client(), settings.analytics_bucket
    trail = prove_trail(settings, window, s3, boto3.client("cloudtrail", config=CLIENTS))
    spark = SparkSession.builder.appName("reconcile").getOrCreate()
    envelopes = checked_records(
        spark,
        settings.provenance_bucket,
        window.record_days,
        trusted_keys(kms_client(settings.signing_key_arn), settings),
        s3_client,
        checks_table(s3, bucket, RECORD_CHECKS, window.record_days, run_id),
    )
    lineage_key = settings.lineage_key_arn
    kms = kms_client(lineage_key)
    lineage_keys = LineageKeys(
        {lineage_key: kms.get_public_key(KeyId=lineage_key)["PublicKey"]}, settings.builders
    )
    known_statements = checks_table(s3, bucket, LINEAGE_CHECKS, window.days, run_id)
    output = f"s3://{bucket}/reconciliation/run={run_id}/"
    counts = run(
        spark,
        trail,
        envelopes,
        policy,
        window,
        lambda written: checked_statements(
            spark, written, window.days, lineage_keys, s3_client, known_statements
        ),
        s3_client,
        output,
    )
    log.info("%s to %s: %s; %s", window.start, window.end, counts or "no rows", output)
