"""Who signed a digest, and for which place."""

import contextlib
import gzip
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from tests.support.trail_history import (
    ANOTHER_KEY,
    KEYS,
    LAYOUT,
    PRIVATE_KEY,
    History,
    MemoryStore,
    document_of,
    fingerprint,
    sign,
)

from custody.core.trail.defects import TrailDefectKind
from custody.core.trail.digests.signatures import (
    SignedDigest,
    UnprovenDigest,
    load_digest_key,
    verify_digest,
)

HISTORY = History(MemoryStore()).hours(2)
KEY = HISTORY.digests[1]
STORED = HISTORY.store.current(KEY)
BODY = STORED.body or b""


def verify(
    packed: bytes = BODY,
    metadata: Any = STORED.metadata,
    keys: Any = KEYS,
    bucket: str = LAYOUT.bucket,
    key: str = KEY,
) -> SignedDigest:
    return verify_digest(packed, metadata, keys, bucket=bucket, key=key)


def kind(**changes: Any) -> TrailDefectKind:
    with pytest.raises(UnprovenDigest) as caught:
        verify(**changes)
    return caught.value.kind


def test_a_good_signature_gives_the_digest_and_what_its_successor_vouches_for():
    signed = verify()
    assert signed.digest.key == KEY
    assert (signed.sha256, signed.signature) == (
        HISTORY.previous["HashValue"],
        HISTORY.previous["Signature"],
    )
    assert (signed.head.key, signed.head.end, signed.head.sha256) == (
        KEY,
        signed.digest.end,
        signed.sha256,
    )


def test_how_the_hexadecimal_is_written_does_not_matter():
    spelled = STORED.metadata["signature"].upper()
    assert verify(metadata={**STORED.metadata, "signature": spelled}) == verify()


@pytest.mark.parametrize("form", [PublicFormat.PKCS1, PublicFormat.SubjectPublicKeyInfo])
def test_both_forms_of_a_key_are_read(form):
    key = load_digest_key(PRIVATE_KEY.public_key().public_bytes(Encoding.DER, form))
    assert verify(keys={fingerprint(PRIVATE_KEY): key}) == verify()


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"no key",
        ec.generate_private_key(ec.SECP256R1())
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ],
)
def test_anything_else_is_no_key(der):
    with pytest.raises(ValueError, match=r"^not an? "):
        load_digest_key(der)


def test_another_place_is_told_from_another_content():
    moved = TrailDefectKind.DIGEST_MOVED
    assert kind(key=HISTORY.digests[0]) is moved
    assert kind(bucket="another-bucket") is moved


def test_the_key_must_be_published():
    assert kind(keys={}) is TrailDefectKind.DIGEST_UNKNOWN_KEY
    wrong = {fingerprint(PRIVATE_KEY): ANOTHER_KEY.public_key()}
    assert kind(keys=wrong) is TrailDefectKind.DIGEST_ALTERED


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"signature": STORED.metadata["signature"]},
        {**STORED.metadata, "signature-algorithm": "SHA1withRSA"},
        {**STORED.metadata, "signature": ""},
        {**STORED.metadata, "signature": "not hexadecimal"},
        {**STORED.metadata, "signature": "00"},
        {**STORED.metadata, "signature": "\u0661" * 512},
    ],
)
def test_a_signature_that_is_none(metadata):
    assert kind(metadata=metadata) is TrailDefectKind.DIGEST_ALTERED


@pytest.mark.parametrize(
    "changes",
    [
        {"logFiles": []},
        {"digestEndTime": "2026-11-02T14:00:01Z"},
        {"digestStartTime": "2026-11-02T13:00:01Z"},
        {"awsAccountId": "444455556666"},
        {"previousDigestSignature": "ab"},
        {"previousDigestHashValue": "0" * 64},
    ],
)
def test_any_change_of_the_content_breaks_the_signature(changes):
    raw = json.dumps({**document_of(STORED), **changes}).encode()
    assert kind(packed=gzip.compress(raw)) is TrailDefectKind.DIGEST_ALTERED


def test_a_signature_by_the_key_is_not_one_by_its_name():
    document = document_of(STORED)
    signature = sign(ANOTHER_KEY, document, json.dumps(document).encode())
    metadata = {**STORED.metadata, "signature": signature}
    assert kind(metadata=metadata) is TrailDefectKind.DIGEST_ALTERED


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_no_changed_byte_is_taken_for_the_digest(place, change):
    packed = bytearray(BODY)
    packed[place] ^= change
    try:
        found = verify(packed=bytes(packed))
    except UnprovenDigest:
        return
    assert found == verify()  # a byte of the gzip header, which holds no content


@given(st.binary(max_size=200), st.dictionaries(st.sampled_from([*STORED.metadata]), st.text()))
def test_no_input_makes_it_fail_in_another_way(packed, metadata):
    for body in (packed, gzip.compress(packed), BODY):
        with contextlib.suppress(UnprovenDigest):
            verify(packed=body, metadata=metadata)
