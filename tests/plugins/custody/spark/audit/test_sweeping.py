"""What S3 announced to nobody is hashed by the audit, night after night, on Spark."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pyspark.sql import SparkSession
from tests.plugins.custody.spark.audit.test_versions import POLICY, held, stored
from tests.support.landing_zone import RAW, LandingZone, MemoryS3

from custody.core.ledger.kinds.at_rest import HeldVersion
from custody.core.ledger.kinds.keys import KeyAway
from custody.core.ledger.kinds.sweep import Sweep
from custody.core.ledger.rows import LedgerRow
from custody.spark.audit.sweeping import hashed, sweep, with_swept
from custody.spark.audit.versions import at_rest, with_keys_away, with_records

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")

ONE, TWO = b"id\n1\n", b"id\n2\n"
OF_ONE, OF_TWO = hashlib.sha256(ONE).hexdigest(), hashlib.sha256(TWO).hexdigest()

Rows = dict[tuple[str, str, str], LedgerRow]


class Nights:
    """Audits of one bronze, one after the other."""

    def __init__(self, spark: SparkSession) -> None:
        self.context, self.zone, self.known = spark.sparkContext, LandingZone(), Sweep({})

    def audit(self) -> Rows:
        s3, here = self.zone.s3, held(self.zone)
        joined = with_records(
            self.context.parallelize(here, 2),
            self.context.parallelize(stored(self.zone), 2),
            self.context.parallelize(list(self.known.versions.values()), 1),
        )
        self.known, away = sweep(joined, POLICY, lambda: s3)
        found = at_rest(
            joined,
            self.context.parallelize(list[HeldVersion](), 1),
            self.zone.keys,
            {},
            POLICY,
            noncurrent=timedelta(days=90),
            sample_days=1,
            s3_client=lambda: s3,
        )
        rows = with_swept(with_keys_away(found, away, POLICY), self.known.versions).collect()
        return {(row.verdict, row.object_key, row.version_id): row for row in rows}


@pytest.fixture
def nights(spark: SparkSession) -> Nights:
    return Nights(spark)


def test_what_was_put_while_the_notifications_were_off_is_fixed_as_it_is(nights: Nights) -> None:
    """Somebody takes the bucket's notifications away, uploads, and puts them back. He can put
    something else in its place later, alter it or take it away: it is known what was there."""
    nights.zone.land("before.csv", ONE)
    nights.zone.land("hidden.csv", ONE, recorded=False)
    nights.zone.land("after.csv", ONE)
    first = nights.audit()
    assert set(first) == {
        ("VERIFIED", "before.csv", "v1"),
        ("UNRECORDED", "hidden.csv", "v1"),
        ("VERIFIED", "after.csv", "v1"),
    }
    row = first["UNRECORDED", "hidden.csv", "v1"]
    assert (row.sha256, row.size_bytes, row.hashed_at is None) == (OF_ONE, len(ONE), False)

    nights.zone.land("hidden.csv", TWO, version_id="v2")
    second = nights.audit()
    again = second["UNRECORDED", "hidden.csv", "v1"]
    assert (again.sha256, again.hashed_at) == (OF_ONE, row.hashed_at)
    assert ("VERIFIED", "hidden.csv", "v2") in second
    assert ("VERIFIED", "hidden.csv", "v1") not in second

    nights.zone.s3.objects[RAW, "hidden.csv"][0] = ("v1", TWO)
    third = nights.audit()
    altered = third["ALTERED", "hidden.csv", "v1"]
    assert altered.sha256 == OF_ONE
    assert OF_TWO in altered.verdict_reason
    assert ("UNRECORDED", "hidden.csv", "v1") in third

    del nights.zone.s3.objects[RAW, "hidden.csv"][0]
    assert nights.audit()["REMOVED", "hidden.csv", "v1"].sha256 == OF_ONE


def test_of_a_record_that_came_after_all_the_sweep_knows_nothing_any_more(nights: Nights) -> None:
    """S3 was late with one notification: the next reading resolves the page."""
    nights.zone.land("late.csv", ONE, recorded=False)
    assert set(nights.audit()) == {("UNRECORDED", "late.csv", "v1")}
    del nights.zone.s3.objects[RAW, "late.csv"]
    nights.zone.land("late.csv", ONE)
    assert set(nights.audit()) == {("VERIFIED", "late.csv", "v1")}
    assert nights.known == Sweep({})


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
