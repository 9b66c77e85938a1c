"""Checking who signed an envelope: ECDSA on P-256 with SHA-256, the signature in DER.

Needs `cryptography`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    load_der_public_key,
    load_pem_public_key,
)

from custody.core.formats.dsse import PAYLOAD_TYPE, Envelope, Signature, pae

_ECDSA_SHA_256: Final = ec.ECDSA(SHA256())


class BadSignature(Exception):
    """An envelope that no trusted key signed; the message says why."""


@lru_cache(maxsize=64)
def load_public_key(data: bytes) -> ec.EllipticCurvePublicKey:
    """Read a P-256 public key: PEM, or DER as KMS returns it (SubjectPublicKeyInfo).

    Raises `ValueError` for anything else.
    """
    try:
        load = load_pem_public_key if data.lstrip().startswith(b"-----") else load_der_public_key
        key = load(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(f"not a public key in PEM or DER ({error})") from error
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise ValueError("not a P-256 key: records are signed with ECC_NIST_P256")


def verify(envelope: Envelope, public_keys: Mapping[str, ec.EllipticCurvePublicKey]) -> bytes:
    """Return the payload if one of `public_keys` (by key id) signed it; else `BadSignature`.

    One good signature is enough. A key id says which key to try; a signature without one is tried
    with every key. Several keys are trusted at once while a key is being replaced.
    """
    if envelope.payload_type != PAYLOAD_TYPE:
        raise BadSignature(
            f"payload type {envelope.payload_type[:80]!r} is not {PAYLOAD_TYPE}: "
            "the payload must not be read as a statement"
        )
    if not envelope.signatures:
        raise BadSignature("the envelope carries no signature")
    signed = pae(envelope.payload_type, envelope.payload)
    for signature in envelope.signatures:
        for key in _candidates(signature, public_keys):
            if _signed_by(key, signature.sig, signed):
                return envelope.payload
    named = ", ".join(repr(s.keyid[:120]) if s.keyid else "(unset)" for s in envelope.signatures)
    if all(s.keyid and s.keyid not in public_keys for s in envelope.signatures):
        raise BadSignature(f"signed with a key that is not trusted: key id {named}")
    raise BadSignature(f"the signature does not match the payload: key id {named}")


def _candidates(
    signature: Signature, public_keys: Mapping[str, ec.EllipticCurvePublicKey]
) -> Iterable[ec.EllipticCurvePublicKey]:
    if not signature.keyid:
        return public_keys.values()
    key = public_keys.get(signature.keyid)
    return () if key is None else (key,)


def _signed_by(key: ec.EllipticCurvePublicKey, sig: bytes, signed: bytes) -> bool:
    try:
        key.verify(sig, signed, _ECDSA_SHA_256)
    except InvalidSignature:
        return False
    return True
