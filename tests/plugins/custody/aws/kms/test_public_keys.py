import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from tests.support.moto_aws import KEY_ARN, PRIVATE_KEY, signing_kms

from custody.aws.kms.public_keys import fetch_public_keys


def test_keys_come_by_their_arn():
    assert fetch_public_keys(signing_kms(), [KEY_ARN]) == {KEY_ARN: PRIVATE_KEY.public_key()}


def test_a_key_that_records_are_not_signed_with_is_refused():
    kms = signing_kms(ec.generate_private_key(ec.SECP384R1()))
    with pytest.raises(ValueError, match="not a P-256 key"):
        fetch_public_keys(kms, [KEY_ARN])
