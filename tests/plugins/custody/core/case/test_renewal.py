"""Keys fetched anew against those that were trusted before."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.support.audited import PINS, RING
from tests.support.moto_aws import KEY_ARN
from tests.support.transparency import OTHER_SIGNER

from custody.core.case.key_ring import ALWAYS, KeyRing
from custody.core.case.renewal import renew
from custody.core.lineage.trust import Trust
from custody.core.records.checking import TrustedKey

T0, T1 = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
T2 = datetime(2027, 2, 1, tzinfo=UTC)
FIRST = RING.records[KEY_ARN]


def key(name: str, since: datetime, until: datetime | None) -> TrustedKey:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return TrustedKey(name, der, since, until)


SECOND, THIRD = key("second", T1, None), key("third", T2, None)
ONCE = replace(RING, records={KEY_ARN: replace(FIRST, valid_until=T1), "second": SECOND})
TWICE = replace(
    ONCE,
    records={**ONCE.records, "second": replace(SECOND, valid_until=T2), "third": THIRD},
)


@pytest.mark.parametrize("before", [KeyRing(), RING, ONCE, TWICE], ids=["none", "0", "1", "2"])
def test_two_rotations_are_followed_from_each_stage(before):
    renewed, troubles = renew(before, TWICE)
    assert troubles == []
    assert renewed.records == TWICE.records
    assert renewed.deployment == PINS


def test_what_was_trusted_stays_for_what_it_signed():
    """Settings name one key of lineage and of the seal; CloudTrail publishes those of a time."""
    fetched = replace(
        RING,
        lineage=Trust(
            {"new": ec.generate_private_key(ec.SECP256R1()).public_key()}, frozenset({"arn:job"})
        ),
        seal=(OTHER_SIGNER.key,),
        cloudtrail={},
    )
    renewed, troubles = renew(RING, fetched)
    assert troubles == []
    assert set(renewed.lineage.public_keys) == {KEY_ARN, "new"}
    assert renewed.lineage.builders == RING.lineage.builders | {"arn:job"}
    assert renewed.seal == (*RING.seal, OTHER_SIGNER.key)
    assert renewed.cloudtrail == RING.cloudtrail


EVIL = key("evil", ALWAYS, T0)


@pytest.mark.parametrize(
    ("before", "now", "trouble"),
    [
        (RING, replace(RING, deployment=replace(PINS, account_id="999988887777")), "the account"),
        (RING, replace(RING, records={KEY_ARN: replace(SECOND, key_id=KEY_ARN)}), "another public"),
        (RING, replace(RING, records={"second": SECOND}), "named no more"),
        (
            RING,
            replace(RING, records={"evil": EVIL, KEY_ARN: replace(FIRST, valid_from=T0)}),
            "begins at another time",
        ),
        (RING, replace(RING, records={**RING.records, "evil": EVIL}), "follows no other's end"),
        (ONCE, RING, "ends at another time"),
        (
            ONCE,
            replace(ONCE, records={**ONCE.records, KEY_ARN: replace(FIRST, valid_until=T2)}),
            "ends at another time",
        ),
    ],
    ids=["deployment", "public key", "dropped", "before", "beside", "reopened", "prolonged"],
)
def test_what_no_rotation_explains_is_told(before, now, trouble):
    _, troubles = renew(before, now)
    assert any(trouble in each for each in troubles)
