"""CloudTrail's signing keys: one RSA-2048 key per region, kept in the local AWS's home.

The public half is what `ListPublicKeys` serves: DER PKCS#1, named by the MD5 of those bytes in
hex, which is how the fingerprints in AWS's own documentation come about.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

# AWS changes keys over the years; ours lives as long as the home it is kept in.
_VALIDITY = dt.timedelta(days=3650)


class SigningKeyError(RuntimeError):
    """A key file that cannot be used."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}; remove the file to have a new key made")


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key as ListPublicKeys tells of it; `value` is DER PKCS#1."""

    value: bytes
    fingerprint: str
    valid_from: dt.datetime
    valid_until: dt.datetime


class SigningKey:
    """The private key of one region."""

    def __init__(self, key: rsa.RSAPrivateKey, created: dt.datetime) -> None:
        self._key = key
        value = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.PKCS1
        )
        fingerprint = hashlib.md5(value).hexdigest()  # noqa: S324 - a name, not a protection
        self.public = PublicKey(value, fingerprint, created, created + _VALIDITY)

    @classmethod
    def of(cls, directory: Path, region: str) -> SigningKey:
        """The region's key from `directory`, made there when it is missing.

        Raises SigningKeyError when the file holds something else.
        """
        path = directory / f"{region}.pem"
        if not path.exists():
            _create(path)
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        except (ValueError, TypeError) as error:
            raise SigningKeyError(path, str(error)) from error
        if not isinstance(key, rsa.RSAPrivateKey):
            raise SigningKeyError(path, "it is not an RSA key")
        created = dt.datetime.fromtimestamp(int(path.stat().st_mtime), dt.UTC)
        # A digest may cover time before the first need of a key, so it holds from the day before.
        return cls(key, created - dt.timedelta(days=1))

    def sign(self, text: bytes) -> str:
        """The signature of `text` in hex: RSA PKCS#1 v1.5 with SHA-256."""
        return self._key.sign(text, padding.PKCS1v15(), hashes.SHA256()).hex()


def _create(path: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: a half-written key would break every digest signed after it.
    unfinished = path.with_suffix(".new")
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pem)
    unfinished.replace(path)
