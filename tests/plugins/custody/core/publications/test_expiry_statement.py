"""That a run expires is read as it was written, if the key that seals signed it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.support.expiring import DT, EXPIRED, PLACES, expiry
from tests.support.transparency import KEY, OTHER_SIGNER, SIGNER

from custody.aws.kms.seal_key import MAX_MESSAGE_BYTES
from custody.core.formats.dsse import Envelope, pae
from custody.core.lineage.model import Run
from custody.core.publications.expiry_statement import (
    EXPIRY_V1,
    PUT_WITHIN,
    StoredExpiry,
    read_expiry,
    sign_expiry,
)
from custody.objects import ObjectVersion

ONE = expiry()
SIGNED = sign_expiry(ONE, SIGNER, "seal").to_json_line()


def read(raw: bytes = SIGNED, *, key: str = ONE.key, late: timedelta = timedelta()) -> StoredExpiry:
    return read_expiry(raw, KEY, ObjectVersion("provenance", key, "v1"), EXPIRED + late)


def test_it_is_read_as_it_was_signed() -> None:
    assert read() == StoredExpiry(ObjectVersion("provenance", ONE.key, "v1"), EXPIRED, ONE)
    assert EXPIRY_V1.encode() in Envelope.parse(SIGNED).payload


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"{}", "payload"),
        (b"rubbish", "JSON"),
        (sign_expiry(ONE, OTHER_SIGNER, "seal").to_json_line(), "not signed by the key that seals"),
        (SIGNED.replace(b"vnd.in-toto", b"vnd.other"), "not signed"),
    ],
)
def test_what_the_key_did_not_sign_is_not_believed(raw: bytes, why: str) -> None:
    found = read(raw)
    assert found.expiry is None
    assert why in found.trouble


def test_it_holds_for_its_place_and_time_alone() -> None:
    assert "belongs at" in read(key=ONE.key.replace("jr_1", "jr_2")).trouble
    assert read(late=PUT_WITHIN).expiry == ONE
    for late in (PUT_WITHIN + timedelta(seconds=1), -PUT_WITHIN - timedelta(seconds=1)):
        assert "not of when it was stored" in read(late=late).trouble


def signed(payload: bytes) -> bytes:
    envelope = Envelope.parse(SIGNED)
    (signature,) = envelope.signatures
    sig = SIGNER.sign(pae(envelope.payload_type, payload))
    return replace(
        envelope, payload=payload, signatures=(replace(signature, sig=sig),)
    ).to_json_line()


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (b"expiry/v1", b"answer/v1", "predicateType"),
        (b'"retentionDays":90', b'"retentionDays":6', "no run expires within 7 days"),
        (b'"retentionDays":90', b'"retentionDays":900000', "kept for more than 36500 days"),
        (b'"retentionDays":90', b'"retentionDays":999999999999', "too large"),
        (b'"dataset":"customers"', b'"dataset":"orders"', "no publication of orders"),
        (b'"instead":"publications/', b'"instead":"p/', "no publication of customers"),
        (b"/run=jr_1/", b"/run=jr_2/", "not the locations of run jr_1"),
        (b'"locations":["', b'"locations":[1,"', "must be texts"),
    ],
)
def test_what_cannot_be_meant_is_not_believed(old: bytes, new: bytes, why: str) -> None:
    payload = Envelope.parse(SIGNED).payload
    assert old in payload
    found = read(signed(payload.replace(old, new)))
    assert found.expiry is None
    assert why in found.trouble


def test_an_old_one_names_its_dataset_by_the_publication_alone() -> None:
    payload = Envelope.parse(SIGNED).payload
    old = payload.replace(b'"dataset":"customers",', b"")
    assert old != payload
    assert read(signed(old)).expiry == ONE
    unnamed = read(signed(old.replace(b'"instead":"publications/', b'"instead":"')))
    assert unnamed.expiry is None
    assert "is no publication of" in unnamed.trouble


def test_the_longest_can_be_signed() -> None:
    """KMS signs 4,096 bytes with the seal's key."""
    run = Run(DT, "j" * 255)
    names = [f"{place.replace('customers', 'c' * 63)}run={run.id}/" for place in PLACES.values()]
    payload = Envelope.parse(
        sign_expiry(replace(ONE, run=run, locations=tuple(names * 3)), SIGNER, "k").to_json_line()
    ).payload
    assert len(pae("application/vnd.in-toto+json", payload)) < MAX_MESSAGE_BYTES
