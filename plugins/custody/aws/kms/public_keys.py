"""The public keys that records are checked with, from KMS."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec

from custody.core.formats.signatures import load_public_key

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


def fetch_public_keys(
    kms: KMSClient, key_arns: Iterable[str]
) -> dict[str, ec.EllipticCurvePublicKey]:
    """The public key of each KMS key by its ARN, as ``custody.core.formats.signatures.verify``
    takes them.

    Raises ``ValueError`` for a key that is not P-256, and what botocore raises.
    """
    return {arn: load_public_key(kms.get_public_key(KeyId=arn)["PublicKey"]) for arn in key_arns}
