"""AWS in memory, for tests: moto, and the one thing it does not do.

moto 5 signs a `DIGEST` message as if it were `RAW`, hashing it a second time; so `Sign` is
answered here, from the parameters as botocore has validated and serialised them.
"""

import base64
import json
from types import SimpleNamespace
from typing import Any

import boto3
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

REGION = "us-east-1"
KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
DATA_KEY_ARN = "arn:aws:kms:us-east-1:111122223333:key/5678abcd-12ab-34cd-56ef-1234567890ab"
PRIVATE_KEY = ec.generate_private_key(ec.SECP256R1())


def signing_kms(
    private_key: ec.EllipticCurvePrivateKey = PRIVATE_KEY, key_arn: str = KEY_ARN
) -> Any:
    """A KMS client that knows one P-256 key and, as KMS does, refuses what does not fit it."""
    client = boto3.client("kms", region_name=REGION)

    def sign(params: dict[str, Any], **_: object) -> tuple[SimpleNamespace, dict[str, Any]]:
        request = json.loads(params["body"])
        digest = base64.b64decode(request.pop("Message"))
        assert request == {
            "KeyId": key_arn,
            "MessageType": "DIGEST",
            "SigningAlgorithm": "ECDSA_SHA_256",
        }
        signature = private_key.sign(digest, ec.ECDSA(utils.Prehashed(SHA256())))
        return answer({"KeyId": key_arn, "Signature": signature})

    def get_public_key(
        params: dict[str, Any], **_: object
    ) -> tuple[SimpleNamespace, dict[str, Any]]:
        assert json.loads(params["body"]) == {"KeyId": key_arn}
        public = private_key.public_key()
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return answer({"KeyId": key_arn, "PublicKey": der})

    events: Any = client.meta.events  # its stubs know no handler that answers
    events.register("before-call.kms.Sign", sign)
    events.register("before-call.kms.GetPublicKey", get_public_key)
    return client


def answer(parsed: dict[str, Any], status: int = 200) -> tuple[SimpleNamespace, dict[str, Any]]:
    """What a `before-call` handler returns to answer a botocore call itself."""
    return SimpleNamespace(status_code=status), parsed


def refusal(code: str, status: int, message: str = "") -> tuple[SimpleNamespace, dict[str, Any]]:
    """An error answer for a `before-call` handler."""
    error = {"Code": code, "Message": message or code}
    return answer({"Error": error, "ResponseMetadata": {"HTTPStatusCode": status}}, status)


def make_bucket(s3: Any, name: str, *, versioned: bool = True) -> str:
    s3.create_bucket(Bucket=name)
    if versioned:
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def locations(glue: Any, name: str) -> dict[tuple[str, ...], str]:
    """Where each partition of a table of the database `db` lies."""
    partitions = glue.get_partitions(DatabaseName="db", TableName=name)["Partitions"]
    return {tuple(p["Values"]): p["StorageDescriptor"]["Location"] for p in partitions}
