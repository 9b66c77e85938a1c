"""Checking who signed a digest: RSA PKCS#1 v1.5 with SHA-256, by a key CloudTrail published."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from custody.core.formats.strict_gzip import gunzip
from custody.core.formats.untrusted import MalformedInput
from custody.core.trail.defects import TrailDefectKind
from custody.core.trail.digests.document import (
    MAX_DIGEST_BYTES,
    SIGNATURE_ALGORITHM,
    Digest,
    parse_digest,
    signed_text,
)
from custody.core.trail.report import Head


class UnprovenDigest(Exception):
    """Bytes that are not what CloudTrail signed for their bucket and key; the message says why."""

    def __init__(self, kind: TrailDefectKind, problem: str) -> None:
        super().__init__(problem)
        self.kind = kind


@dataclass(frozen=True)
class SignedDigest:
    """A digest whose signature is good, with what its successor has to vouch for.

    `sha256` is of its uncompressed bytes; both are in lower-case hexadecimal.
    """

    digest: Digest
    sha256: str
    signature: str

    @property
    def head(self) -> Head:
        """This digest as one to remember."""
        return Head(
            bucket=self.digest.bucket,
            key=self.digest.key,
            sha256=self.sha256,
            signature=self.signature,
            end=self.digest.end,
        )


def load_digest_key(der: bytes) -> rsa.RSAPublicKey:
    """Read a key as `ListPublicKeys` gives it: DER, PKCS#1 or SubjectPublicKeyInfo.

    Raises `ValueError` for anything else.
    """
    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(f"not a public key in DER ({error})") from error
    if isinstance(key, rsa.RSAPublicKey):
        return key
    raise ValueError("not an RSA key: CloudTrail signs digests with RSA")


def verify_digest(
    packed: bytes,
    metadata: Mapping[str, str],
    keys: Mapping[str, rsa.RSAPublicKey],
    *,
    bucket: str,
    key: str,
) -> SignedDigest:
    """Verify the object found at `bucket` and `key`: its gzip bytes and its user metadata.

    `keys` are CloudTrail's public keys by fingerprint. Raises `UnprovenDigest`.
    """
    altered, unknown, moved = (
        TrailDefectKind.DIGEST_ALTERED,
        TrailDefectKind.DIGEST_UNKNOWN_KEY,
        TrailDefectKind.DIGEST_MOVED,
    )
    try:
        raw = gunzip(packed, what="digest", max_bytes=MAX_DIGEST_BYTES)
        digest = parse_digest(raw)
    except MalformedInput as error:
        raise UnprovenDigest(altered, f"it cannot be read: {error}") from error
    signature = metadata.get("signature", "")
    if not signature:
        raise UnprovenDigest(altered, "it carries no signature")
    if metadata.get("signature-algorithm") != SIGNATURE_ALGORITHM:
        raise UnprovenDigest(altered, f"its signature is not {SIGNATURE_ALGORITHM}")
    public_key = keys.get(digest.fingerprint)
    if public_key is None:
        raise UnprovenDigest(
            unknown, f"CloudTrail published no key with its fingerprint {digest.fingerprint[:80]!r}"
        )
    sha256 = hashlib.sha256(raw).hexdigest()
    signed = _signature_bytes(signature)
    if not _signed_by(public_key, signed, signed_text(digest, sha256)):
        raise UnprovenDigest(altered, "its signature does not match its content")
    if (digest.bucket, digest.key) != (bucket, key):
        raise UnprovenDigest(
            moved, f"CloudTrail signed it for another place, s3://{digest.bucket}/{digest.key}"
        )
    return SignedDigest(digest, sha256, signed.hex())


def _signature_bytes(digits: str) -> bytes:
    try:
        return bytes.fromhex(digits)
    except ValueError as error:
        raise UnprovenDigest(
            TrailDefectKind.DIGEST_ALTERED, "its signature is not hexadecimal"
        ) from error


def _signed_by(key: rsa.RSAPublicKey, signature: bytes, text: bytes) -> bool:
    try:
        key.verify(signature, text, padding.PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True
