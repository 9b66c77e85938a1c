"""Digest files: windows, names, contents, signatures and the chain between them."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from tests.infra.local.cloudtrail.samples import PLACE, trail

from localaws.cloudtrail.delivery import digests
from localaws.cloudtrail.delivery.digests import Window, windows_due
from localaws.cloudtrail.delivery.publickeys import SigningKey
from localaws.cloudtrail.journal import Chain, DeliveredFile, DigestFile

NOON = 1_793_620_800  # 2026-11-02T12:00:00Z
HOUR = 3600


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    return SigningKey.of(Path(tmp_path_factory.mktemp("keys")), "us-east-1")


def document(digest: DigestFile) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(gzip.decompress(digest.body))
    return loaded


def file(number: int, event_time: str) -> DeliveredFile:
    return DeliveredFile(number, "trail-bucket", f"log-{number}", "ab" * 32, event_time, event_time)


def build(
    key: SigningKey, chain: Chain, window: Window, *files: DeliveredFile
) -> tuple[DigestFile, Chain]:
    return digests.build(
        trail=trail(), place=PLACE, window=window, files=files, chain=chain, key=key
    )


@pytest.mark.parametrize(
    ("start", "now", "expected"),
    [
        (NOON + 60, NOON + HOUR - 1, []),
        (NOON + 60, NOON + HOUR, [(NOON + 60, NOON + HOUR)]),
        (NOON, NOON + HOUR + 1, [(NOON, NOON + HOUR)]),
        (NOON, NOON, []),
        (
            NOON + 60,
            NOON + 2 * HOUR + 5,
            [(NOON + 60, NOON + HOUR), (NOON + HOUR, NOON + 2 * HOUR)],
        ),
    ],
)
def test_windows_end_on_the_hour(start: int, now: int, expected: list[tuple[int, int]]) -> None:
    assert [(w.start, w.end) for w in windows_due(start, now, HOUR, 48)] == expected


def test_after_a_long_stop_the_first_window_covers_the_rest() -> None:
    windows = windows_due(NOON + 60, NOON + 100 * HOUR, HOUR, 3)
    assert [(w.start, w.end) for w in windows] == [
        (NOON + 60, NOON + 98 * HOUR),
        (NOON + 98 * HOUR, NOON + 99 * HOUR),
        (NOON + 99 * HOUR, NOON + 100 * HOUR),
    ]


def test_the_key_says_account_region_trail_home_and_end() -> None:
    assert digests.digest_key(trail(prefix="audit"), PLACE, NOON) == (
        "audit/AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/11/02/"
        "111122223333_CloudTrail-Digest_us-east-1_custody-local_us-east-1_20261102T120000Z.json.gz"
    )
    assert digests.digest_key(trail(), PLACE, NOON).startswith("AWSLogs/111122223333/")


def test_the_signed_text_is_aws_own_word_for_word() -> None:
    text = digests.signed_text("2026-11-02T12:00:00Z", "b", "k", "ab", None)
    assert text == b"2026-11-02T12:00:00Z\nb/k\nab\nnull"
    assert digests.signed_text("2026-11-02T12:00:00Z", "b", "k", "ab", "cd").endswith(b"\ncd")


def test_an_empty_starting_digest(key: SigningKey) -> None:
    digest, after = build(key, Chain("arn", NOON), Window(NOON, NOON + HOUR))
    found = document(digest)
    assert found == {
        "awsAccountId": "111122223333",
        "digestStartTime": "2026-11-02T12:00:00Z",
        "digestEndTime": "2026-11-02T13:00:00Z",
        "digestS3Bucket": "trail-bucket",
        "digestS3Object": digest.key,
        "digestPublicKeyFingerprint": key.public.fingerprint,
        "digestSignatureAlgorithm": "SHA256withRSA",
        "newestEventTime": None,
        "oldestEventTime": None,
        "previousDigestS3Bucket": None,
        "previousDigestS3Object": None,
        "previousDigestHashValue": None,
        "previousDigestHashAlgorithm": None,
        "previousDigestSignature": None,
        "logFiles": [],
    }
    assert after.window_start == NOON + HOUR


def test_each_digest_names_signs_and_hashes_the_one_before(key: SigningKey) -> None:
    first, after_first = build(key, Chain("arn", NOON), Window(NOON, NOON + HOUR))
    second, _ = build(
        key,
        after_first,
        Window(NOON + HOUR, NOON + 2 * HOUR),
        file(1, "2026-11-02T12:30:00Z"),
        file(2, "2026-11-02T12:10:00Z"),
    )
    found = document(second)
    assert found["previousDigestS3Bucket"] == first.bucket
    assert found["previousDigestS3Object"] == first.key
    assert found["previousDigestSignature"] == first.signature
    raw_first = gzip.decompress(first.body)
    assert found["previousDigestHashValue"] == hashlib.sha256(raw_first).hexdigest()
    assert found["previousDigestHashAlgorithm"] == "SHA-256"
    assert (found["oldestEventTime"], found["newestEventTime"]) == (
        "2026-11-02T12:10:00Z",
        "2026-11-02T12:30:00Z",
    )
    assert found["logFiles"][0] == {
        "s3Bucket": "trail-bucket",
        "s3Object": "log-1",
        "hashValue": "ab" * 32,
        "hashAlgorithm": "SHA-256",
        "newestEventTime": "2026-11-02T12:30:00Z",
        "oldestEventTime": "2026-11-02T12:30:00Z",
    }
    public = serialization.load_der_public_key(key.public.value)
    assert isinstance(public, rsa.RSAPublicKey)
    sha256 = hashlib.sha256(gzip.decompress(second.body)).hexdigest()
    signed = "\n".join(
        (found["digestEndTime"], f"trail-bucket/{second.key}", sha256, first.signature)
    )
    public.verify(
        bytes.fromhex(digests.metadata(second)["signature"]),
        signed.encode(),
        padding.PKCS1v15(),
        hashes.SHA256(),
    )
    assert digests.metadata(second)["signature-algorithm"] == "SHA256withRSA"
