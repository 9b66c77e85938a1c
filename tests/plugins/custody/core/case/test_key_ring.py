"""The keys an auditor trusts, written down and read back."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.support.audited import RING
from tests.support.moto_aws import KEY_ARN
from tests.support.transparency import OTHER_SIGNER

from custody.core.case.key_ring import KeyRing
from custody.core.formats.untrusted import MalformedInput
from custody.core.lineage.trust import Trust

BEFORE, AFTER = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
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


def test_a_longer_period_is_not_trusted():
    assert LIMITED.beyond(RING) == []
    assert RING.beyond(LIMITED) == [f"the period of the key of records {KEY_ARN}"]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"v": 2}, "keys.v"),
        ({"records": [{"key_id": "k"}]}, r"keys.records\[0\].public_key"),
        ({"records": [{"key_id": "k", "public_key": "x"}]}, r"keys.records\[0\].public_key"),
        ({"lineage": {}}, "keys.lineage"),
        ({"builders": [1]}, r"keys.builders\[0\]"),
        ({"seal": ["x"]}, "vkey"),
        ({"cloudtrail": [{"fingerprint": "f", "public_key": "%"}]}, r"keys.cloudtrail\[0\]"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], where: str):
    document = json.loads(RING.to_json()) | change
    with pytest.raises(MalformedInput, match=where):
        KeyRing.parse(json.dumps(document).encode())
