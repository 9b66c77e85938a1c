"""Envelopes as they lie in the provenance bucket, signed with real keys."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from tests.support.strategies import json_values, records

from custody.core.formats.dsse import PAYLOAD_TYPE, Envelope, Signature, pae
from custody.core.records.checking import CHANGEOVER, ReadEnvelope, TrustedKey, read_envelope
from custody.core.records.model import LandingEvent, LandingRecord, Recorder
from custody.core.records.statement import to_statement
from custody.objects import ObjectVersion

OLD, NEW, STRANGER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
ROTATED = datetime(2026, 11, 1, 12, tzinfo=UTC)
OVERLAP = timedelta(hours=1)
"""Both keys sign for an hour after the new one came."""
TICK = timedelta(milliseconds=1)


def trusted(
    key_id: str, key: ec.EllipticCurvePrivateKey, since: datetime, until: datetime | None
) -> TrustedKey:
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return TrustedKey(key_id, der, since, until)


KEYS = {
    "old": trusted("old", OLD, ROTATED - timedelta(days=90), ROTATED + OVERLAP),
    "new": trusted("new", NEW, ROTATED, None),
}
RECORD = LandingRecord(
    version=ObjectVersion("raw", "incoming/a.csv", "v1"),
    sha256="ab" * 32,
    size_bytes=12,
    etag="e",
    sequencer="00",
    checksum=None,
    event=LandingEvent(
        "ObjectCreated:Put", ROTATED, "R1", "host", "203.0.113.7", "AWS:AIDACRMEXPORT"
    ),
    hashed_at=ROTATED,
    recorder=Recorder("custody-recorder", "1.0.0"),
)


def sign(
    key: ec.EllipticCurvePrivateKey, keyid: str, payload: bytes, payload_type: str = PAYLOAD_TYPE
) -> Signature:
    return Signature(keyid, key.sign(pae(payload_type, payload), ec.ECDSA(SHA256())))


def envelope(
    *signers: tuple[ec.EllipticCurvePrivateKey, str], record: LandingRecord = RECORD
) -> Envelope:
    payload = to_statement(record)
    return Envelope(payload, PAYLOAD_TYPE, tuple(sign(key, name, payload) for key, name in signers))


def read(raw: Envelope | bytes) -> ReadEnvelope:
    return read_envelope(
        raw.to_json_line() if isinstance(raw, Envelope) else raw,
        KEYS,
        stored=ObjectVersion("provenance", "provenance/incoming/dt=2026-11-01/r1.json", "p1"),
        stored_at=ROTATED,
    )


def test_a_good_envelope_is_believed() -> None:
    assert read(envelope((NEW, "new"))) == ReadEnvelope(
        stored=ObjectVersion("provenance", "provenance/incoming/dt=2026-11-01/r1.json", "p1"),
        stored_at=ROTATED,
        key_id="new",
        claim=RECORD,
        trouble=None,
    )


@given(records.map(lambda record: replace(record, hashed_at=ROTATED)))
def test_whatever_a_good_envelope_is_about(record: LandingRecord) -> None:
    found = read(envelope((NEW, "new"), record=record))
    assert (found.claim, found.trouble) == (record, None)


UNTRUSTED = {
    "no signature": (envelope(), "carries no signature"),
    "a stranger's": (envelope((STRANGER, "stranger")), "not trusted: key id 'stranger'"),
    "a stranger's under a trusted name": (envelope((STRANGER, "new")), "does not match"),
    "a stranger's without a name": (envelope((STRANGER, "")), "does not match"),
    "one trusted key's under another's name": (envelope((OLD, "new")), "does not match"),
    "edited": (
        replace(envelope((NEW, "new")), payload=to_statement(replace(RECORD, size_bytes=13))),
        "does not match",
    ),
    "signed for another payload type": (
        Envelope(
            to_statement(RECORD),
            PAYLOAD_TYPE,
            (sign(NEW, "new", to_statement(RECORD), "application/json"),),
        ),
        "does not match",
    ),
    "of another payload type": (
        Envelope(
            to_statement(RECORD),
            "application/json",
            (sign(NEW, "new", to_statement(RECORD), "application/json"),),
        ),
        "payload type 'application/json'",
    ),
    "rubbish": (
        replace(envelope(), signatures=(Signature("new", b"\x00" * 70),)),
        "does not match",
    ),
}


@pytest.mark.parametrize(("untrusted", "why"), UNTRUSTED.values(), ids=UNTRUSTED)
def test_an_envelope_that_nobody_trusted_signed_is_evidence_not_believed(
    untrusted: Envelope, why: str
) -> None:
    found = read(untrusted)
    assert found.claim is not None
    assert found.claim.version.key == RECORD.version.key
    assert found.trouble is not None
    assert why in found.trouble


@pytest.mark.parametrize(
    ("key", "name", "moment", "believed"),
    [
        (OLD, "old", KEYS["old"].valid_from - CHANGEOVER - TICK, False),
        (OLD, "old", KEYS["old"].valid_from - CHANGEOVER, True),
        (OLD, "old", ROTATED + OVERLAP + CHANGEOVER - TICK, True),
        (OLD, "old", ROTATED + OVERLAP + CHANGEOVER, False),
        (NEW, "new", ROTATED - CHANGEOVER - TICK, False),
        (NEW, "new", ROTATED - CHANGEOVER, True),
        (NEW, "new", ROTATED + timedelta(days=3650), True),
        # An envelope need not name its key.
        (OLD, "", ROTATED + OVERLAP + CHANGEOVER - TICK, True),
        (OLD, "", ROTATED + OVERLAP + CHANGEOVER, False),
        (NEW, "", ROTATED - CHANGEOVER - TICK, False),
        (NEW, "", ROTATED - CHANGEOVER, True),
    ],
)
def test_a_key_signs_within_its_period_and_while_the_recorder_passes_to_the_next(
    key: ec.EllipticCurvePrivateKey, name: str, moment: datetime, believed: bool
) -> None:
    found = read(envelope((key, name), record=replace(RECORD, hashed_at=moment)))
    assert found.claim is not None
    if believed:
        assert found.trouble is None
    else:
        signer = "old" if key is OLD else "new"
        assert found.trouble == (
            f"it says it was signed at {moment.isoformat()}, outside the period of its key {signer}"
        )


def test_an_old_key_gains_nothing_by_naming_a_current_one() -> None:
    """The period is that of the key which signed, not of one that the envelope only names."""
    late = replace(RECORD, hashed_at=ROTATED + timedelta(days=1))
    signed = envelope((OLD, "old"), record=late)
    padded = replace(signed, signatures=(Signature("new", b"rubbish"), *signed.signatures))
    assert (read(padded).trouble or "").endswith("outside the period of its key old")


def test_one_signature_within_its_period_is_enough() -> None:
    late = replace(RECORD, hashed_at=ROTATED + timedelta(days=1))
    assert read(envelope((OLD, "old"), (NEW, "new"), record=late)).trouble is None


def test_keys_that_are_both_outside_their_period_are_both_named() -> None:
    early = replace(RECORD, hashed_at=KEYS["old"].valid_from - CHANGEOVER - TICK)
    trouble = read(envelope((OLD, "old"), (NEW, "new"), record=early)).trouble or ""
    assert trouble.endswith("outside the period of its key old, new")


def document(**changes: object) -> bytes:
    fields: dict[str, object] = json.loads(envelope((NEW, "new")).to_json_line())
    return json.dumps(fields | changes).encode()


def payload(statement: object) -> str:
    return base64.b64encode(json.dumps(statement).encode()).decode()


MALFORMED = {
    "nothing": b"",
    "not JSON": b"rubbish",
    "not UTF-8": b"\xff\xfe",
    "cut off": document()[:-20],
    "no object": b"[]",
    "nested too deeply": b"[" * 100_000,
    "longer than any record": b" " * (1024 * 1024) + document(),
    "two payloads": document()[:-1] + b', "payload": ""}',
    "no payload": document(payload=None),
    "payload not base64": document(payload="rubbish!"),
    "payload not JSON": document(payload="eA=="),
    "payload not about an object": document(payload=payload({"_type": "x"})),
    "signatures of another kind": document(signatures={"new": "x"}),
    "too many signatures": document(signatures=[{"keyid": "new", "sig": ""}] * 17),
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED)
def test_what_cannot_be_read_makes_no_claim(raw: bytes) -> None:
    found = read(raw)
    assert found.claim is None
    assert found.trouble


def test_even_a_good_signature_makes_no_record_of_something_else() -> None:
    statement = json.dumps({"_type": "https://in-toto.io/Statement/v1"}).encode()
    found = read(Envelope(statement, PAYLOAD_TYPE, (sign(NEW, "new", statement),)))
    assert (found.claim, found.key_id) == (None, "new")
    assert found.trouble


STATEMENT: dict[str, Any] = json.loads(to_statement(RECORD))
FIELDS = [
    *((name,) for name in STATEMENT),
    *(("predicate", name) for name in [*STATEMENT["predicate"], "checksum"]),
    *(("predicate", "event", name) for name in STATEMENT["predicate"]["event"]),
]


@given(st.sampled_from(FIELDS), json_values)
def test_a_hostile_claim_never_raises(path: tuple[str, ...], value: object) -> None:
    statement = json.loads(to_statement(RECORD))
    *parents, last = path
    target = statement
    for name in parents:
        target = target[name]
    target[last] = value
    raw = json.dumps(statement).encode()
    found = read(Envelope(raw, PAYLOAD_TYPE, (sign(NEW, "new", raw),)))
    assert found.claim is not None or found.trouble


@given(st.sampled_from(["payload", "payloadType", "signatures"]), json_values)
def test_a_hostile_envelope_never_raises_and_is_never_believed(name: str, value: object) -> None:
    assert read(document(**{name: value})).trouble


@given(st.binary(max_size=300))
def test_any_bytes_at_all_never_raise(raw: bytes) -> None:
    assert read(raw).trouble


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_changed_byte_makes_another_claim_believed(position: int, difference: int) -> None:
    """Some bytes do not matter, such as the case of an unread field; none changes the claim."""
    raw = bytearray(envelope((NEW, "new")).to_json_line())
    raw[position % len(raw)] ^= difference
    found = read(bytes(raw))
    assert found.trouble or found.claim == RECORD
