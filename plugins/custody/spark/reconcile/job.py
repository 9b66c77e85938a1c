"""The reconciliation of a window, from its evidence to its rows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyspark.rdd import RDD
from pyspark.sql import SparkSession

from custody.aws.chain import keep_link, last_link, signed_by
from custody.aws.kms.public_keys import trusted_keys
from custody.aws.s3.heads import recall
from custody.core.ledger.links import next_link, reached_before
from custody.core.ledger.policy import Policy
from custody.core.ledger.windows import Window
from custody.core.lineage.trust import LineageKeys
from custody.core.records.checking import ReadEnvelope
from custody.settings import Settings
from custody.spark.audit.sealing import seal_signer
from custody.spark.ledger import write_rows
from custody.spark.reconcile.checking import (
    LINEAGE_CHECKS,
    RECORD_CHECKS,
    checked_records,
    checked_statements,
    checks_table,
    records_by_name,
)
from custody.spark.reconcile.evidence import (
    TrailEvidence,
    defects_of,
    latest_record,
    prove_trail,
)
from custody.spark.reconcile.judging import StatementCheck, filed_elsewhere, ledger
from custody.spark.startup import kms_client, s3_client
from custody.spark.trail import TRAIL_HEAD, broken_logs, contents_of, read_logs, trail_clients

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Records:
    """The records filed under the window's days (`filed`), and how those under other keys are
    read (`named`)."""

    filed: RDD[ReadEnvelope]
    named: Callable[[Sequence[str]], RDD[ReadEnvelope]]


def run(
    spark: SparkSession,
    trail: TrailEvidence,
    records: Records,
    policy: Policy,
    window: Window,
    check_statements: StatementCheck,
    s3_client: Callable[[], S3Client],
    output: str,
) -> dict[str, int]:
    """Judge the evidence and write the window's rows to the URI `output`; return verdict counts."""
    logs = read_logs(spark.sparkContext, trail.logs, s3_client)
    defects = [*trail.defects, *defects_of(broken_logs(logs), window)]
    contents = contents_of(logs)
    elsewhere = filed_elsewhere(contents, policy, window.record_days)
    envelopes = records.filed.union(records.named(elsewhere))
    rows = ledger(contents, envelopes, defects, policy, window, check_statements).filter(
        lambda row: window.start <= row.event_time < window.end
    )
    return write_rows(
        spark, rows, as_of=window.as_of, window=(window.start, window.end), output=output
    )


def reconcile(settings: Settings, window: Window, *, run_id: str) -> None:
    """Judge `window`, write its rows to where the run `run_id` writes, and the run to the chain.

    Raises `HoleInTheChain`.
    """
    s3, signer = s3_client(), seal_signer(settings)
    last = last_link(
        s3, settings.analytics_bucket, as_of=window.as_of, opened=signed_by(signer.key)
    )
    reached = reached_before(last, window)
    policy = replace(
        settings.policy(as_of=window.as_of, grace=window.grace),
        delivery=window.delivery,
        recorded=reached.recorded,
        closed=reached.closed,
    )
    bucket, provenance = settings.analytics_bucket, settings.provenance_bucket
    spark = SparkSession.builder.appName("reconcile").getOrCreate()
    record_keys = trusted_keys(kms_client(settings.signing_key_arn), settings)
    envelopes = checked_records(
        spark,
        provenance,
        window.record_days,
        record_keys,
        s3_client,
        checks_table(s3, bucket, RECORD_CHECKS, window.record_days, run_id),
    )
    trail = prove_trail(
        settings,
        window,
        trail_clients(settings),
        remembered=recall(s3, bucket, TRAIL_HEAD),
        latest_record=latest_record(envelopes),
    )

    def named(keys: Sequence[str]) -> RDD[ReadEnvelope]:
        return records_by_name(spark.sparkContext, provenance, keys, record_keys, s3_client)

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
        Records(envelopes, named),
        policy,
        window,
        lambda written: checked_statements(
            spark, written, window.days, lineage_keys, s3_client, known_statements
        ),
        s3_client,
        output,
    )
    log.info("%s to %s: %s; %s", window.start, window.end, counts or "no rows", output)
    link = next_link(last, reached, window, run_id=run_id)
    keep_link(s3, bucket, link, signer)
    log.info(
        "judged until %s, final until %s, closed until %s",
        link.reached.judged,
        link.reached.recorded,
        link.reached.closed,
    )
