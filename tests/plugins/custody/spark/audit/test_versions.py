"""Every version is compared with its record, on Spark."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pyspark.sql import SparkSession
from tests.support.landing_zone import (
    KEY_ARN,
    LANDED_AT,
    PROVENANCE,
    RAW,
    LandingZone,
    MemoryS3,
)
from tests.support.removals import INSIDER, call

from custody.aws.s3.listing import StoredVersion
from custody.core.ledger.kinds.at_rest import HeldVersion, Removers, is_in_sample
from custody.core.ledger.kinds.keys import KeyAway
from custody.core.ledger.policy import Policy
from custody.core.ledger.rows import LedgerRow
from custody.objects import ObjectVersion
from custody.spark.audit.versions import (
    at_rest,
    missing_versions,
    sampled,
    with_keys_away,
    with_records,
)

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

AS_OF = datetime(2026, 11, 3, 3, 20, tzinfo=UTC)
POLICY = Policy(
    as_of=AS_OF,
    grace=timedelta(hours=3),
    layers={RAW: "bronze", PROVENANCE: "provenance"},
    writers={"bronze": ("arn:aws:iam::111122223333:user/crm",)},
    recorders=(),
    named={"key": frozenset({"own"})},
)


def held(zone: LandingZone) -> list[HeldVersion]:
    return [
        HeldVersion(ObjectVersion(RAW, key, version_id), LANDED_AT, is_marker=False)
        for (bucket, key), versions in zone.s3.objects.items()
        if bucket == RAW
        for version_id, _ in versions
    ]


def stored(zone: LandingZone) -> list[StoredVersion]:
    return [
        StoredVersion(ObjectVersion(PROVENANCE, key, version_id), LANDED_AT)
        for (bucket, key), versions in zone.s3.objects.items()
        if bucket == PROVENANCE
        for version_id, _ in versions
    ]


def audited(
    spark: SparkSession,
    zone: LandingZone,
    here: Iterable[HeldVersion],
    removers: dict[str, Removers],
    sample_days: int = 1,
    away: Iterable[KeyAway] = (),
) -> dict[tuple[str, str], LedgerRow]:
    context, s3, here = spark.sparkContext, zone.s3, list(here)
    joined = with_records(
        context.parallelize(here, 2),
        context.parallelize(stored(zone), 2),
        context.parallelize([], 1),
    )
    compared = at_rest(
        joined,
        missing_versions(joined, zone.keys, lambda: s3),
        context.parallelize([version for version in here if version.is_marker], 1),
        removers,
        POLICY,
        timedelta(days=90),
    ).union(sampled(joined, zone.keys, POLICY, sample_days, lambda: s3))
    rows = with_keys_away(compared, away, POLICY).collect()
    found = {(row.object_key, row.version_id): row for row in rows}
    assert len(found) == len(rows)
    return found


def test_everything_is_compared_with_its_record(spark: SparkSession) -> None:
    zone = LandingZone()
    zone.land("honest.csv", b"id\n1\n")
    zone.land("honest.csv", b"id\n1\n2\n", version_id="v2")
    zone.land("altered.csv", b"id\n1\n", claims={"sha256": "ab" * 32})
    zone.land("unrecorded.csv", b"id\n1\n", recorded=False)
    zone.land("removed.csv", b"id\n1\n")
    zone.land("hidden.csv", b"id\n1\n")
    zone.s3.put(PROVENANCE, "provenance/incoming/dt=2026-11-02/notes.json", b"{}", "r1")
    zone.s3.put(PROVENANCE, f"provenance/incoming/dt=2026-11-02/{'0' * 64}.json", b"{}", "r1")
    hidden = ObjectVersion(RAW, "hidden.csv", "m1")
    marker = HeldVersion(hidden, AS_OF - timedelta(hours=4), is_marker=True)
    here = [version for version in held(zone) if version.version.key != "removed.csv"]

    batch = call(bucket=RAW, at=marker.stored_at)
    found = audited(spark, zone, [*here, marker], {RAW: Removers((batch,))})

    assert {name: row.verdict for name, row in found.items()} == {
        ("honest.csv", "v1"): "VERIFIED",
        ("honest.csv", "v2"): "VERIFIED",
        ("altered.csv", "v1"): "ALTERED",
        ("unrecorded.csv", "v1"): "UNRECORDED",
        ("removed.csv", "v1"): "REMOVED",
        ("hidden.csv", "v1"): "VERIFIED",
        ("hidden.csv", "m1"): "REMOVED",
    }
    # `DeleteObjects` does not say what it removed: who called it is listed, and not named.
    for removed in (found["removed.csv", "v1"], found["hidden.csv", "m1"]):
        assert removed.principal_arn is None
        assert INSIDER.arn in removed.verdict_reason
    altered = found["altered.csv", "v1"]
    assert hashlib.sha256(b"id\n1\n").hexdigest() in altered.verdict_reason
    assert (altered.sha256, altered.key_id) == ("ab" * 32, KEY_ARN)


def test_only_the_bytes_of_the_days_sample_are_read(spark: SparkSession) -> None:
    zone = LandingZone()
    for n in range(12):
        zone.land(f"{n}.csv", b"id\n1\n", claims={"sha256": "ab" * 32})
    today = {v.version.key for v in held(zone) if is_in_sample(v.identity, AS_OF.date(), 3)}
    assert 0 < len(today) < 12
    found = audited(spark, zone, held(zone), {}, sample_days=3)
    assert {key for key, _ in found} == today


class Locked(MemoryS3):
    """A bucket in which most of what landed is under a key of our own that was disabled."""

    def get_object(self, **asked: Any) -> dict[str, Any]:
        if asked["Key"].startswith("locked"):
            error = {"Code": "KMS.DisabledException", "Message": "no"}
            raise ClientError({"Error": error}, "GetObject")  # type: ignore[arg-type,typeddict-item]
        return super().get_object(**asked)

    def head_object(self, **_: Any) -> dict[str, Any]:
        return {"SSEKMSKeyId": "arn:aws:kms:us-east-1:111122223333:key/own"}


def test_a_key_of_ours_that_is_away_is_found_once(spark: SparkSession) -> None:
    """Whether its versions are read, or records under it were to be sealed; all else is read."""
    zone = LandingZone()
    for name in ("locked-1.csv", "locked-2.csv", "open.csv"):
        zone.land(name, b"id\n1\n")
    zone.s3 = Locked(zone.s3.objects)
    found = audited(spark, zone, held(zone), {}, away=[KeyAway("own", "KMS.DisabledException")])
    assert {key: row.verdict for (key, _), row in found.items()} == {
        "open.csv": "VERIFIED",
        "kms/key/own/state": "CONTROL_CHANGED",
    }
