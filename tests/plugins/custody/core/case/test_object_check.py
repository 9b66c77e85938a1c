"""One object version against what is kept about it."""

from dataclasses import astuple, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.support.moto_aws import KEY_ARN, PRIVATE_KEY

from custody.core.case.object_check import CheckedVersion, Outcome, check_version
from custody.core.formats.dsse import PAYLOAD_TYPE, Envelope, Signature, pae
from custody.core.records.checking import ReadEnvelope, TrustedKey, read_envelope
from custody.core.records.model import (
    HashedVersion,
    LandingEvent,
    LandingRecord,
    Record,
    UnreadableReason,
    UnreadableRecord,
)
from custody.core.records.names import conflict_key, record_id, record_key
from custody.core.records.recording import RECORDER
from custody.core.records.statement import to_statement
from custody.core.trail.events import TrailEvent
from custody.core.trail.principals import Principal
from custody.objects import ObjectVersion

AT = datetime(2026, 11, 1, 6, tzinfo=UTC)
DER = PRIVATE_KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
KEYS = {KEY_ARN: TrustedKey(KEY_ARN, DER, datetime(1970, 1, 1, tzinfo=UTC), None)}
VERSION = ObjectVersion("custody-raw", "incoming/a.csv", "v1")
EVENT = LandingEvent("ObjectCreated:Put", AT, "R1", "host", "203.0.113.7", "AWS:AIDA")
RECORD = LandingRecord(
    VERSION,
    "ab" * 32,
    12,
    "etag",
    "0055AED6",
    None,
    EVENT,
    AT + timedelta(seconds=1),
    RECORDER,
)
SAME = HashedVersion("ab" * 32, 12, "etag", None)
PLACE = record_key(AT, record_id(VERSION))
WRITE = TrailEvent(
    "e1", "PutObject", AT, *astuple(VERSION), False, "R1", 12,
    Principal("arn:aws:iam::111122223333:user/crm", "IAMUser", "AIDA", None),
    "203.0.113.7", None, None, "log", True,
)  # fmt: skip


def envelope(
    record: Record = RECORD,
    place: str = PLACE,
    key: ec.EllipticCurvePrivateKey = PRIVATE_KEY,
) -> ReadEnvelope:
    payload = to_statement(record)
    signature = key.sign(pae(PAYLOAD_TYPE, payload), ec.ECDSA(SHA256()))
    raw = Envelope(payload, PAYLOAD_TYPE, (Signature(KEY_ARN, signature),)).to_json_line()
    return kept(raw, place)


def kept(raw: bytes, place: str = PLACE) -> ReadEnvelope:
    return read_envelope(raw, KEYS, stored=ObjectVersion("p", place, "null"), stored_at=AT)


def check(*envelopes: ReadEnvelope, found: Any = SAME, **more: Any) -> CheckedVersion:
    return check_version(VERSION, envelopes=envelopes, found=found, **more)


def test_the_bytes_of_the_record_are_ok():
    checked = check(envelope())
    assert (checked.outcome, checked.found) == (Outcome.OK, SAME)
    assert checked.record is not None
    assert checked.record.claim == RECORD


def test_without_a_record_it_is_unrecorded_whatever_the_bytes_are():
    assert check().outcome is Outcome.UNRECORDED
    assert check(found="refused").outcome is Outcome.UNRECORDED


@pytest.mark.parametrize(
    "found", [replace(SAME, sha256="cd" * 32), replace(SAME, size_bytes=13)], ids=["hash", "size"]
)
def test_other_bytes_are_altered_and_both_hashes_are_named(found):
    checked = check(envelope(), found=found)
    assert checked.outcome is Outcome.ALTERED
    assert "ab" * 32 in checked.reason
    assert found.sha256 in checked.reason


def test_an_untrusted_signature_is_bad_even_where_the_bytes_agree():
    untrusted = ec.generate_private_key(ec.SECP256R1())
    assert check(envelope(key=untrusted)).outcome is Outcome.BAD_SIGNATURE


def test_a_bad_record_beside_a_good_one_is_not_passed_over():
    untrusted = ec.generate_private_key(ec.SECP256R1())
    assert check(envelope(), envelope(key=untrusted)).outcome is Outcome.BAD_SIGNATURE


@pytest.mark.parametrize(
    "stray",
    [
        kept(b"{"),
        envelope(replace(RECORD, version=replace(RECORD.version, version_id="v2"))),
        envelope(replace(RECORD, version=replace(RECORD.version, key="incoming/b.csv"))),
        envelope(place=record_key(AT, "0" * 64)),
    ],
    ids=["no envelope", "another version", "another object", "another place"],
)
def test_another_object_under_the_key_of_its_record_is_bad(stray):
    assert check(stray).outcome is Outcome.BAD_SIGNATURE
    assert check(envelope(), stray).outcome is Outcome.BAD_SIGNATURE


def test_records_that_disagree_are_a_conflict_although_one_is_right():
    other = replace(RECORD, sha256="cd" * 32)
    beside = envelope(other, conflict_key(PLACE, other.sha256))
    assert check(envelope(), beside).outcome is Outcome.CONFLICT


def test_what_could_not_be_read_is_unreadable():
    unreadable = UnreadableRecord(
        VERSION,
        12,
        "etag",
        "0055AED6",
        EVENT,
        UnreadableReason.CUSTOMER_KEY,
        "no",
        AT,
        RECORDER,
    )
    assert check(envelope(unreadable)).outcome is Outcome.UNREADABLE
    assert check(envelope(), found="S3 answers AccessDenied.") == replace(
        check(envelope()), outcome=Outcome.UNREADABLE, reason="S3 answers AccessDenied.", found=None
    )


def test_bytes_that_nobody_asked_for_are_not_claimed_to_agree():
    checked = check(envelope(), found=None)
    assert checked.outcome is Outcome.OK
    assert "no bytes were compared" in checked.reason


def test_events_count_whoever_wrote():
    assert check(envelope(), writes=[WRITE]).write == WRITE
    assert check(envelope(), writes=[WRITE]).outcome is Outcome.OK
    other = replace(WRITE, request_id="R2")
    assert check(envelope(), writes=[other]).outcome is Outcome.CONFLICT
    assert check(envelope(), writes=[replace(WRITE, bytes_in=3)]).outcome is Outcome.CONFLICT
