"""The key that tokens of a dataset's personal data are made with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from custody.core.datasets.personal import dataset_message

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


def dataset_key(kms: KMSClient, key_arn: str, dataset: str) -> bytes:
    """The dataset's key; the HMAC key `key_arn` stays in KMS. Raises what botocore raises."""
    made = kms.generate_mac(
        KeyId=key_arn, Message=dataset_message(dataset), MacAlgorithm="HMAC_SHA_256"
    )
    return made["Mac"]
