"""What S3 announced to nobody is hashed by the audit, night after night, on Spark."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pyspark.sql import SparkSession
from tests.plugins.custody.spark.audit.test_versions import POLICY, held, stored
from tests.support.landing_zone import PROVENANCE, RAW, LandingZone, MemoryS3

from custody.core.ledger.kinds.at_rest import HeldVersion
from custody.core.ledger.kinds.keys import KeyAway
from custody.core.ledger.kinds.sweep import Sweep, SweptVersion
from custody.core.ledger.rows import LedgerRow
from custody.core.records.names import RECORD_PREFIX, record_id
from custody.objects import ObjectVersion
from custody.spark.audit.sweeping import hashed, sweep, unexplained, with_swept
from custody.spark.audit.versions import (
    at_rest,
    known_versions,
    missing_versions,
    sampled,
    with_keys_away,
    with_records,
)

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

ONE, TWO = b"id\n1\n", b"id\n2\n"
OF_ONE, OF_TWO = hashlib.sha256(ONE).hexdigest(), hashlib.sha256(TWO).hexdigest()


def night(
    spark: SparkSession, zone: LandingZone, before: Sweep
) -> tuple[Sweep, dict[tuple[str, str, str], LedgerRow]]:
    """An audit: what is known after it, and its rows."""
    context, s3, here = spark.sparkContext, zone.s3, held(zone)
    joined = with_records(
        context.parallelize(here, 1),
        context.parallelize(stored(zone), 1),
        context.parallelize(list(before.versions.values()), 1),
    )
    known, away = sweep(joined, zone.keys, POLICY, lambda: s3)
    found = at_rest(
        joined,
        missing_versions(joined, zone.keys, lambda: s3),
        context.parallelize(list[HeldVersion](), 1),
        {},
        POLICY,
        timedelta(days=90),
    ).union(sampled(joined, zone.keys, POLICY, 1, lambda: s3))
    rows = with_swept(with_keys_away(found, away, POLICY), known.versions).collect()
    return known, {(row.verdict, row.object_key, row.version_id): row for row in rows}


def test_what_was_put_while_the_notifications_were_off_is_fixed_as_it_is(
    spark: SparkSession,
) -> None:
    """Somebody takes the bucket's notifications away, uploads, and puts them back. He can put
    something else in its place later, alter it or take it away: it is known what was there.

    One notification was only late: its record counts. What is none, in the place of one, ends
    nothing.
    """
    hidden = ("kept.csv", "replaced.csv", "altered.csv", "removed.csv", "covered.csv", "late.csv")
    zone = LandingZone()
    zone.land("before.csv", ONE)
    for name in hidden:
        zone.land(name, ONE, recorded=False)
    zone.land("after.csv", ONE)
    known, first = night(spark, zone, Sweep({}))
    assert set(first) == {
        *(("UNRECORDED", name, "v1") for name in hidden),
        ("VERIFIED", "before.csv", "v1"),
        ("VERIFIED", "after.csv", "v1"),
    }
    fixed = [first["UNRECORDED", name, "v1"] for name in hidden]
    assert {(row.sha256, row.size_bytes) for row in fixed} == {(OF_ONE, len(ONE))}
    assert None not in {row.hashed_at for row in fixed}

    zone.land("replaced.csv", TWO, version_id="v2")
    zone.s3.objects[RAW, "altered.csv"] = [("v1", TWO)]
    del zone.s3.objects[RAW, "removed.csv"]
    cover(zone, "covered.csv")
    del zone.s3.objects[RAW, "covered.csv"]
    del zone.s3.objects[RAW, "late.csv"]
    zone.land("late.csv", ONE)
    later, second = night(spark, zone, known)
    assert set(second) == {
        ("UNRECORDED", "kept.csv", "v1"),
        ("UNRECORDED", "replaced.csv", "v1"),
        ("VERIFIED", "replaced.csv", "v2"),
        ("UNRECORDED", "altered.csv", "v1"),
        ("ALTERED", "altered.csv", "v1"),
        ("REMOVED", "removed.csv", "v1"),
        ("REMOVED", "covered.csv", "v1"),
        *(("VERIFIED", f"{name}.csv", "v1") for name in ("late", "before", "after")),
    }
    of_hidden = {row.sha256 for name, row in second.items() if name[0] != "VERIFIED"}
    assert of_hidden == {OF_ONE}
    assert OF_TWO in second["ALTERED", "altered.csv", "v1"].verdict_reason
    assert {version.key for version in later.versions} == set(hidden) - {"late.csv"}


def cover(zone: LandingZone, name: str) -> None:
    """Put something that is no record where the record of a file would be."""
    identity = record_id(ObjectVersion(RAW, name, "v1"))
    zone.s3.put(PROVENANCE, f"{RECORD_PREFIX}dt=2026-11-02/{identity}.json", b"{}", "r1")


def test_what_is_no_record_ends_no_memory() -> None:
    """Else whoever hid a file from the recorder could have the audit forget what it was, and take
    it away."""
    zone = LandingZone()
    zone.land("covered.csv", ONE, recorded=False)
    (swept,) = hashed(held(zone), (), lambda: zone.s3)
    assert isinstance(swept, SweptVersion)
    cover(zone, "covered.csv")
    pair = record_id(swept.version), (held(zone), stored(zone), [swept])
    assert list(unexplained([pair], zone.keys, POLICY, lambda: zone.s3)) == [swept]
    assert list(known_versions([pair], zone.keys, lambda: zone.s3)) == [
        (pair[0], swept.as_recorded)
    ]


class Refusing(MemoryS3):
    """S3 hands out no file whose name begins with `locked`."""

    under: str | None = None

    def get_object(self, **asked: Any) -> dict[str, Any]:
        if asked["Key"].startswith("locked"):
            raise ClientError(
                {
                    "Error": {"Code": "AccessDenied", "Message": "no"},
                    "ResponseMetadata": {"HTTPStatusCode": 403},  # type: ignore[typeddict-item]
                },
                "GetObject",
            )
        return super().get_object(**asked)

    def head_object(self, **_: Any) -> dict[str, Any]:
        return {} if self.under is None else {"SSEKMSKeyId": f"arn:aws:kms:r:1:key/{self.under}"}


@pytest.mark.parametrize("under", [None, "theirs", "own"])
def test_one_that_cannot_be_read_is_one_finding(under: str | None) -> None:
    zone = LandingZone()
    for name in ("a.csv", "locked.csv", "z.csv"):
        zone.land(name, ONE, recorded=False)
    s3 = Refusing(zone.s3.objects)
    s3.under = under
    found = list(hashed(held(zone), frozenset({"own"}), lambda: s3))
    swept = {one.version.key: one for one in found if not isinstance(one, KeyAway)}
    assert {key: one.sha256 for key, one in swept.items()} == {
        "a.csv": OF_ONE,
        "locked.csv": None,
        "z.csv": OF_ONE,
    }
    assert swept["locked.csv"].trouble
    away = [one for one in found if isinstance(one, KeyAway)]
    assert away == ([KeyAway("own", "AccessDenied")] if under == "own" else [])
