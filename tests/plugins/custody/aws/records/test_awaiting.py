"""Records that may still come are waited for, and nothing else is."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from tests.support.moto_aws import refusal
from tests.support.strategies import AWKWARD_KEYS

from custody.aws.records import awaiting
from custody.aws.records.awaiting import AT_ONCE, awaiting_records
from custody.core.records.names import record_id, record_key
from custody.objects import ObjectVersion

PREFIX = "incoming/customers/dt=2026-11-01/"
SECOND = timedelta(seconds=1)


def land(s3, bucket, name, body=b"x"):
    return s3.put_object(Bucket=bucket, Key=PREFIX + name, Body=body)["VersionId"]


def record(s3, raw, provenance, name, version, *, days=0):
    key = record_key(
        datetime.now(UTC) + timedelta(days=days),
        record_id(ObjectVersion(raw, PREFIX + name, version)),
    )
    s3.put_object(Bucket=provenance, Key=key, Body=b"{}")


def waiting(s3, raw, provenance, *, patience=timedelta(hours=1), now=None, waiting_since=None):
    now = now or datetime.now(UTC)
    found = awaiting_records(
        s3,
        raw_bucket=raw,
        provenance_bucket=provenance,
        prefix=PREFIX,
        now=now,
        waiting_since=waiting_since or now,
        patience=patience,
    )
    return [
        (landed.version.key.removeprefix(PREFIX), landed.version.version_id) for landed in found
    ]


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


def test_many_files_are_asked_about_at_once(s3, raw, provenance, monkeypatch):
    """One after another, 10,000 files take minutes, at every poke."""
    for number in range(AT_ONCE):
        land(s3, raw, f"{number}.csv")
    together = threading.Barrier(AT_ONCE)

    def exists(*_):
        together.wait(timeout=10)
        return False

    monkeypatch.setattr(awaiting, "exists", exists)
    assert len(waiting(s3, raw, provenance)) == AT_ONCE


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
    version = land(s3, raw, "a.csv")
    landed = s3.head_object(Bucket=raw, Key=PREFIX + "a.csv")["LastModified"]
    ten = timedelta(minutes=10)
    for age, waited in ((ten - SECOND, [("a.csv", version)]), (ten, [])):
        assert waiting(s3, raw, provenance, now=landed + age, patience=ten) == waited


def upload_in_parts(s3, raw, name, began):
    """Land a file by a multipart upload that S3 dates by when it began; its version id."""
    what = {"Bucket": raw, "Key": PREFIX + name}
    upload = what | {"UploadId": s3.create_multipart_upload(**what)["UploadId"]}
    part = s3.upload_part(**upload, PartNumber=1, Body=b"x")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    version = s3.complete_multipart_upload(**upload, MultipartUpload=parts)["VersionId"]

    def date_back(parsed, **_):
        for item in parsed["Versions"]:
            item["LastModified"] = began

    s3.meta.events.register("after-call.s3.ListObjectVersions", date_back)
    return version


def test_an_upload_in_parts_is_waited_for_from_when_the_wait_began(s3, raw, provenance):
    """It began before the limit; when it was completed nobody knows."""
    start, ten = datetime.now(UTC), timedelta(minutes=10)
    version = upload_in_parts(s3, raw, "a.csv", began=start - timedelta(days=2))
    for waited, expected in ((0 * ten, [("a.csv", version)]), (ten, [])):
        found = waiting(s3, raw, provenance, now=start + waited, waiting_since=start, patience=ten)
        assert found == expected


def test_the_record_of_an_upload_in_parts_is_found_where_it_is_filed(s3, raw, provenance):
    """Begun two days ago, completed today, and filed under the day it was completed."""
    began = datetime.now(UTC) - timedelta(days=2)
    version = upload_in_parts(s3, raw, "a.csv", began=began)
    record(s3, raw, provenance, "a.csv", version)
    assert waiting(s3, raw, provenance) == []


def test_not_being_allowed_to_look_is_no_missing_record(s3, raw, provenance):
    land(s3, raw, "a.csv")
    s3.meta.events.register("before-call.s3.HeadObject", lambda **_: refusal("403", 403))
    with pytest.raises(ClientError, match="403"):
        waiting(s3, raw, provenance)
