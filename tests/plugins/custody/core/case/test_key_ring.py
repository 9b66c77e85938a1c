"""The keys an auditor trusts, written down and read back."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.support.audited import PINS, RING
from tests.support.moto_aws import KEY_ARN
from tests.support.transparency import OTHER_SIGNER

from custody.core.case.key_ring import KeyRing
from custody.core.formats.untrusted import MalformedInput
from custody.core.lineage.trust import Trust

BEFORE, AFTER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
PEM = json.loads(RING.to_json())["records"][0]["public_key"]
LIMITED = replace(
    RING,
    records={KEY_ARN: replace(RING.records[KEY_ARN], valid_from=BEFORE, valid_until=AFTER)},
)


@pytest.mark.parametrize("ring", [RING, LIMITED, KeyRing()], ids=["all", "limited", "empty"])
def test_what_is_written_is_read(ring):
    again = KeyRing.parse(ring.to_json())
    assert again.to_json() == ring.to_json()
    assert again.names() == ring.names()
    assert again.records == ring.records
    assert again.deployment == ring.deployment


def test_every_kind_of_key_has_a_fingerprint_of_its_own_bytes():
    names = RING.names()
    assert [name.signs for name in names] == ["records", "lineage", "seal", "cloudtrail"]
    assert names[0].sha256 == names[1].sha256  # one key in two places
    assert len({name.sha256 for name in names}) == 3


def test_a_ring_holds_nothing_beyond_itself():
    assert RING.beyond(RING) == []
    assert KeyRing().beyond(RING) == []


@pytest.mark.parametrize(
    ("other", "what"),
    [
        (replace(RING, seal=(*RING.seal, OTHER_SIGNER.key)), "the key of seal"),
        (
            replace(
                RING,
                lineage=Trust(
                    {KEY_ARN: ec.generate_private_key(ec.SECP256R1()).public_key()},
                    RING.lineage.builders,
                ),
            ),
            "the key of lineage",
        ),
        (
            replace(RING, lineage=replace(RING.lineage, builders=frozenset({"arn:other"}))),
            "the builder arn:other",
        ),
    ],
    ids=["another key", "another key of the same name", "another builder"],
)
def test_what_is_not_trusted_is_named(other, what):
    (strange,) = other.beyond(RING)
    assert strange.startswith(what)


def test_periods_are_those_of_whoever_trusts_the_key():
    """A ring that was written while a key was in use does not know when that ended."""
    assert LIMITED.beyond(RING) == []
    assert RING.beyond(LIMITED) == []


def test_another_deployment_is_not_trusted():
    other = replace(RING, deployment=replace(PINS, trail="another"))
    assert other.beyond(RING) == ["a deployment of which the trail is another, not custody-test"]
    assert replace(RING, deployment=None).beyond(RING) == []
    assert RING.beyond(replace(RING, deployment=None)) == []


def test_an_organizations_trail_is_pinned_and_a_ring_from_before_knows_none():
    assert "organization_id" not in PINS.document()
    arn = "arn:aws:cloudtrail:eu-central-1:999988887777:trail/custody-test"
    pinned = replace(PINS, organization_id="o-abcdefghij", foreign_trail=arn)
    kept = KeyRing.parse(replace(RING, deployment=pinned).to_json()).deployment
    assert kept == pinned
    assert (kept.trail_id, PINS.trail_id) == (arn, PINS.trail)
    assert kept.layout.digests_root.startswith("AWSLogs/o-abcdefghij/")
    assert PINS.differences(pinned) == [
        "the organization is o-abcdefghij, not none",
        f"the trail's ARN is {arn}, not of the account",
    ]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"v": 2}, "keys.v"),
        ({"records": [{"key_id": "k"}]}, r"keys.records\[0\].public_key"),
        ({"records": [{"key_id": "k", "public_key": "x"}]}, r"keys.records\[0\].public_key"),
        ({"lineage": {}}, "keys.lineage"),
        ({"builders": [1]}, r"keys.builders\[0\]"),
        ({"seal": ["x"]}, "vkey"),
        ({"records": [{"key_id": "k", "public_key": PEM}] * 2}, "names a key twice"),
        ({"deployment": {}}, "keys.deployment.buckets"),
        ({"deployment": PINS.document() | {"digest_seconds": 0}}, "keys.deployment.digest_seconds"),
        ({"deployment": PINS.document() | {"buckets": {"raw": "x"}}}, "keys.deployment.buckets"),
        ({"cloudtrail": [{"fingerprint": "f", "public_key": "%"}]}, r"keys.cloudtrail\[0\]"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], where: str):
    document = json.loads(RING.to_json()) | change
    with pytest.raises(MalformedInput, match=where):
        KeyRing.parse(json.dumps(document).encode())
