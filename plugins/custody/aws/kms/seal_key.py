"""The KMS key that signs the log's checkpoints: of spec ECC_NIST_EDWARDS25519."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from custody.core.tlog.signed_note import NoteKey, NoteSigner, RenewedKey

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

MAX_MESSAGE_BYTES: Final = 4096
"""KMS signs no longer message, and Ed25519 takes the message itself, not a digest of it."""


def fetch_seal_key(kms: KMSClient, key_arn: str, origin: str) -> NoteKey:
    """The public half of the key as the log `origin` names it.

    Raises `ValueError` for a key that is not Ed25519, and what botocore raises.
    """
    der = kms.get_public_key(KeyId=key_arn)["PublicKey"]
    try:
        key = load_der_public_key(der)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(f"{key_arn}: not a public key in DER ({error})") from error
    if isinstance(key, Ed25519PublicKey):
        return NoteKey(origin, key.public_bytes_raw())
    raise ValueError(f"{key_arn} is no Ed25519 key: seals need ECC_NIST_EDWARDS25519")


def fetch_seal_keys(kms: KMSClient, key_arn: str, former: Iterable[str], origin: str) -> NoteKey:
    """The public half of the key, which took over from the `former` ones (their ARNs).

    Raises like `fetch_seal_key`.
    """
    key = fetch_seal_key(kms, key_arn, origin)
    before = tuple(fetch_seal_key(kms, arn, origin) for arn in former)
    return RenewedKey(key.name, key.public_key, before) if before else key


def kms_signer(kms: KMSClient, key_arn: str, origin: str, former: Iterable[str] = ()) -> NoteSigner:
    """A signer of the log `origin` whose private key stays in KMS, and took over from the `former`
    ones (their ARNs).

    Raises like `fetch_seal_key`; signing raises `ValueError` for a text that is too long.
    """

    def sign(message: bytes) -> bytes:
        if len(message) > MAX_MESSAGE_BYTES:
            raise ValueError(f"{len(message)} bytes to sign; KMS takes {MAX_MESSAGE_BYTES}")
        response = kms.sign(
            KeyId=key_arn,
            Message=message,
            MessageType="RAW",
            SigningAlgorithm="ED25519_SHA_512",
        )
        return response["Signature"]

    return NoteSigner(fetch_seal_keys(kms, key_arn, former, origin), sign)
