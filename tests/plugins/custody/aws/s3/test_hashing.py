"""The exact version, all of it, and never much of it at once."""

import hashlib
import io

import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from tests.support.moto_aws import DATA_KEY_ARN, make_bucket, refusal
from tests.support.s3_answers import BreakingBody, got
from tests.support.strategies import AWKWARD_KEYS

from custody.aws.s3.hashing import IncompleteObject, Unreadable, VersionGone, hash_version
from custody.aws.s3.reading import CHUNK_BYTES
from custody.core.records.model import UnreadableReason
from custody.objects import ObjectVersion


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_hashes_the_version_that_was_named(s3, raw):
    first = s3.put_object(Bucket=raw, Key="k", Body=b"first")
    s3.put_object(Bucket=raw, Key="k", Body=b"second")
    hashed = hash_version(s3, ObjectVersion(raw, "k", first["VersionId"]))
    assert (hashed.sha256, hashed.size_bytes) == (sha256(b"first"), 5)
    assert hashed.etag == first["ETag"].strip('"')


@pytest.mark.parametrize("key", [k for k in AWKWARD_KEYS if k != "."])  # moto drops "." from URLs
def test_any_key_can_be_read(s3, raw, key):
    version = s3.put_object(Bucket=raw, Key=key, Body=b"x")["VersionId"]
    assert hash_version(s3, ObjectVersion(raw, key, version)).sha256 == sha256(b"x")


def test_an_empty_object_has_the_hash_of_nothing(s3, raw):
    version = s3.put_object(Bucket=raw, Key="k", Body=b"")["VersionId"]
    hashed = hash_version(s3, ObjectVersion(raw, "k", version))
    assert (hashed.sha256, hashed.size_bytes) == (sha256(b""), 0)


def test_an_object_without_version_is_version_null(s3):
    bucket = make_bucket(s3, "custody-test-plain", versioned=False)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert hash_version(s3, ObjectVersion(bucket, "k", "null")).sha256 == sha256(b"x")


@pytest.mark.parametrize("size", [CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_chunk_borders_lose_nothing(s3, raw, size):
    content = bytes(i % 251 for i in range(1000)) * (size // 1000 + 1)
    content = content[:size]
    version = s3.put_object(Bucket=raw, Key="k", Body=content)["VersionId"]
    hashed = hash_version(s3, ObjectVersion(raw, "k", version))
    assert (hashed.sha256, hashed.size_bytes) == (sha256(content), size)


def test_keeps_the_checksum_s3_keeps(s3, raw):
    put = s3.put_object(Bucket=raw, Key="k", Body=b"x", ChecksumAlgorithm="SHA256")
    checksum = hash_version(s3, ObjectVersion(raw, "k", put["VersionId"])).checksum
    assert checksum is not None
    assert (checksum.algorithm, checksum.value) == ("SHA256", put["ChecksumSHA256"])
    assert checksum.object_sha256 == sha256(b"x")


def test_a_multipart_checksum_is_composite(s3, raw):
    upload = s3.create_multipart_upload(Bucket=raw, Key="k", ChecksumAlgorithm="SHA256")
    parts = []
    for number, body in enumerate((b"a" * 5 * 1024 * 1024, b"b"), start=1):
        part = s3.upload_part(
            Bucket=raw,
            Key="k",
            UploadId=upload["UploadId"],
            PartNumber=number,
            Body=body,
            ChecksumAlgorithm="SHA256",
        )
        parts.append(
            {
                "PartNumber": number,
                "ETag": part["ETag"],
                "ChecksumSHA256": part["ChecksumSHA256"],
            }
        )
    done = s3.complete_multipart_upload(
        Bucket=raw, Key="k", UploadId=upload["UploadId"], MultipartUpload={"Parts": parts}
    )
    hashed = hash_version(s3, ObjectVersion(raw, "k", done["VersionId"]))
    assert hashed.sha256 == sha256(b"a" * 5 * 1024 * 1024 + b"b")
    assert hashed.etag.endswith("-2")
    assert hashed.checksum is not None
    assert hashed.checksum.type == "COMPOSITE"
    assert hashed.checksum.value.endswith("-2")
    assert hashed.checksum.object_sha256 is None


def test_a_deleted_version_is_gone(s3, raw):
    version = s3.put_object(Bucket=raw, Key="k", Body=b"x")["VersionId"]
    s3.delete_object(Bucket=raw, Key="k", VersionId=version)
    with pytest.raises(VersionGone, match=f"s3://{raw}/k version {version}"):
        hash_version(s3, ObjectVersion(raw, "k", version))


@pytest.mark.parametrize(
    ("code", "status"), [("NoSuchVersion", 404), ("NoSuchKey", 404), ("MethodNotAllowed", 405)]
)
def test_every_way_s3_says_gone(s3, raw, code, status):
    s3.meta.events.register("before-call.s3.GetObject", lambda **_: refusal(code, status))
    with pytest.raises(VersionGone):
        hash_version(s3, ObjectVersion(raw, "k", "v"))


@pytest.mark.parametrize(("code", "status"), [("AccessDenied", 403), ("NoSuchBucket", 404)])
def test_other_refusals_say_nothing_about_the_version(s3, raw, code, status):
    s3.meta.events.register("before-call.s3.GetObject", lambda **_: refusal(code, status))
    with pytest.raises(ClientError, match=code):
        hash_version(s3, ObjectVersion(raw, "k", "v"))


def refuse_to_get(s3, code: str, status: int, message: str = "") -> None:
    s3.meta.events.register(
        "before-call.s3.GetObject", lambda **_: refusal(code, status, message or code)
    )


def test_an_archived_object_cannot_be_read(s3, raw):
    version = s3.put_object(Bucket=raw, Key="k", Body=b"x", StorageClass="GLACIER")["VersionId"]
    with pytest.raises(Unreadable) as caught:
        hash_version(s3, ObjectVersion(raw, "k", version))
    assert caught.value.reason is UnreadableReason.ARCHIVED
    assert caught.value.answer.startswith("InvalidObjectState: ")


def test_an_object_under_its_uploaders_own_key_cannot_be_read(s3, raw):
    refuse_to_get(s3, "InvalidRequest", 400, "… stored using a form of Server Side Encryption …")
    with pytest.raises(Unreadable) as caught:
        hash_version(s3, ObjectVersion(raw, "k", "v"))
    assert caught.value.reason is UnreadableReason.CUSTOMER_KEY


OTHER_KEY_ARN = "arn:aws:kms:us-east-1:444455556666:key/0000abcd-12ab-34cd-56ef-1234567890ab"


def encrypted(s3, raw: str, key_arn: str) -> str:
    """The version of an object under a KMS key, which the reader is then refused."""
    put = s3.put_object(
        Bucket=raw, Key="k", Body=b"x", ServerSideEncryption="aws:kms", SSEKMSKeyId=key_arn
    )
    refuse_to_get(s3, "AccessDenied", 403)
    return str(put["VersionId"])


def test_an_object_under_a_strangers_kms_key_cannot_be_read(s3, raw):
    version = encrypted(s3, raw, OTHER_KEY_ARN)
    with pytest.raises(Unreadable) as caught:
        hash_version(s3, ObjectVersion(raw, "k", version), data_key_arn=DATA_KEY_ARN)
    assert caught.value.reason is UnreadableReason.KMS_KEY


@pytest.mark.parametrize(
    ("used", "meant"), [(DATA_KEY_ARN, DATA_KEY_ARN), (OTHER_KEY_ARN, None)], ids=["ours", "any"]
)
def test_a_refusal_that_can_be_put_right_is_not_final(s3, raw, used, meant):
    """Somebody changed the policy of our own key: that must not be the end of what lands."""
    version = encrypted(s3, raw, used)
    with pytest.raises(ClientError, match="AccessDenied"):
        hash_version(s3, ObjectVersion(raw, "k", version), data_key_arn=meant)


def test_an_object_that_may_not_be_read_at_all_is_not_blamed_on_its_key(s3, raw):
    version = encrypted(s3, raw, OTHER_KEY_ARN)
    s3.meta.events.register("before-call.s3.HeadObject", lambda **_: refusal("403", 403))
    with pytest.raises(ClientError, match="AccessDenied"):
        hash_version(s3, ObjectVersion(raw, "k", version), data_key_arn=DATA_KEY_ARN)


def test_the_key_of_an_object_is_asked_for_without_needing_the_key(s3, raw):
    """HeadObject with ChecksumMode needs kms:Decrypt, as GetObject does."""
    version = encrypted(s3, raw, OTHER_KEY_ARN)
    asked = []
    s3.meta.events.register(
        "before-call.s3.HeadObject", lambda params, **_: asked.append(params["headers"])
    )
    with pytest.raises(Unreadable):
        hash_version(s3, ObjectVersion(raw, "k", version), data_key_arn=DATA_KEY_ARN)
    (headers,) = asked
    assert "x-amz-checksum-mode" not in {name.lower() for name in headers}


def test_an_unencrypted_object_that_is_refused_has_no_key_to_blame(s3, raw):
    version = s3.put_object(Bucket=raw, Key="k", Body=b"x")["VersionId"]
    refuse_to_get(s3, "AccessDenied", 403)
    with pytest.raises(ClientError, match="AccessDenied"):
        hash_version(s3, ObjectVersion(raw, "k", version), data_key_arn=DATA_KEY_ARN)


class CountingBody(io.BytesIO):
    """A body that remembers the largest read asked of it."""

    largest = 0

    def read(self, size: int | None = -1) -> bytes:
        assert size is not None
        assert size > 0, "read to the end in one go"
        self.largest = max(self.largest, size)
        return super().read(size)


def serve(s3, content: bytes, announced: int, **extra: str) -> CountingBody:
    body = CountingBody(content)
    s3.meta.events.register(
        "before-call.s3.GetObject",
        lambda **_: got(StreamingBody(body, None), announced, **extra),
    )
    return body


def test_memory_stays_constant(s3, raw):
    body = serve(s3, b"x" * (5 * CHUNK_BYTES), 5 * CHUNK_BYTES)
    hash_version(s3, ObjectVersion(raw, "k", "v"))
    assert body.largest == CHUNK_BYTES


@pytest.mark.parametrize(
    ("algorithm", "kind", "value", "kept"),
    [
        ("CRC64NVME", "FULL_OBJECT", "AAAAAAAAAAA=", "FULL_OBJECT"),
        ("CRC64NVME", None, "AAAAAAAAAAA=", "FULL_OBJECT"),
        ("CRC32C", "COMPOSITE", "AAAAAA==-3", "COMPOSITE"),
        ("CRC32C", "FULL_OBJECT", "AAAAAA==", "FULL_OBJECT"),
        ("SHA1", "COMPOSITE", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=-9", "COMPOSITE"),
    ],
)
def test_every_checksum_is_kept_with_what_it_covers(s3, raw, algorithm, kind, value, kept):
    extra = {f"Checksum{algorithm}": value} | ({"ChecksumType": kind} if kind else {})
    serve(s3, b"x", 1, **extra)
    checksum = hash_version(s3, ObjectVersion(raw, "k", "v")).checksum
    assert checksum is not None
    assert (checksum.algorithm, checksum.type, checksum.value) == (algorithm, kept, value)
    assert checksum.object_sha256 is None


def test_a_connection_that_breaks_off_is_resumed(s3, raw):
    content = bytes(i % 251 for i in range(3 * CHUNK_BYTES))
    bodies = iter([BreakingBody(content, CHUNK_BYTES + 7), io.BytesIO(content[CHUNK_BYTES + 7 :])])
    s3.meta.events.register(
        "before-call.s3.GetObject",
        lambda **_: got(StreamingBody(next(bodies), None), len(content)),
    )
    hashed = hash_version(s3, ObjectVersion(raw, "k", "v"))
    assert (hashed.sha256, hashed.size_bytes) == (sha256(content), len(content))


@pytest.mark.parametrize("announced", [9, 11])
def test_a_body_of_another_length_is_no_witness(s3, raw, announced):
    serve(s3, b"x" * 10, announced)
    with pytest.raises(IncompleteObject, match=f"read 10 bytes, S3 announced {announced}"):
        hash_version(s3, ObjectVersion(raw, "k", "v"))


def test_can_be_told_to_give_up_between_chunks(s3, raw):
    body = serve(s3, b"x" * (5 * CHUNK_BYTES), 5 * CHUNK_BYTES)
    calls = []

    def give_up() -> None:
        calls.append(body.tell())
        if len(calls) == 3:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        hash_version(s3, ObjectVersion(raw, "k", "v"), before_chunk=give_up)
    assert calls == [0, CHUNK_BYTES, 2 * CHUNK_BYTES]
