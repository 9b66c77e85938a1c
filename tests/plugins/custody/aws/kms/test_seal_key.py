import base64
import json
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.support.moto_aws import KEY_ARN, REGION, answer
from tests.support.transparency import KEY, ORIGIN, SIGNER

from custody.aws.kms.seal_key import fetch_seal_key, fetch_seal_keys, kms_signer
from custody.core.tlog.checkpoint import Checkpoint

PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def kms_with(public_der: bytes) -> Any:
    """A KMS client that knows one Ed25519 key, which moto does not, and what KMS asks of a call."""
    client = boto3.client("kms", region_name=REGION)

    def sign(params: dict[str, Any], **_: object) -> tuple[SimpleNamespace, dict[str, Any]]:
        request = json.loads(params["body"])
        message = base64.b64decode(request.pop("Message"))
        assert request == {
            "KeyId": KEY_ARN,
            "MessageType": "RAW",
            "SigningAlgorithm": "ED25519_SHA_512",
        }
        assert len(message) <= 4096
        return answer({"KeyId": KEY_ARN, "Signature": PRIVATE.sign(message)})

    def get_public_key(
        params: dict[str, Any], **_: object
    ) -> tuple[SimpleNamespace, dict[str, Any]]:
        assert json.loads(params["body"]) == {"KeyId": KEY_ARN}
        return answer({"KeyId": KEY_ARN, "PublicKey": public_der})

    client.meta.events.register("before-call.kms.Sign", sign)
    client.meta.events.register("before-call.kms.GetPublicKey", get_public_key)
    return client


def der(key: Any) -> bytes:
    encoded: bytes = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return encoded


def test_what_kms_signs_opens_with_the_key_kms_publishes():
    kms = kms_with(der(PRIVATE))
    key = fetch_seal_key(kms, KEY_ARN, ORIGIN)
    assert key == KEY
    checkpoint = Checkpoint(ORIGIN, 1, bytes(32))
    note = checkpoint.sign(kms_signer(kms, KEY_ARN, ORIGIN))
    assert Checkpoint.open(note, origin=ORIGIN, keys=[key]) == checkpoint
    assert note == checkpoint.sign(SIGNER)


def test_kms_is_not_asked_to_sign_what_it_refuses():
    signer = kms_signer(kms_with(der(PRIVATE)), KEY_ARN, ORIGIN)
    signer.sign(b"x" * 4096)
    with pytest.raises(ValueError, match="4097 bytes to sign; KMS takes 4096"):
        signer.sign(b"x" * 4097)


@pytest.mark.parametrize(
    ("public", "problem"),
    [
        (der(ec.generate_private_key(ec.SECP256R1())), "seals need ECC_NIST_EDWARDS25519"),
        (b"rubbish", "not a public key in DER"),
    ],
)
def test_another_kind_of_key_is_refused(public, problem):
    with pytest.raises(ValueError, match=problem):
        kms_signer(kms_with(public), KEY_ARN, ORIGIN)


def test_the_keys_that_sealed_before_are_fetched_too():
    kms = kms_with(der(PRIVATE))
    assert fetch_seal_keys(kms, KEY_ARN, [], ORIGIN) == KEY
    assert fetch_seal_keys(kms, KEY_ARN, [KEY_ARN], ORIGIN).all == (KEY, KEY)
    assert kms_signer(kms, KEY_ARN, ORIGIN, [KEY_ARN]).key.all == (KEY, KEY)
