"""The public keys that records are checked with, from KMS."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec

from custody.core.formats.signatures import load_public_key
from custody.core.records.checking import TrustedKey
from custody.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


def fetch_public_keys(
    kms: KMSClient, key_arns: Iterable[str]
) -> dict[str, ec.EllipticCurvePublicKey]:
    """The public key of each KMS key by its ARN, as `custody.core.formats.signatures.verify`
    takes them.

    Raises `ValueError` for a key that is not P-256, and what botocore raises.
    """
    return {arn: load_public_key(kms.get_public_key(KeyId=arn)["PublicKey"]) for arn in key_arns}


def trusted_keys(kms: KMSClient, settings: Settings) -> dict[str, TrustedKey]:
    """The public keys that may have signed a record, each with its period, by its ARN.

    Raises `MalformedInput` as `Settings.signing_key_periods` does, and what botocore raises.
    """
    return {
        key.key_arn: TrustedKey(
            key.key_arn,
            kms.get_public_key(KeyId=key.key_arn)["PublicKey"],
            key.valid_from,
            key.valid_until,
        )
        for key in settings.signing_key_periods
    }
