"""Signing statements with a KMS key (docs/adr/011-signatures.md)."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from custody.core.formats.dsse import PAYLOAD_TYPE, Envelope, Signature, pae

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

_KEY_ARN = re.compile(r"arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+")


def is_key_arn(text: str) -> bool:
    """Whether `text` is the ARN of a KMS key, and not of an alias, which may move to another."""
    return _KEY_ARN.fullmatch(text) is not None


def sign_statement(kms: KMSClient, key_arn: str, statement: bytes) -> Envelope:
    """Sign an in-toto Statement with the ECC_NIST_P256 key `key_arn` and wrap it in an envelope.

    KMS is given the SHA-256 of the encoded statement, not the statement: it takes 4,096 bytes at
    most. The signature is ECDSA in DER and the key's ARN its key id.
    """
    digest = hashlib.sha256(pae(PAYLOAD_TYPE, statement)).digest()
    response = kms.sign(
        KeyId=key_arn,
        Message=digest,
        MessageType="DIGEST",
        SigningAlgorithm="ECDSA_SHA_256",
    )
    signature = Signature(keyid=key_arn, sig=response["Signature"])
    return Envelope(payload=statement, payload_type=PAYLOAD_TYPE, signatures=(signature,))
