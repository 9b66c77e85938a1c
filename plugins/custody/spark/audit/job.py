"""The audit of a deployment, from its evidence to its rows."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pyspark import SparkContext
from pyspark.rdd import RDD
from pyspark.sql import SparkSession

from custody.aws.publications.expiring import held_against, removable
from custody.aws.records.reading import late_notes
from custody.aws.runs.stated import summaries_of
from custody.aws.runs.sweeps import swept_before
from custody.aws.runs.verdicts import verdict_files
from custody.aws.s3.at_rest import audited_versions
from custody.aws.s3.heads import SEAL_HEAD, TRAIL_HEAD, recall, remember
from custody.aws.s3.listing import KeyRange, stored_versions
from custody.aws.trail.proof import prove_onward
from custody.aws.trail.setup import setup_defects
from custody.core.answers.model import ANSWER_PREFIX
from custody.core.ledger.hours.windows import check_audit, check_time
from custody.core.ledger.kinds.at_rest import altered_file_rows
from custody.core.ledger.kinds.unbuilt import may_be_unbuilt
from custody.core.lineage.model import LINEAGE_PREFIX
from custody.core.publications.expiry import EXPIRY_PREFIX, FRESH
from custody.core.records.names import RECORD_PREFIX
from custody.core.trail.span import LATEST_DELIVERY
from custody.spark.audit.answers import answer_rows
from custody.spark.audit.defects import defect_rows, unusable_head_row
from custody.spark.audit.expiring import expiry_rows, state_expired_runs
from custody.spark.audit.request import AuditRequest
from custody.spark.audit.sealing import (
    COSIGNED_HEAD,
    RECORD_FOLDERS,
    cosigning_policy,
    have_cosigned,
    seal_recent,
)
from custody.spark.audit.sweeping import sweep, with_swept
from custody.spark.audit.unbuilt import unbuilt
from custody.spark.audit.versions import (
    at_rest,
    by_bucket,
    missing_versions,
    sampled,
    with_keys_away,
    with_records,
)
from custody.spark.checks import intact
from custody.spark.glue_runs import GlueRun
from custody.spark.ledger import Target, told_ever, watched_pages, write_rows
from custody.spark.runs import Judge, seal_signer
from custody.spark.startup import s3_client
from custody.spark.trail import (
    broken_logs,
    contents_of,
    late_records,
    read_logs,
    trail_clients,
    trail_contents,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)

NAMES_PER_SLICE = 50_000

FINDER = "audit"
"""Under which name its findings are remembered (`custody.aws.paging.pages`)."""


def audit(glue_run: GlueRun, request: AuditRequest) -> None:
    """Audit a deployment, write the rows to where the run writes, and state what it found.

    Raises `BadWindow` for one that Airflow does not ask for.
    """
    check_time(request.as_of, glue_run.started_on)
    check_audit(grace=request.grace, sample_days=request.sample_days, days=request.days)
    judge = Judge.of(glue_run)
    output = f"s3://{judge.settings.analytics_bucket}/audit/run={glue_run.id}/"
    spark = SparkSession.builder.appName("audit").getOrCreate()
    verdicts = run(spark, judge, request, output)
    log.info("as of %s: %s; %s", request.as_of, verdicts or "no rows", output)


def sliced(context: SparkContext, items: Sequence[Any], per_slice: int) -> RDD[Any]:
    return context.parallelize(items, max(1, len(items) // per_slice))


def target(s3: S3Client, analytics: str, output: str, request: AuditRequest) -> Target:
    """Where an audit writes, and what people know of what it may find.

    What is missing is found anew every night, and dated then: whatever day the page about it was
    of, it was told.
    """
    return Target(
        output,
        watched_pages(s3, analytics, FINDER, request.watched),
        lambda _: told_ever(s3, analytics, FINDER),
    )


def run(
    spark: SparkSession,
    judge: Judge,
    request: AuditRequest,
    output: str,
) -> Mapping[str, int]:
    """Audit, write the rows to the URI `output`, state what was found, and remember the heads;
    return verdict counts.

    Versions are listed before records are: a record that comes in between finds its version.
    """
    context, s3, settings = spark.sparkContext, s3_client(), judge.settings
    analytics, provenance = settings.analytics_bucket, settings.provenance_bucket
    policy = settings.policy(as_of=request.as_of, grace=request.grace)
    cosigners = cosigning_policy(settings)
    clients = trail_clients(settings)
    trail = prove_onward(
        clients,
        settings,
        as_of=request.as_of,
        since=request.since,
        remembered=recall(s3, analytics, TRAIL_HEAD),
        anew=request.walks_anew,
    )
    log.info(
        "%d digests of %d regions proven, %d defects",
        trail.digests_verified,
        len(trail.reports),
        len(trail.defects),
    )
    held = list(audited_versions(s3, settings))
    ranges = (KeyRange(folder, "", "") for folder in RECORD_FOLDERS)
    records = [stored for names in ranges for stored in stored_versions(s3, provenance, names)]
    signer = seal_signer(settings)
    stated = [r for r in records if r.version.key.startswith(EXPIRY_PREFIX)]
    expiries = held_against(
        s3,
        stated,
        analytics,
        signer.key,
        retention=settings.run_retention_days,
        since=request.as_of - FRESH,
    )
    policy = replace(policy, removable=removable(expiries))
    judged = verdict_files(
        s3,
        signer.key,
        provenance,
        job=settings.reconcile_job,
        first=request.recent[0],
        last=request.recent[-1],
        today=request.recent[-1],
    )
    verdicts, altered = intact(context, analytics, judged, s3_client)
    uris = [f"s3://{analytics}/{file.key}" for file in verdicts]
    kept, away = seal_recent(spark, settings, request, s3, records, uris, signer)
    now = datetime.now(UTC)
    cosigning = have_cosigned(cosigners, settings, s3, kept.sealed, signer.key, now)
    logs = read_logs(context, trail.logs, s3_client)
    broken = broken_logs(logs)
    contents = trail_contents(contents_of(logs), policy)
    removals = contents.events.filter(lambda event: event.is_removal).collect()
    noted = late_records(
        contents.events,
        late_notes(s3, provenance, request.recent),
        replace(policy, delivery=LATEST_DELIVERY),
    )
    if noted:
        held = [replace(version, noted_late=version.identity in noted) for version in held]
    before = swept_before(s3, signer.key, provenance, job=settings.audit_job, as_of=request.as_of)
    joined = with_records(
        sliced(context, held, NAMES_PER_SLICE),
        sliced(
            context,
            [r for r in records if r.version.key.startswith(RECORD_PREFIX)],
            NAMES_PER_SLICE,
        ),
        sliced(context, list(before.values()), NAMES_PER_SLICE),
    )
    swept, locked = sweep(joined, judge.records, policy, s3_client)
    missing = missing_versions(joined, judge.records, s3_client)
    found = at_rest(
        joined,
        missing,
        sliced(context, [version for version in held if version.is_marker], NAMES_PER_SLICE),
        by_bucket(removals, contents.calls),
        policy,
        settings.noncurrent_version_days,
    ).union(sampled(joined, judge.records, policy, request.sample_days, s3_client))
    seal_defects = (*kept.defects, *cosigning.defects)
    setup = setup_defects(clients.cloudtrail(settings.region), settings)
    defects = [
        *defect_rows(
            (*trail.defects, *setup, *broken), seal_defects, contents, policy, settings, s3
        ),
        *altered_file_rows(altered, analytics, time=request.as_of, policy=policy),
    ]
    if trail.trouble is not None:
        defects.append(unusable_head_row(trail.trouble, policy, settings, s3))
    defects += answer_rows(
        [r for r in records if r.version.key.startswith(ANSWER_PREFIX)],
        contents.events,
        policy,
        settings,
        since=request.since,
    )
    defects += expiry_rows(expiries, policy)
    unread = unbuilt(
        context,
        [version for version in held if may_be_unbuilt(version, policy)],
        [stored for stored in records if stored.version.key.startswith(LINEAGE_PREFIX)],
        [version for version in held if version.version.bucket == analytics],
        judge.lineage,
        policy,
        s3_client,
    )
    written = write_rows(
        spark,
        context.union(
            [
                with_swept(with_keys_away(found, away | locked, policy), swept.versions),
                sliced(context, defects, NAMES_PER_SLICE),
                unread,
            ]
        ),
        as_of=request.as_of,
        window=(request.since, request.as_of),
        target=target(s3, analytics, output, request),
    )
    span = request.since, request.as_of
    judge.state(
        request.as_of,
        span,
        written,
        sweep=swept.to_document(),
        runs=summaries_of(s3, signer.key, provenance, request.yesterday, settings.judging_jobs),
    )
    state_expired_runs(
        s3,
        signer,
        settings,
        held,
        {r.version.key for r in stated},
        missing.map(lambda gone: gone.version)
        .filter(lambda one: one.bucket == analytics)
        .collect(),
        judge.lineage.trust,
    )
    # Once what was found is written: heads that move on must not leave a defect behind.
    remember(s3, analytics, TRAIL_HEAD, trail.heads(broken).to_json().encode())
    if kept.head is not None:
        remember(s3, analytics, SEAL_HEAD, kept.head)
    if cosigning.head is not None:
        remember(s3, analytics, COSIGNED_HEAD, cosigning.head)
    return written.verdicts
