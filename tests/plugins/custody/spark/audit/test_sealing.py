"""Records as the seal holds them."""

from __future__ import annotations

import hashlib

import pytest
from pyspark.sql import SparkSession
from tests.plugins.custody.spark.audit.test_versions import stored
from tests.support.landing_zone import PROVENANCE, LandingZone

from custody.core.seal.entries import RecordEntry
from custody.spark.audit.sealing import record_entries

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


def test_records_are_sealed_by_the_hash_of_their_envelopes(spark: SparkSession) -> None:
    zone = LandingZone()
    zone.land("a.csv", b"id\n1\n")
    (record,) = stored(zone)
    s3 = zone.s3
    ((_, envelope),) = s3.objects[PROVENANCE, record.version.key]
    entries = record_entries(spark.sparkContext, [record], lambda: s3)
    assert entries == [RecordEntry(record.version.key, hashlib.sha256(envelope).hexdigest())]
