"""Runs of a day to publish: their lineage, and what they wrote."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.support.lineages import LINEAGE
from tests.support.moto_aws import KEY_ARN, signing_kms

from custody.aws.lineage.keeping import keep_lineage
from custody.aws.publications.building import Builders
from custody.core.lineage.model import HashedObject, Lineage, Run
from custody.core.publications.choosing import DayOfTable
from custody.objects import ObjectVersion

DAY = "2026-11-01"
CONTRACT_VERSION = "1.4.0"
"""Of the contract now; `LINEAGE` is of one that it does not break with."""
PROCESSED, ANALYTICS, PROVENANCE = (
    f"custody-test-{name}" for name in ("processed", "analytics", "provenance")
)
SILVER_PLACE = f"s3://{PROCESSED}/silver/customers/dt={DAY}/"
TABLES = (
    DayOfTable("silver_customers_files", f"s3://{PROCESSED}/files/customers/dt={DAY}/"),
    DayOfTable("silver_customers", SILVER_PLACE),
    DayOfTable("gold_by_country", f"s3://{ANALYTICS}/gold/by_country/dt={DAY}/", "by_country"),
)
JOB = "arn:aws:glue:us-east-1:111122223333:job/custody-test-"
BUILDERS = Builders(KEY_ARN, "", PROVENANCE, f"{JOB}silver", f"{JOB}gold")


def silver_lineage(run_id: str) -> Lineage:
    """What a run of silver states, if every file that it wrote is version `v`."""
    outputs = [_output(table, run_id) for table in TABLES if table.gold is None]
    return _lineage(run_id, BUILDERS.silver_job, {}, outputs)


def gold_lineage(run_id: str, silver: str) -> Lineage:
    """What a run of gold states that was built from one of silver."""
    given = {"gold_table": "by_country", "silver_run": f"{SILVER_PLACE}run={silver}/"}
    return _lineage(run_id, BUILDERS.gold_job, given, [_output(TABLES[-1], run_id)])


def build(s3: Any, lineage: Lineage) -> Lineage:
    """Write what a run says it wrote, and its signed statement."""
    outputs = []
    for output in lineage.outputs:
        bucket, key = output.version.bucket, output.version.key
        put = s3.put_object(Bucket=bucket, Key=key, Body=b"rows")
        outputs.append(replace(output, version=ObjectVersion(bucket, key, put["VersionId"])))
    stated = replace(lineage, outputs=tuple(outputs))
    keep_lineage(s3, signing_kms(), key_arn=KEY_ARN, bucket=PROVENANCE, lineage=stated)
    return stated


def _output(table: DayOfTable, run_id: str) -> HashedObject:
    bucket, _, key = f"{table.of(run_id)}part-0.parquet".removeprefix("s3://").partition("/")
    return HashedObject(ObjectVersion(bucket, key, "v"), "c1" * 32)


def _lineage(run_id: str, job: str, given: dict[str, str], outputs: list[HashedObject]) -> Lineage:
    return replace(
        LINEAGE,
        run=Run(DAY, run_id),
        builder_id=job,
        parameters={"dataset": "customers", "dt": DAY, **given},
        outputs=tuple(outputs),
    )
