"""What lies in bronze is compared with what the runs state to have read, on Spark."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pyspark.sql import SparkSession
from tests.support.customers import DT, PREFIX
from tests.support.landing_zone import (
    LANDED_AT,
    LINEAGE_KEY_ARN,
    PROVENANCE,
    RAW,
    MemoryKms,
    MemoryS3,
)

from custody.aws.lineage.keeping import keep_lineage
from custody.aws.s3.listing import KeyRange, stored_versions
from custody.core.ledger.kinds.at_rest import HeldVersion
from custody.core.ledger.policy import Policy
from custody.core.lineage.model import LINEAGE_PREFIX, HashedObject, Lineage, Material, Run
from custody.core.lineage.trust import LineageKeys
from custody.objects import ObjectVersion
from custody.spark.audit.unbuilt import unbuilt
from custody.spark.glue_runs import job_arn

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

POLICY = Policy(
    as_of=LANDED_AT + timedelta(days=3),
    grace=timedelta(hours=1),
    layers={RAW: "bronze"},
    writers={},
    recorders=(),
)


def test_what_no_run_states_to_have_read_is_found(spark: SparkSession) -> None:
    held = [
        HeldVersion(ObjectVersion(RAW, f"{PREFIX}{name}.csv", "v1"), LANDED_AT, is_marker=False)
        for name in ("read", "late", "later")
    ]
    s3, kms = MemoryS3(), MemoryKms()
    some: Any = s3
    lineage = Lineage(
        run=Run(str(DT), "jr_1"),
        builder_id=job_arn(LINEAGE_KEY_ARN, "silver-job"),
        platform={"spark": "3.5.6"},
        started_on=LANDED_AT,
        finished_on=LANDED_AT,
        parameters={"dt": str(DT)},
        materials=(Material("script", "aa" * 32),),
        inputs=(HashedObject(held[0].version, "bb" * 32),),
        outputs=(
            HashedObject(
                ObjectVersion("processed", f"silver/c/dt={DT}/run=jr_1/0", "v"), "cc" * 32
            ),
        ),
    )
    keep_lineage(
        some,
        kms,  # type: ignore[arg-type]
        key_arn=LINEAGE_KEY_ARN,
        bucket=PROVENANCE,
        lineage=lineage,
    )
    public = kms.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    keys = LineageKeys({LINEAGE_KEY_ARN: public}, frozenset({lineage.builder_id}))
    statements = list(stored_versions(some, PROVENANCE, KeyRange(LINEAGE_PREFIX)))

    found = unbuilt(spark.sparkContext, held, statements, keys, POLICY, lambda: some).collect()

    assert sorted((row.verdict, row.object_key) for row in found) == [
        ("UNBUILT", f"{PREFIX}late.csv"),
        ("UNBUILT", f"{PREFIX}later.csv"),
    ]


def test_where_nothing_is_due_no_statement_is_read(spark: SparkSession) -> None:
    def no_client() -> Any:
        raise AssertionError("S3 was asked")

    nobody = LineageKeys({}, frozenset())
    assert unbuilt(spark.sparkContext, [], [], nobody, POLICY, no_client).collect() == []
