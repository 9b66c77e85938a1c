"""Records as the seal holds them."""

from __future__ import annotations

import hashlib
from typing import Any, cast

import pytest
from pyspark.sql import SparkSession
from tests.plugins.custody.spark.audit.test_versions import stored
from tests.support.landing_zone import PROVENANCE, LandingZone

from custody.aws.seal.cosigning import Cosigning
from custody.core.formats.untrusted import MalformedInput
from custody.core.seal.entries import RecordEntry
from custody.settings import Settings
from custody.spark.audit.sealing import cosigning_policy, have_cosigned, record_entries

# PySpark leaves the socket of every collect() to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")


def test_records_are_sealed_by_the_hash_of_their_envelopes(spark: SparkSession) -> None:
    zone = LandingZone()
    zone.land("a.csv", b"id\n1\n")
    (record,) = stored(zone)
    s3 = zone.s3
    ((_, envelope),) = s3.objects[PROVENANCE, record.version.key]
    entries, away = record_entries(spark.sparkContext, [record], lambda: s3, ())
    assert not away
    assert entries == [RecordEntry(record.version.key, hashlib.sha256(envelope).hexdigest())]


@pytest.mark.parametrize("settings", [{}, {"cosigning_policy": ""}])
def test_without_a_policy_nobody_is_asked(settings: dict[str, str]) -> None:
    policy = cosigning_policy(Settings.parse(settings))
    nothing = cast("Any", None)
    found = have_cosigned(policy, nothing, nothing, nothing, nothing, nothing)
    assert (policy, found) == (None, Cosigning())


def test_a_policy_that_cannot_be_read_is_said_at_once() -> None:
    with pytest.raises(MalformedInput, match="cosigning policy, line 1"):
        cosigning_policy(Settings.parse({"cosigning_policy": "quorum nobody\n"}))
