"""The honest recorder's keys, and what it signs with them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from custody.core.formats.dsse import PAYLOAD_TYPE, Envelope, Signature, pae
from custody.core.records.checking import TrustedKey
from custody.core.records.retries import NOTED_AFTER, retry_seconds
from custody.settings import KeyPeriod

NOTED_SECONDS: Final = sum(retry_seconds(n, may_pass=True) for n in range(1, NOTED_AFTER))
"""When the recorder notes that a record is late."""

KEY_ARNS: Final = tuple(f"arn:aws:kms:us-east-1:111122223333:key/key-{n}" for n in (1, 2))

_KEYS: Final = {arn: ec.generate_private_key(ec.SECP256R1()) for arn in KEY_ARNS}
_PUBLIC: Final = {
    arn: key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for arn, key in _KEYS.items()
}


def trusted(periods: list[KeyPeriod]) -> dict[str, TrustedKey]:
    """The keys of these periods, as a job trusts them."""
    return {
        period.key_arn: TrustedKey(
            period.key_arn, _PUBLIC[period.key_arn], period.valid_from, period.valid_until
        )
        for period in periods
    }


def signed(payload: bytes, at: datetime, replaced: datetime) -> bytes:
    """A record signed with the key that the recorder has at that time; it has the second one from
    when it was `replaced`."""
    arn = KEY_ARNS[at >= replaced]
    sig = _KEYS[arn].sign(pae(PAYLOAD_TYPE, payload), ec.ECDSA(SHA256()))
    return Envelope(payload, PAYLOAD_TYPE, (Signature(arn, sig),)).to_json_line()
