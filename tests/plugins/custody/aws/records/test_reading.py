"""Records that S3 does not hand out."""

from datetime import date
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.support.moto_aws import answer, refusal
from tests.support.trail_history import NOON

from custody.aws.records.reading import late_notes, read_record
from custody.aws.s3.errors import ObjectAbsent
from custody.aws.s3.listing import StoredVersion
from custody.core.records.names import late_key, record_key
from custody.objects import ObjectVersion

SSE_C = "The object was stored using a form of Server Side Encryption."
PLANTED = StoredVersion(
    ObjectVersion("provenance", "provenance/incoming/dt=2026-11-01/x.json", "v1"), NOON
)


def get_object_says(s3: Any, code: str, message: str = "") -> None:
    s3.meta.events.register(
        "before-call.s3.GetObject", lambda **_: refusal(code, 400, message), unique_id="get"
    )


def encrypted_with(s3: Any, key: str | None) -> None:
    head = {"SSEKMSKeyId": key} if key else {}
    s3.meta.events.register("before-call.s3.HeadObject", lambda **_: answer(head))


@pytest.mark.parametrize(
    ("code", "message", "key"),
    [
        ("InvalidRequest", SSE_C, None),
        ("InvalidObjectState", "", None),
        ("AccessDenied", "", "arn:aws:kms:us-east-1:999999999999:key/theirs"),
    ],
    ids=["a customer's key", "archived", "a KMS key of somebody's"],
)
def test_a_record_that_nobody_can_read_is_not_to_be_believed(s3, code, message, key):
    get_object_says(s3, code, message)
    encrypted_with(s3, key)
    found = read_record(s3, PLANTED, {})
    assert (found.stored, found.claim) == (PLANTED.version, None)
    assert (found.trouble, found.was_read) == (f"S3 does not hand it out ({code})", False)


def test_of_a_record_under_a_key_of_our_own_that_is_away_it_is_told_which(s3):
    get_object_says(s3, "KMS.DisabledException")
    encrypted_with(s3, "arn:aws:kms:us-east-1:111122223333:key/own")
    found = read_record(s3, PLANTED, {}, {"own"})
    assert (found.key_away, found.trouble) == ("own", "KMS.DisabledException")
    assert (found.claim, found.was_read) == (None, False)
    other = read_record(s3, PLANTED, {}, {"another"})
    assert (other.key_away, other.trouble) == (
        None,
        "S3 does not hand it out (KMS.DisabledException)",
    )


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidRequest", "SlowDown"])
def test_what_is_not_the_records_fault_is_raised(s3, code):
    get_object_says(s3, code)
    encrypted_with(s3, None)
    with pytest.raises(ClientError, match=code):
        read_record(s3, PLANTED, {})


def test_a_record_that_is_gone_is_absent(s3):
    get_object_says(s3, "NoSuchVersion")
    with pytest.raises(ObjectAbsent):
        read_record(s3, PLANTED, {})


def test_notes_that_records_are_late_are_found_by_their_days(s3, provenance):
    day, name = date(2026, 11, 1), "ab" * 32
    key = late_key(NOON.replace(day=1), name)
    for place in (key, key, late_key(NOON.replace(day=3), name), record_key(NOON, name)):
        s3.put_object(Bucket=provenance, Key=place)
    first = min(
        version["LastModified"]
        for version in s3.list_object_versions(Bucket=provenance, Prefix=key)["Versions"]
    )
    assert late_notes(s3, provenance, [day]) == {key: first}
    assert late_notes(s3, provenance, [date(2026, 11, 2)]) == {}
