"""A composite checksum must never pass for the object's own."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from custody.core.formats.checksums import DIGEST_BYTES, S3Checksum, s3_checksum


def encoded(algorithm: str, fill: bytes = b"\x07") -> str:
    return base64.b64encode(fill * DIGEST_BYTES[algorithm]).decode()


@given(st.binary())
def test_a_whole_sha256_is_the_objects(content):
    value = base64.b64encode(hashlib.sha256(content).digest()).decode()
    checksum = S3Checksum("SHA256", "FULL_OBJECT", value)
    assert checksum.object_sha256 == hashlib.sha256(content).hexdigest()


@given(st.integers(1, 10_000))
def test_a_composite_sha256_is_nobodys(parts):
    value = f"{encoded('SHA256')}-{parts}"
    assert S3Checksum("SHA256", "COMPOSITE", value).object_sha256 is None
    for kind in (None, "COMPOSITE", "FULL_OBJECT"):  # a part count tells, whatever the type says
        assert s3_checksum("SHA256", kind, value).object_sha256 is None
    assert S3Checksum("SHA256", "COMPOSITE", encoded("SHA256")).object_sha256 is None


@pytest.mark.parametrize("algorithm", [name for name in DIGEST_BYTES if name != "SHA256"])
def test_other_algorithms_say_nothing_about_the_sha256(algorithm):
    assert S3Checksum(algorithm, "FULL_OBJECT", encoded(algorithm)).object_sha256 is None


def test_an_older_object_has_no_type():
    assert s3_checksum("CRC32", None, encoded("CRC32")).type == "FULL_OBJECT"
    assert s3_checksum("CRC32", None, encoded("CRC32") + "-2").type == "COMPOSITE"


@pytest.mark.parametrize(
    ("algorithm", "kind", "value", "problem"),
    [
        ("MD5", "FULL_OBJECT", "", "'MD5' is none of"),
        ("SHA256", "PARTIAL", encoded("SHA256"), "neither FULL_OBJECT nor COMPOSITE"),
        ("SHA256", "FULL_OBJECT", encoded("SHA256") + "-3", "must not end in a part count"),
        ("SHA256", "COMPOSITE", encoded("SHA256") + "-0", "number from 1 up"),
        ("SHA256", "COMPOSITE", encoded("SHA256") + "-two", "number from 1 up"),
        ("SHA256", "FULL_OBJECT", encoded("SHA1"), "has 20 bytes"),
        ("SHA256", "FULL_OBJECT", "!" * 44, "not base64"),
        ("SHA256", "FULL_OBJECT", hashlib.sha256(b"").hexdigest(), "has 48 bytes"),  # hex
    ],
)
def test_refuses_what_does_not_go_together(algorithm, kind, value, problem):
    with pytest.raises(ValueError, match=problem):
        S3Checksum(algorithm, kind, value)
