"""What a bucket holds, and bytes read back."""

import hashlib
import io

import pytest
from botocore.exceptions import ClientError, FlexibleChecksumError
from tests.support.moto_aws import make_bucket, refusal
from tests.support.s3_answers import encrypt_anew

from custody.aws.s3.at_rest import audited_versions, held_versions, read_back
from custody.core.ledger.kinds.at_rest import Reading
from custody.core.ledger.kinds.keys import KeyAway
from custody.objects import ObjectVersion
from custody.settings import Settings


def put(s3, bucket, key, body=b"x"):
    return s3.put_object(Bucket=bucket, Key=key, Body=body)["VersionId"]


def test_versions_and_markers_are_listed_however_old(s3, raw):
    first, second = put(s3, raw, "a b+é"), put(s3, raw, "a b+é")
    marker = s3.delete_object(Bucket=raw, Key="a b+é")["VersionId"]
    other = put(s3, raw, "folder/")
    found = {(held.version, held.is_marker) for held in held_versions(s3, raw)}
    assert found == {
        (ObjectVersion(raw, "a b+é", first), False),
        (ObjectVersion(raw, "a b+é", second), False),
        (ObjectVersion(raw, "a b+é", marker), True),
        (ObjectVersion(raw, "folder/", other), False),
    }
    assert all(held.stored_at.tzinfo for held in held_versions(s3, raw))


def test_an_audit_is_of_the_data_and_of_what_hides_evidence(s3):
    settings = {
        f"{role}_bucket": make_bucket(s3, f"custody-test-{role}")
        for role in ("raw", "processed", "analytics", "provenance", "trail")
    }
    for bucket in settings.values():
        put(s3, bucket, "stands")
        put(s3, bucket, "hidden")
        s3.delete_object(Bucket=bucket, Key="hidden")
    found = [
        (held.version.bucket, held.version.key, held.is_marker)
        for held in audited_versions(s3, Settings.parse(settings))
    ]
    assert sorted(found) == sorted(
        [
            *((settings[f"{role}_bucket"], key, marker)
              for role in ("raw", "processed", "analytics")
              for key, marker in (("stands", False), ("hidden", False), ("hidden", True))),
            (settings["provenance_bucket"], "hidden", True),
        ]
    )  # fmt: skip


def test_the_very_version_is_read(s3, raw):
    first = put(s3, raw, "a", b"first")
    put(s3, raw, "a", b"second")
    assert read_back(s3, ObjectVersion(raw, "a", first)) == Reading(
        hashlib.sha256(b"first").hexdigest(), size_bytes=len(b"first")
    )


def test_what_s3_will_not_hand_out_any_more_is_gone(s3, raw):
    version = put(s3, raw, "a")
    s3.delete_object(Bucket=raw, Key="a", VersionId=version)
    found = read_back(s3, ObjectVersion(raw, "a", version))
    assert (found.sha256, found.gone) == (None, True)
    assert found.trouble.startswith("NoSuchVersion")


def test_bytes_that_are_not_as_many_as_announced_are_a_reading(s3, raw):
    version = put(s3, raw, "a", b"12345")

    def announce_more(parsed, **_):
        parsed["ContentLength"] = 6

    s3.meta.events.register("after-call.s3.GetObject", announce_more)
    found = read_back(s3, ObjectVersion(raw, "a", version))
    assert (found.sha256, found.gone) == (None, False)
    assert "read 5 bytes, S3 announced 6" in found.trouble


@pytest.mark.parametrize("faults", [1, 2])
def test_bytes_that_s3s_own_checksum_does_not_fit_are_read_twice(s3, raw, faults):
    """What the SDK raises at the end of a body, where S3 keeps a checksum with the object."""
    version, left = put(s3, raw, "a"), [1] * faults

    class Faulty(io.BytesIO):
        def read(self, *_):
            raise FlexibleChecksumError(error_msg="Expected checksum A did not match B")

    def fault(parsed, **_):
        if left.pop() if left else False:
            parsed["Body"] = Faulty()

    s3.meta.events.register("after-call.s3.GetObject", fault)
    found = read_back(s3, ObjectVersion(raw, "a", version))
    if faults == 1:
        assert found == Reading(hashlib.sha256(b"x").hexdigest(), size_bytes=1)
    else:
        assert (found.sha256, found.gone) == (None, False)
        assert found.trouble.startswith("they do not fit the checksum S3 keeps with them (Expected")


def test_a_refusal_is_no_ones_fault_but_ours(s3, raw):
    version = put(s3, raw, "a")
    s3.meta.events.register("before-call.s3.GetObject", lambda **_: refusal("AccessDenied", 403))
    with pytest.raises(ClientError, match="AccessDenied"):
        read_back(s3, ObjectVersion(raw, "a", version))


OF_OTHERS = "they were encrypted anew under a key of others (AccessDenied)"


@pytest.mark.parametrize(("used", "known", "found"), [
    ("theirs", {"own"}, Reading(None, OF_OTHERS)),
    # Which says nothing of the version, nor of whoever wrote it.
    ("own", {"own"}, Reading(None, key_away=KeyAway("own", "AccessDenied"))),
    ("theirs", set(), None),
])  # fmt: skip
def test_a_version_is_not_read_for_its_key(s3, raw, used, known, found):
    version = ObjectVersion(raw, "a", put(s3, raw, "a"))
    encrypt_anew(s3, "a", used)
    if found is not None:
        assert read_back(s3, version, own_keys=known) == found
    else:
        with pytest.raises(ClientError, match="AccessDenied"):
            read_back(s3, version, own_keys=known)


def test_an_outage_of_kms_is_no_finding(s3, raw):
    version = ObjectVersion(raw, "a", put(s3, raw, "a"))
    encrypt_anew(s3, "a", "own", "KMS.ThrottlingException")
    with pytest.raises(ClientError, match="Throttling"):
        read_back(s3, version, own_keys={"own"})
