"""Only a trusted key's signature over exactly these bytes counts.

Checked against tools we did not write: securesystemslib verifies our envelopes and we verify its;
in-toto-attestation parses our statements.
"""

import base64
import json
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement as InTotoStatement
from securesystemslib.dsse import Envelope as OtherEnvelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey
from tests.support.strategies import records, unreadable_records

from custody.core.formats.dsse import PAYLOAD_TYPE, Envelope, Signature, pae
from custody.core.formats.signatures import BadSignature, load_public_key, verify
from custody.core.records.names import record_id
from custody.core.records.statement import to_statement

KEY_ID = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_ID = KEY_ID.replace("1234abcd", "99999999")
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_KEY = ec.generate_private_key(ec.SECP256R1())
TRUSTED = {KEY_ID: KEY.public_key()}


def signed(
    payload: bytes = b"{}",
    *,
    key: ec.EllipticCurvePrivateKey = KEY,
    keyid: str = KEY_ID,
    payload_type: str = PAYLOAD_TYPE,
) -> Envelope:
    sig = key.sign(pae(payload_type, payload), ec.ECDSA(SHA256()))
    return Envelope(payload, payload_type, (Signature(keyid, sig),))


def encoded(key: ec.EllipticCurvePrivateKey, encoding: Encoding) -> bytes:
    return key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)


@given(st.binary(max_size=300))
def test_a_trusted_signature_gives_the_payload(payload):
    assert verify(signed(payload), TRUSTED) == payload


def test_the_published_example_verifies():
    """Key, payload and signature from the DSSE specification's protocol.md."""
    key = ec.EllipticCurvePublicNumbers(
        x=46950820868899156662930047687818585632848591499744589407958293238635476079160,
        y=5640078356564379163099075877009565129882514886557779369047442380624545832820,
        curve=ec.SECP256R1(),
    ).public_key()
    raw = base64.b64decode(
        "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA=="
    )
    der = utils.encode_dss_signature(
        int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    )
    message = pae("http://example.com/HelloWorld", b"hello world")
    key.verify(der, message, ec.ECDSA(SHA256()))  # raises if our encoding differs


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_changed_byte_is_noticed(position, difference):
    envelope = signed(b'{"sha256": "abcdef"}')
    payload = bytearray(envelope.payload)
    payload[position % len(payload)] ^= difference
    with pytest.raises(BadSignature, match="does not match the payload"):
        verify(replace(envelope, payload=bytes(payload)), TRUSTED)


def test_a_signature_is_bound_to_the_payload_type():
    envelope = signed(payload_type="application/vnd.other+json")
    with pytest.raises(BadSignature, match="does not match"):
        verify(replace(envelope, payload_type=PAYLOAD_TYPE), TRUSTED)


def test_another_payload_type_is_never_a_statement():
    with pytest.raises(BadSignature, match=r"payload type 'application/vnd\.other\+json'"):
        verify(signed(payload_type="application/vnd.other+json"), TRUSTED)


def test_a_stranger_may_not_sign_under_a_trusted_name():
    with pytest.raises(BadSignature, match="does not match"):
        verify(signed(key=OTHER_KEY), TRUSTED)


def test_an_unknown_key_is_named():
    with pytest.raises(BadSignature, match=f"not trusted: key id '{OTHER_ID}'"):
        verify(signed(key=OTHER_KEY, keyid=OTHER_ID), TRUSTED)


def test_no_signature_is_no_proof():
    with pytest.raises(BadSignature, match="no signature"):
        verify(replace(signed(), signatures=()), TRUSTED)


@pytest.mark.parametrize("sig", [b"", b"\x30", b"\x00" * 64, b"not DER" * 10])
def test_what_is_no_signature_at_all_does_not_verify(sig):
    with pytest.raises(BadSignature, match="does not match"):
        verify(replace(signed(), signatures=(Signature(KEY_ID, sig),)), TRUSTED)


def test_old_and_new_key_are_trusted_side_by_side():
    both = TRUSTED | {OTHER_ID: OTHER_KEY.public_key()}
    assert verify(signed(), both) == verify(signed(key=OTHER_KEY, keyid=OTHER_ID), both) == b"{}"


def test_one_good_signature_among_several_is_enough():
    stranger = signed(key=OTHER_KEY, keyid=OTHER_ID).signatures
    assert verify(replace(signed(), signatures=stranger + signed().signatures), TRUSTED) == b"{}"


def test_a_signature_without_key_id_is_tried_with_every_key():
    both = {OTHER_ID: OTHER_KEY.public_key()} | TRUSTED
    assert verify(signed(keyid=""), both) == b"{}"
    with pytest.raises(BadSignature, match=r"\(unset\)"):
        verify(signed(keyid=""), {OTHER_ID: OTHER_KEY.public_key()})


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_public_keys_load_from_pem_and_der(encoding):
    assert load_public_key(encoded(KEY, encoding)) == KEY.public_key()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "not a public key"),
        (b"-----BEGIN PUBLIC KEY-----\n", "not a public key"),
        (encoded(ec.generate_private_key(ec.SECP384R1()), Encoding.DER), "not a P-256 key"),
        (
            ed25519.Ed25519PrivateKey.generate()
            .public_key()
            .public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "not a P-256 key",
        ),
    ],
)
def test_other_keys_are_refused(data, problem):
    with pytest.raises(ValueError, match=problem):
        load_public_key(data)


def others_key(private: ec.EllipticCurvePrivateKey = KEY, keyid: str = KEY_ID) -> SSlibKey:
    return SSlibKey(
        keyid,
        "ecdsa",
        "ecdsa-sha2-nistp256",
        {"public": encoded(private, Encoding.PEM).decode()},
    )


@given(records)
def test_securesystemslib_verifies_our_envelopes(record):
    envelope = signed(to_statement(record))
    other = OtherEnvelope.from_dict(json.loads(envelope.to_json_line()))
    assert other.payload == envelope.payload
    assert list(other.verify([others_key()], threshold=1)) == [KEY_ID]


def test_securesystemslib_refuses_what_we_refuse():
    forged = signed(key=OTHER_KEY)
    other = OtherEnvelope.from_dict(json.loads(forged.to_json_line()))
    with pytest.raises(VerificationError):
        other.verify([others_key()], threshold=1)


@given(st.binary(max_size=300))
def test_we_verify_envelopes_of_securesystemslib(payload):
    other = OtherEnvelope(payload, PAYLOAD_TYPE, {})
    other.sign(CryptoSigner(KEY, others_key()))
    assert verify(Envelope.parse(json.dumps(other.to_dict())), TRUSTED) == payload


@given(records)
def test_in_toto_attestation_reads_our_statements(record):
    parsed = json_format.Parse(to_statement(record), statement_pb2.Statement())
    InTotoStatement.copy_from_pb(parsed).validate()
    assert parsed.subject[0].name == record.version.uri
    assert dict(parsed.subject[0].digest) == {"sha256": record.sha256}
    assert parsed.predicate["versionId"] == record.version.version_id


@given(unreadable_records)
def test_in_toto_attestation_reads_our_statements_of_what_could_not_be_read(record):
    parsed = json_format.Parse(to_statement(record), statement_pb2.Statement())
    InTotoStatement.copy_from_pb(parsed).validate()
    version = record_id(record.version)
    assert dict(parsed.subject[0].digest) == {"s3ObjectVersion": version}
    assert parsed.predicate["reason"] == record.reason
