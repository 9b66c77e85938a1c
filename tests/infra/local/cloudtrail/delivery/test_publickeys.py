"""Signing keys: kept, named as AWS names its own, and usable by others."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from localaws.cloudtrail.delivery.publickeys import SigningKey, SigningKeyError

# The example of AWS's ListPublicKeys documentation.
_AWS_EXAMPLE_VALUE = (
    "MIIBCgKCAQEAn11L2YZ9h7onug2ILi1MWyHiMRsTQjfWE+pHVRLk1QjfWhirG+lpOa8NrwQ/r7Ah5bNL6HepznOU9XTD"
    "SfmmnP97mqyc7z/upfZdS/AHhYcGaz7n6Wc/RRBU6VmiPCrAUojuSk6/GjvA8iOPFsYDuBtviXarvuLPlrT9kAd4Lb+r"
    "FfR5peEgBEkhlzc5HuWO7S0y+KunqxX6jQBnXGMtxmPBPP0FylgWGNdFtks/4YSKcgqwH0YDcawP9GGGDAeCIqPWIXDL"
    "G1jOjRRzWfCmD0iJUkz8vTsn4hq/5ZxRFE7UBAUiVcGbdnDdvVfhF9C3dQiDq3k7adQIziLT0cShgQIDAQAB"
)
_AWS_EXAMPLE_FINGERPRINT = "8eba5db5bea9b640d1c96a77256fe7f2"


def test_the_fingerprint_is_aws_own_function_of_the_key(tmp_path: Path) -> None:
    public = SigningKey.of(tmp_path, "us-east-1").public
    assert hashlib.md5(public.value).hexdigest() == public.fingerprint  # noqa: S324
    example = base64.b64decode(_AWS_EXAMPLE_VALUE)
    assert hashlib.md5(example).hexdigest() == _AWS_EXAMPLE_FINGERPRINT  # noqa: S324


def test_the_public_key_is_pkcs1_rsa_2048_and_verifies(tmp_path: Path) -> None:
    key = SigningKey.of(tmp_path, "us-east-1")
    # cryptography reads PKCS#1 and SubjectPublicKeyInfo alike; only PKCS#1 starts with the modulus.
    assert key.public.value[4:9] == bytes.fromhex("0282010100")
    public = serialization.load_der_public_key(key.public.value)
    assert isinstance(public, rsa.RSAPublicKey)
    assert public.key_size == 2048
    signature = bytes.fromhex(key.sign(b"text"))
    public.verify(signature, b"text", padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(InvalidSignature):
        public.verify(signature, b"other", padding.PKCS1v15(), hashes.SHA256())


def test_a_key_is_made_once_per_region_and_only_ours_to_read(tmp_path: Path) -> None:
    first = SigningKey.of(tmp_path, "us-east-1").public
    assert SigningKey.of(tmp_path, "us-east-1").public == first
    assert SigningKey.of(tmp_path, "eu-west-1").public.fingerprint != first.fingerprint
    assert (tmp_path / "us-east-1.pem").stat().st_mode & 0o077 == 0


def test_a_damaged_key_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "us-east-1.pem").write_text("nonsense")
    with pytest.raises(SigningKeyError, match=r"us-east-1\.pem"):
        SigningKey.of(tmp_path, "us-east-1")
