"""The audit of a deployment, from its evidence to its rows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pyspark import SparkContext
from pyspark.rdd import RDD
from pyspark.sql import SparkSession

from custody.aws.kms.public_keys import trusted_keys
from custody.aws.s3.at_rest import audited_versions
from custody.aws.s3.heads import recall, remember
from custody.aws.s3.listing import KeyRange, stored_versions
from custody.aws.trail.proof import prove_onward
from custody.aws.trail.setup import setup_defects
from custody.core.records.names import RECORD_PREFIX
from custody.settings import Settings
from custody.spark.audit.defects import defect_rows, unusable_head_row
from custody.spark.audit.request import AuditRequest
from custody.spark.audit.sealing import (
    COSIGNED_HEAD,
    RECORD_FOLDERS,
    SEAL_HEAD,
    cosigning_policy,
    have_cosigned,
    seal_recent,
    seal_signer,
)
from custody.spark.audit.versions import at_rest, by_bucket
from custody.spark.ledger import write_rows
from custody.spark.startup import kms_client, s3_client
from custody.spark.trail import (
    TRAIL_HEAD,
    broken_logs,
    contents_of,
    late_records,
    read_logs,
    trail_clients,
    trail_contents,
)

log = logging.getLogger(__name__)

NAMES_PER_SLICE = 50_000


def audit(settings: Settings, request: AuditRequest, *, run_id: str) -> None:
    """Audit a deployment and write the rows to where the run `run_id` writes."""
    output = f"s3://{settings.analytics_bucket}/audit/run={run_id}/"
    spark = SparkSession.builder.appName("audit").getOrCreate()
    counts = run(spark, settings, request, output)
    log.info("as of %s: %s; %s", request.as_of, counts or "no rows", output)


def sliced(context: SparkContext, items: Sequence[Any], per_slice: int) -> RDD[Any]:
    return context.parallelize(items, max(1, len(items) // per_slice))


def run(
    spark: SparkSession,
    settings: Settings,
    request: AuditRequest,
    output: str,
) -> dict[str, int]:
    """Audit, write the rows to the URI `output`, and remember the heads; return verdict counts.

    Versions are listed before records are: a record that comes in between finds its version.
    """
    context, s3 = spark.sparkContext, s3_client()
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
    kept = seal_recent(spark, settings, request, s3, records, signer)
    now = datetime.now(UTC)
    cosigning = have_cosigned(cosigners, settings, s3, kept.sealed, signer.key, now)
    logs = read_logs(context, trail.logs, s3_client)
    broken = broken_logs(logs)
    contents = trail_contents(contents_of(logs), policy)
    removals = contents.events.filter(lambda event: event.is_removal).collect()
    noted = late_records(contents.events, policy)
    if noted:
        held = [replace(version, noted_late=version.identity in noted) for version in held]
    found = at_rest(
        sliced(context, held, NAMES_PER_SLICE),
        sliced(
            context,
            [r for r in records if r.version.key.startswith(RECORD_PREFIX)],
            NAMES_PER_SLICE,
        ),
        trusted_keys(kms_client(settings.signing_key_arn), settings),
        by_bucket(removals, contents.calls),
        policy,
        noncurrent=settings.noncurrent_version_days,
        sample_days=request.sample_days,
        s3_client=s3_client,
    )
    seal_defects = (*kept.defects, *cosigning.defects)
    setup = setup_defects(clients.cloudtrail(settings.region), settings)
    trail_defects = (*trail.defects, *setup, *broken)
    defects = defect_rows(trail_defects, seal_defects, contents, policy, settings, s3)
    if trail.trouble is not None:
        defects.append(unusable_head_row(trail.trouble, policy, settings, s3))
    counts = write_rows(
        spark,
        context.union([found, sliced(context, defects, NAMES_PER_SLICE)]),
        as_of=request.as_of,
        window=(request.since, request.as_of),
        output=output,
    )
    # Once what was found is written: heads that move on must not leave a defect behind.
    remember(s3, analytics, TRAIL_HEAD, trail.heads(broken).to_json().encode())
    if kept.head is not None:
        remember(s3, analytics, SEAL_HEAD, kept.head)
    if cosigning.head is not None:
        remember(s3, analytics, COSIGNED_HEAD, cosigning.head)
    return counts
