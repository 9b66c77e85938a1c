"""From an announcement to its signed record, for everything that happens to objects."""

import hashlib
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.support.moto_aws import DATA_KEY_ARN, KEY_ARN, PRIVATE_KEY, refusal, signing_kms
from tests.support.notices import notice

from custody.aws.records.keeping import Kept, Outcome
from custody.aws.records.recording import RecordingSession
from custody.core.formats.dsse import Envelope
from custody.core.formats.signatures import verify
from custody.core.records.model import LandingRecord, Record, UnreadableReason, UnreadableRecord
from custody.core.records.notifications import ObjectCreated, object_created
from custody.core.records.statement import read_record

KEY = "incoming/a.csv"
PART_BYTES = 5 * 1024 * 1024
NOW = datetime(2026, 11, 1, 6, 0, 2, tzinfo=UTC)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Bench:
    """A bucket that things happen to, and a session that is told of them."""

    def __init__(self, s3: Any, raw: str, provenance: str) -> None:
        self.s3, self.raw, self.provenance = s3, raw, provenance
        self.session = RecordingSession(
            s3, signing_kms(), lambda: NOW, provenance, KEY_ARN, DATA_KEY_ARN
        )

    def put(self, content: bytes = b"x", **how: Any) -> str:
        return str(self.s3.put_object(Bucket=self.raw, Key=KEY, Body=content, **how)["VersionId"])

    def copy(self, version: str) -> str:
        source = {"Bucket": self.raw, "Key": KEY, "VersionId": version}
        return str(self.s3.copy_object(Bucket=self.raw, Key=KEY, CopySource=source)["VersionId"])

    def announcement(self, version: str, way: str = "Put") -> ObjectCreated:
        """What S3 says of a version when it is made, even if it is read much later."""
        listed = self.s3.list_object_versions(Bucket=self.raw)["Versions"]
        (found,) = [item for item in listed if item["VersionId"] == version]
        said = notice(
            bucket=self.raw,
            key=KEY,
            size=found["Size"],
            etag=found["ETag"].strip('"'),
            version_id=version,
        )
        return object_created(said | {"eventName": f"ObjectCreated:{way}"})

    def records(self) -> dict[str, Record]:
        """The verified records, by version; fails if a record object was ever replaced."""
        trusted = {KEY_ARN: PRIVATE_KEY.public_key()}
        listed = self.s3.list_object_versions(Bucket=self.provenance).get("Versions", [])
        assert len(listed) == len({item["Key"] for item in listed})
        found = {}
        for item in listed:
            body = self.s3.get_object(Bucket=self.provenance, Key=item["Key"])["Body"].read()
            record = read_record(verify(Envelope.parse(body), trusted))
            found[record.version.version_id] = record
        return found

    def hashes(self) -> dict[str, str]:
        return {v: r.sha256 for v, r in self.records().items() if isinstance(r, LandingRecord)}


@pytest.fixture
def bench(s3: Any, raw: str, provenance: str) -> Bench:
    return Bench(s3, raw, provenance)


def test_every_overwrite_has_its_own_record_in_whatever_order_they_are_announced(bench):
    contents = [b"one", b"two", b"three"]
    announced = [bench.announcement(bench.put(content)) for content in contents]
    for created in (announced[2], announced[0], announced[1], announced[0], announced[2]):
        bench.session.record(created)
    assert bench.hashes() == {
        created.version.version_id: sha256(content)
        for created, content in zip(announced, contents, strict=True)
    }


def test_what_comes_late_is_recorded_though_it_is_no_longer_the_current_version(bench):
    late = bench.announcement(bench.put(b"old"))
    bench.put(b"new")
    bench.s3.delete_object(Bucket=bench.raw, Key=KEY)  # leaves a delete marker
    assert bench.session.record(late).outcome is Outcome.RECORDED
    assert bench.hashes() == {late.version.version_id: sha256(b"old")}


def test_a_copy_is_a_version_of_its_own(bench):
    first = bench.announcement(bench.put(b"same"))
    second = bench.announcement(bench.copy(first.version.version_id), "Copy")
    for created in (first, second):
        bench.session.record(created)
    assert bench.hashes() == dict.fromkeys(
        (first.version.version_id, second.version.version_id), sha256(b"same")
    )
    assert bench.records()[second.version.version_id].event.name == "ObjectCreated:Copy"


def test_an_old_version_that_is_brought_back_is_recorded_as_what_it_is(bench):
    """Restoring is copying an old version over the current one; it makes a third version."""
    old = bench.put(b"old")
    bench.put(b"new")
    restored = bench.announcement(bench.copy(old), "Copy")
    bench.session.record(restored)
    assert bench.hashes() == {restored.version.version_id: sha256(b"old")}


def test_a_version_that_comes_to_light_under_a_delete_marker_keeps_its_record(bench):
    created = bench.announcement(bench.put(b"x"))
    bench.session.record(created)
    marker = bench.s3.delete_object(Bucket=bench.raw, Key=KEY)["VersionId"]
    bench.s3.delete_object(Bucket=bench.raw, Key=KEY, VersionId=marker)
    assert bench.session.record(created).outcome is Outcome.ALREADY_RECORDED


@pytest.mark.parametrize("algorithm", ["SHA256", "CRC32", None])
def test_a_multipart_upload_is_hashed_whole_and_its_checksum_is_not_taken_for_that(
    bench, algorithm
):
    place = {"Bucket": bench.raw, "Key": KEY}
    how = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    upload = place | {"UploadId": bench.s3.create_multipart_upload(**place, **how)["UploadId"]}
    bodies = [b"a" * PART_BYTES, b"b" * PART_BYTES, b"c"]
    parts = []
    for number, body in enumerate(bodies, start=1):
        part = bench.s3.upload_part(**upload, PartNumber=number, Body=body, **how)
        told = {name: part[name] for name in part if name.startswith("Checksum")}
        parts.append({"PartNumber": number, "ETag": part["ETag"]} | told)
    done = bench.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts})
    created = bench.announcement(done["VersionId"], "CompleteMultipartUpload")
    bench.session.record(created)
    record = bench.records()[created.version.version_id]
    assert record.sha256 == sha256(b"".join(bodies))
    assert record.size_bytes == 2 * PART_BYTES + 1
    assert record.etag.endswith("-3")
    if record.checksum is not None:
        assert record.checksum.object_sha256 is None
        assert (record.checksum.type == "COMPOSITE") == record.checksum.value.endswith("-3")


def test_a_version_gone_before_it_was_read_is_recorded_as_gone(bench):
    created = bench.announcement(bench.put())
    bench.s3.delete_object(Bucket=bench.raw, Key=KEY, VersionId=created.version.version_id)
    assert bench.session.record(created).outcome is Outcome.RECORDED_UNREADABLE
    record = bench.records()[created.version.version_id]
    assert isinstance(record, UnreadableRecord)
    assert (record.reason, record.tried_at) == (UnreadableReason.GONE, NOW)
    assert record.event == created.event
    assert record.answer.startswith("NoSuchVersion: ")


def test_a_version_gone_after_it_was_recorded_keeps_its_record(bench):
    created = bench.announcement(bench.put(b"x"))
    bench.session.record(created)
    bench.s3.delete_object(Bucket=bench.raw, Key=KEY, VersionId=created.version.version_id)
    assert bench.session.record(created).outcome is Outcome.ALREADY_RECORDED
    assert bench.hashes() == {created.version.version_id: sha256(b"x")}


def test_an_archived_object_is_recorded_as_such_and_only_once(bench):
    created = bench.announcement(bench.put(StorageClass="DEEP_ARCHIVE"))
    outcomes = [bench.session.record(created).outcome for _ in range(2)]
    assert outcomes == [Outcome.RECORDED_UNREADABLE, Outcome.ALREADY_RECORDED]
    assert bench.records()[created.version.version_id].reason is UnreadableReason.ARCHIVED


def refused(bench, code: str, message: str = "", **how: Any) -> tuple[ObjectCreated, Kept]:
    """Record an object that GetObject refuses; moto knows neither SSE-C nor key policies."""
    created = bench.announcement(bench.put(**how))
    bench.s3.meta.events.register_first(
        "before-call.s3.GetObject", lambda **_: refusal(code, 400, message), unique_id="refuse"
    )
    try:
        return created, bench.session.record(created)
    finally:
        bench.s3.meta.events.unregister("before-call.s3.GetObject", unique_id="refuse")


def test_an_object_under_a_key_that_only_its_uploader_has_is_recorded_as_such(bench):
    message = "The object was stored using a form of Server Side Encryption. The correct parameters"
    created, kept = refused(bench, "InvalidRequest", message)
    record = bench.records()[created.version.version_id]
    assert kept.outcome is Outcome.RECORDED_UNREADABLE
    assert record.reason is UnreadableReason.CUSTOMER_KEY
    assert record.answer == f"InvalidRequest: {message}"


def test_an_object_under_a_kms_key_of_others_is_recorded_as_such(bench):
    other = DATA_KEY_ARN.replace("5678", "9999")
    created, _ = refused(bench, "AccessDenied", ServerSideEncryption="aws:kms", SSEKMSKeyId=other)
    assert bench.records()[created.version.version_id].reason is UnreadableReason.KMS_KEY


def test_an_object_under_the_platforms_own_key_is_not_given_up(bench):
    with pytest.raises(Exception, match="AccessDenied"):
        refused(bench, "AccessDenied", ServerSideEncryption="aws:kms", SSEKMSKeyId=DATA_KEY_ARN)
    assert bench.records() == {}


@pytest.mark.parametrize("code", ["SlowDown", "InternalError", "NoSuchBucket", "InvalidRequest"])
def test_what_may_pass_is_tried_again(bench, code):
    with pytest.raises(Exception, match=code):
        refused(bench, code)
    assert bench.records() == {}


@pytest.mark.parametrize("name", ["signing_key_arn", "data_key_arn"])
def test_a_key_is_given_by_its_arn(bench, name):
    keys = {"signing_key_arn": KEY_ARN, "data_key_arn": DATA_KEY_ARN} | {name: "alias/custody"}
    with pytest.raises(ValueError, match=f"{name} must be the ARN of a KMS key"):
        RecordingSession(bench.s3, signing_kms(), lambda: NOW, bench.provenance, **keys)
