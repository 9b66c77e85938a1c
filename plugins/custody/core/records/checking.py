"""Read a record's envelope and check who signed it.

An envelope is believed if a trusted key signed it within that key's period. One that is not
believed is still read as far as it goes: it is evidence of what somebody did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from custody.core.formats.dsse import Envelope
from custody.core.formats.signatures import BadSignature, load_public_key, verify
from custody.core.formats.untrusted import MalformedInput
from custody.core.records.model import Record
from custody.core.records.statement import read_record
from custody.objects import ObjectVersion

CHANGEOVER: Final = timedelta(minutes=30)
"""How long before its period, and after, the recorder may sign with a key: who replaces one names
the time before the deployment reaches the recorder. Whoever keeps an old key gains nothing by it:
when a record was made, he says himself."""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key (DER) and the period in which it signs: from `valid_from` until, and not
    including, `valid_until` (None: still in use)."""

    key_id: str
    der: bytes
    valid_from: datetime
    valid_until: datetime | None

    def covers(self, moment: datetime) -> bool:
        """Whether the key may have signed at that moment: in its period, or while the recorder was
        passing from one key to the next."""
        if self.valid_from - moment > CHANGEOVER:
            return False
        return self.valid_until is None or moment - self.valid_until < CHANGEOVER


@dataclass(frozen=True, slots=True)
class ReadEnvelope:
    """One stored version of a record object, read and checked once.

    `stored` is where it is kept. `claim` is what it says, None if that cannot be read;
    `trouble` why it is not to be believed, None if it is. `was_read` is false where S3 did not
    hand it out, which may change; `key_away` is the id of the deployment's own key for which it
    did not, and `trouble` its answer then.
    """

    stored: ObjectVersion
    stored_at: datetime
    key_id: str | None
    claim: Record | None
    trouble: str | None
    was_read: bool = True
    key_away: str | None = None


def read_envelope(
    raw: bytes,
    keys: Mapping[str, TrustedKey],
    *,
    stored: ObjectVersion,
    stored_at: datetime,
) -> ReadEnvelope:
    """Read and check one envelope; never raises for what is in it."""
    key_id, claim, trouble = None, None, None
    try:
        envelope = Envelope.parse(raw)
        key_id = next((s.keyid for s in envelope.signatures if s.keyid), None)
        claim = read_record(envelope.payload)
        trouble = _outside_period(envelope, claim, keys)
    except (MalformedInput, BadSignature) as error:
        trouble = str(error)
    return ReadEnvelope(stored, stored_at, key_id, claim, trouble)


def signer_of(raw: bytes, keys: Mapping[str, TrustedKey]) -> TrustedKey | None:
    """The key that vouches for a record, one still in use before others; None if none does."""
    try:
        envelope = Envelope.parse(raw)
        made_at = read_record(envelope.payload).made_at
    except MalformedInput:
        return None
    current = [key for key in keys.values() if key.covers(made_at)]
    for key in sorted(current, key=lambda key: key.valid_until is not None):
        if _signed_by_one_of({key.key_id: load_public_key(key.der)}, envelope):
            return key
    return None


def _outside_period(
    envelope: Envelope, claim: Record, keys: Mapping[str, TrustedKey]
) -> str | None:
    """Trouble if only keys outside their period signed; raises `BadSignature` if none did.

    The period is that of the key whose signature verifies. Which keys an envelope names is the
    word of whoever wrote it, and may name a current key beside an old one's signature.
    """
    loaded = {name: load_public_key(key.der) for name, key in keys.items()}
    current = {name: key for name, key in loaded.items() if keys[name].covers(claim.made_at)}
    if _signed_by_one_of(current, envelope):
        return None
    verify(envelope, loaded)
    signers = [name for name, key in loaded.items() if _signed_by_one_of({name: key}, envelope)]
    return (
        f"it says it was signed at {claim.made_at.isoformat()}, outside the period of its key "
        + ", ".join(signers)
    )


def _signed_by_one_of(keys: Mapping[str, EllipticCurvePublicKey], envelope: Envelope) -> bool:
    try:
        verify(envelope, keys)
    except BadSignature:
        return False
    return True
