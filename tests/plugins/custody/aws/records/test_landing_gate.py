"""The gate waits for records that may still come, and for nothing else."""

from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from tests.support.moto_aws import refusal
from tests.support.strategies import AWKWARD_KEYS

from custody.aws.records.landing_gate import awaiting_record
from custody.core.records.landing import record_id, record_key

PREFIX = "incoming/customers/dt=2026-11-01/"
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def land(s3, bucket, name, body=b"x"):
    return s3.put_object(Bucket=bucket, Key=PREFIX + name, Body=body)["VersionId"]


def record(s3, raw, provenance, name, version, *, days=0):
    key = record_key(
        datetime.now(UTC) + timedelta(days=days), record_id(raw, PREFIX + name, version)
    )
    s3.put_object(Bucket=provenance, Key=key, Body=b"{}")


def waiting(s3, raw, provenance, landed_after=LONG_AGO):
    found = awaiting_record(
        s3,
        raw_bucket=raw,
        provenance_bucket=provenance,
        prefix=PREFIX,
        landed_after=landed_after,
    )
    return [(landed.key.removeprefix(PREFIX), landed.version_id) for landed in found]


@pytest.mark.parametrize("name", [k for k in AWKWARD_KEYS if len(k) < 500 and k != "."])
def test_a_file_waits_until_it_has_its_record(s3, raw, provenance, name):
    version = land(s3, raw, f"a{name}z")
    assert waiting(s3, raw, provenance) == [(f"a{name}z", version)]
    record(s3, raw, provenance, f"a{name}z", version)
    assert waiting(s3, raw, provenance) == []


@pytest.mark.parametrize("days", [-1, 1])
def test_a_record_may_be_filed_under_the_day_beside(s3, raw, provenance, days):
    record(s3, raw, provenance, "a.csv", land(s3, raw, "a.csv"), days=days)
    assert waiting(s3, raw, provenance) == []


def test_only_the_current_version_counts(s3, raw, provenance):
    first = land(s3, raw, "a.csv")
    record(s3, raw, provenance, "a.csv", first)
    second = land(s3, raw, "a.csv")
    assert waiting(s3, raw, provenance) == [("a.csv", second)]


def test_other_days_folder_markers_and_deleted_files_are_not_waited_for(s3, raw, provenance):
    s3.put_object(Bucket=raw, Key="incoming/customers/dt=2026-11-02/a.csv", Body=b"x")
    s3.put_object(Bucket=raw, Key=PREFIX)
    land(s3, raw, "gone.csv")
    s3.delete_object(Bucket=raw, Key=PREFIX + "gone.csv")
    assert waiting(s3, raw, provenance) == []


def test_a_file_whose_time_is_up_is_not_waited_for(s3, raw, provenance):
    land(s3, raw, "a.csv")
    assert waiting(s3, raw, provenance, datetime.now(UTC) + timedelta(minutes=1)) == []


def test_not_being_allowed_to_look_is_no_missing_record(s3, raw, provenance):
    land(s3, raw, "a.csv")
    s3.meta.events.register("before-call.s3.HeadObject", lambda **_: refusal("403", 403))
    with pytest.raises(ClientError, match="403"):
        waiting(s3, raw, provenance)
