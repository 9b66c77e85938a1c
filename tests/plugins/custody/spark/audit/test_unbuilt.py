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
from custody.core.publications.model import Asked, Publication, Shown, Why
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


GOLD = "analytics"
OLD_KEY_ARN = LINEAGE_KEY_ARN + "-old"


def held(name: str) -> HeldVersion:
    version = ObjectVersion(RAW, f"{PREFIX}{name}.csv", "v1")
    return HeldVersion(version, LANDED_AT, is_marker=False)


def run_has_read(s3: Any, run_id: str, key: MemoryKms, key_arn: str, *names: str) -> Lineage:
    output = ObjectVersion("processed", f"silver/c/dt={DT}/run={run_id}/0", "v")
    lineage = Lineage(
        run=Run(str(DT), run_id),
        builder_id=job_arn(LINEAGE_KEY_ARN, "silver-job"),
        platform={"spark": "3.5.6"},
        started_on=LANDED_AT,
        finished_on=LANDED_AT,
        parameters={"dataset": "customers", "dt": str(DT)},
        materials=(Material("script", "aa" * 32),),
        inputs=tuple(HashedObject(held(name).version, "bb" * 32) for name in names),
        outputs=(HashedObject(output, "cc" * 32),),
    )
    some: Any = key
    keep_lineage(s3, some, key_arn=key_arn, bucket=PROVENANCE, lineage=lineage)
    return lineage


def is_published(
    s3: Any, number: int, run_id: str, *, why: Why = Why.BUILD, days_ago: int = 3
) -> HeldVersion:
    """The publication of a day of that number shows a run; what is held of it."""
    publication = Publication(
        "customers",
        str(DT),
        number,
        "2026-11-02T00:00:00.000Z",
        why,
        Asked("scheduled__1", 0, None, None),
        (Shown("silver_customers", run_id, f"s3://processed/silver/c/dt={DT}/run={run_id}/"),),
    )
    s3.put(GOLD, publication.key, publication.to_bytes(), "v")
    version = ObjectVersion(GOLD, publication.key, "v")
    return HeldVersion(version, POLICY.as_of - timedelta(days=days_ago), is_marker=False)


def test_what_no_run_that_readers_are_shown_has_read_is_found(spark: SparkSession) -> None:
    """Also a run that the key before this one has signed has read; an unpublished one has not."""
    s3, new, old = MemoryS3(), MemoryKms(), MemoryKms()
    some: Any = s3
    lineage = run_has_read(some, "jr_1", old, OLD_KEY_ARN, "read", "left out")
    run_has_read(some, "jr_2", new, LINEAGE_KEY_ARN, "read", "unpublished")
    run_has_read(some, "jr_3", MemoryKms(), LINEAGE_KEY_ARN, "forged")
    keys = LineageKeys(
        {
            arn: key.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            for arn, key in ((LINEAGE_KEY_ARN, new), (OLD_KEY_ARN, old))
        },
        frozenset({lineage.builder_id}),
    )
    statements = list(stored_versions(some, PROVENANCE, KeyRange(LINEAGE_PREFIX)))

    def found(*publications: HeldVersion) -> set[str]:
        due = [held(name) for name in ("read", "left out", "unpublished", "forged", "late")]
        rows = unbuilt(
            spark.sparkContext, due, statements, publications, keys, POLICY, lambda: some
        ).collect()
        assert {row.verdict for row in rows} <= {"UNBUILT"}
        return {row.object_key.removeprefix(PREFIX).removesuffix(".csv") for row in rows}

    unread = {"forged", "late"}
    assert found() == unread
    first = is_published(s3, 1, "jr_1")
    assert found(first) == unread | {"unpublished"}
    # What is planted behind it names a run that signed nothing of what it says.
    planted = is_published(s3, 2, "jr_3")
    assert found(first, planted) == unread | {"read", "left out", "unpublished"}
    # A rollback explains what it takes from view for a week; one after it no longer.
    right = is_published(s3, 2, "jr_2", days_ago=20)
    back = is_published(s3, 3, "jr_1", why=Why.ROLLBACK, days_ago=6)
    assert found(first, right, back) == unread
    back = is_published(s3, 3, "jr_1", why=Why.ROLLBACK, days_ago=8)
    again = is_published(s3, 4, "jr_0", why=Why.ROLLBACK, days_ago=1)
    assert found(first, right, back, again) == unread | {"unpublished"}


def test_where_nothing_is_due_no_statement_is_read(spark: SparkSession) -> None:
    def no_client() -> Any:
        raise AssertionError("S3 was asked")

    nobody = LineageKeys({}, frozenset())
    assert unbuilt(spark.sparkContext, [], [], [], nobody, POLICY, no_client).collect() == []
