"""The reconciliation of a window, from its evidence to its rows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import boto3
from pyspark.rdd import RDD
from pyspark.sql import SparkSession

from custody.aws.airflow import airflow_log
from custody.aws.publications.expiring import held_against, removable, statements_of
from custody.aws.records.reading import late_notes
from custody.aws.runs.last import last_run
from custody.aws.s3.heads import TRAIL_HEAD, recall
from custody.aws.s3.listing import list_keys
from custody.core.ledger.hours.going_on import next_link, reached_before
from custody.core.ledger.hours.windows import Window
from custody.core.ledger.policy import Policy
from custody.core.lineage.model import Run
from custody.core.publications.expiry import EXPIRY_PREFIX, FRESH, Removable
from custody.core.records.checking import ReadEnvelope
from custody.core.runs.airflow_log import AirflowLog, log_since
from custody.core.runs.files import verdicts_folder
from custody.settings import Settings
from custody.spark.checks import written_by_this_run
from custody.spark.glue_runs import GlueRun
from custody.spark.ledger import Target, Written, told_before, watched_pages, write_rows
from custody.spark.reconcile.caches import Caches
from custody.spark.reconcile.checking import checked_records, checked_statements, records_by_name
from custody.spark.reconcile.deployed import differences
from custody.spark.reconcile.evidence import (
    TrailEvidence,
    defects_of,
    latest_record,
    prove_trail,
)
from custody.spark.reconcile.judging import (
    StatementCheck,
    filed_elsewhere,
    ledger,
    removed_runs,
)
from custody.spark.runs import Judge, seal_signer
from custody.spark.startup import BRIEF, s3_client
from custody.spark.trail import broken_logs, contents_of, read_logs, trail_clients

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

FINDER = "reconciliation"
"""Under which name its findings are remembered (`custody.aws.paging.pages`)."""


Expired = Callable[[Sequence[Run]], Mapping[Run, Removable]]
"""Which of some runs had expired."""


@dataclass(frozen=True, slots=True)
class Records:
    """The records filed under the window's days (`filed`), how those under other keys are read
    (`named`), and the `notes` that records of these days are late; whom to ask which runs had
    `expired` (None: none ever has)."""

    filed: RDD[ReadEnvelope]
    named: Callable[[Sequence[str]], RDD[ReadEnvelope]]
    notes: Mapping[str, datetime] = field(default_factory=dict)
    expired: Expired | None = None


def run(
    spark: SparkSession,
    trail: TrailEvidence,
    records: Records,
    policy: Policy,
    window: Window,
    check_statements: StatementCheck,
    s3_client: Callable[[], S3Client],
    target: Target,
) -> Written:
    """Judge the evidence and write the window's rows to their target."""
    logs = read_logs(spark.sparkContext, trail.logs, s3_client)
    defects = [*trail.defects, *defects_of(broken_logs(logs), window)]
    contents = contents_of(logs)
    elsewhere = filed_elsewhere(contents, policy, window.record_days)
    if records.expired is not None:
        removable = records.expired(removed_runs(contents, policy))
        policy = replace(policy, removable=removable)
    envelopes = records.filed.union(records.named(elsewhere))
    rows = ledger(
        contents,
        envelopes,
        defects,
        policy,
        window,
        check_statements,
        trail.differences,
        records.notes,
    ).filter(lambda row: window.start <= row.event_time < window.end)
    return write_rows(
        spark,
        rows,
        as_of=window.as_of,
        window=(window.start, window.end),
        target=target,
    )


def reconcile(glue_run: GlueRun, window: Window) -> None:
    """Judge `window`, write its rows to where the run writes, and state what was found, as one more
    link of the chain of runs.

    Raises `HoleInTheChain`, or `BadWindow` for one that Airflow does not ask for.
    """
    window.check(glue_run.started_on)
    judge = Judge.of(glue_run)
    settings = judge.settings
    s3 = s3_client()
    bucket, provenance = settings.analytics_bucket, settings.provenance_bucket
    job, as_of = glue_run.job_name, window.as_of
    last = last_run(s3, seal_signer(settings).key, provenance, job=job, as_of=as_of)
    reached = reached_before(last.link if last else None, window)
    policy = replace(
        settings.policy(as_of=window.as_of, grace=window.grace),
        delivery=window.delivery,
        recorded=reached.recorded,
        closed=reached.closed,
    )
    spark = SparkSession.builder.appName("reconcile").getOrCreate()
    caches = Caches.of(spark.sparkContext, judge, window)
    found = [*differences(judge, window, policy), *caches.rows(window, policy)]
    own_keys = policy.named.get("key", frozenset())
    envelopes = checked_records(
        spark,
        provenance,
        window.record_days,
        judge.records,
        s3_client,
        caches.records,
        own_keys,
    )
    trail = prove_trail(
        settings,
        window,
        trail_clients(settings),
        remembered=recall(s3, bucket, TRAIL_HEAD),
        latest_record=latest_record(envelopes),
    )

    def named(keys: Sequence[str]) -> RDD[ReadEnvelope]:
        return records_by_name(
            spark.sparkContext, provenance, keys, judge.records, s3_client, own_keys
        )

    output = f"s3://{bucket}/reconciliation/run={glue_run.id}/"
    written = run(
        spark,
        replace(trail, differences=found),
        Records(
            envelopes,
            named,
            late_notes(s3, provenance, window.record_days),
            expired_runs(s3, settings, window.as_of),
        ),
        policy,
        window,
        lambda written: checked_statements(
            spark, written, window.days, judge.lineage, s3_client, caches.statements
        ),
        s3_client,
        Target(
            output,
            watched_pages(s3, bucket, FINDER, window.partitions()),
            partial(told_before, s3, bucket, FINDER),
        ),
    )
    verdicts = [f"{verdicts_folder(glue_run.id, hour)}/" for hour in window.partitions()]
    files = written_by_this_run(spark.sparkContext, bucket, [*caches.folders, *verdicts], s3_client)
    link = next_link(last.run.statement_key if last else None, reached, window)
    acts = done_in_airflow(settings, log_since(last.run.as_of if last else None, window.start))
    span = window.start, window.end
    judge.state(window.as_of, span, written, files, link, airflow=acts.to_document())
    told = written.verdicts or "no rows"
    log.info("%s to %s: %s; %s", window.start, window.end, told, output)
    log.info(
        "judged until %s, final until %s, closed until %s",
        link.reached.judged,
        link.reached.recorded,
        link.reached.closed,
    )


def expired_runs(s3: S3Client, settings: Settings, as_of: datetime) -> Expired | None:
    """Asks which of some runs had expired `as_of` then, by what was signed of them and published;
    None if nothing was ever signed."""
    provenance, analytics = settings.provenance_bucket, settings.analytics_bucket
    if not any(list_keys(s3, provenance, EXPIRY_PREFIX)):
        return None
    key = seal_signer(settings).key
    return lambda runs: removable(
        held_against(
            s3,
            statements_of(s3, provenance, runs),
            analytics,
            key,
            retention=settings.run_retention_days,
            since=as_of - FRESH,
        )
    )


def done_in_airflow(settings: Settings, since: datetime) -> AirflowLog:
    """What people did in Airflow since then, as it says itself: asked by the job, for what goes
    through Airflow's tasks can be edited there."""
    mwaa = boto3.client("mwaa", region_name=settings.region, config=BRIEF)
    environment = settings.airflow_environment
    found = airflow_log(mwaa, environment, since=since, until=datetime.now(UTC))
    log.info(
        "people did %d things in Airflow since %s; %s",
        len(found.acts) + sum(found.left_out.values()) + found.unread,
        since,
        found.trouble or "as its audit log says",
    )
    return found
