"""CloudTrail's digests: what one says, and which text its signature covers.

Rules from "CloudTrail digest file structure" and "Custom implementations of CloudTrail log file
integrity validation" in the AWS CloudTrail User Guide. A digest lists the log files delivered in
one period, with their hashes, and names the digest before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from custody.core.formats.s3_fields import bucket_name, instant, object_key
from custody.core.formats.untrusted import Fields, MalformedInput, load_json

MAX_DIGEST_BYTES: Final = 32 * 1024 * 1024
"""Longest digest accepted, unpacked: some 90,000 log files in one period."""

MAX_LOG_FILES: Final = 200_000
SIGNATURE_ALGORITHM: Final = "SHA256withRSA"
_HASH_ALGORITHM: Final = "SHA-256"
_MAX_SIGNATURE_DIGITS: Final = 2048
"""In hexadecimal: RSA keys of up to 8192 bits."""


@dataclass(frozen=True)
class LogFile:
    """A log file as a digest names it; `sha256` is of its *uncompressed* bytes, in hex.

    `oldest` and `newest` are the times of its first and last event, None where the digest is
    silent.
    """

    bucket: str
    key: str
    sha256: str
    oldest: datetime | None = None
    newest: datetime | None = None


@dataclass(frozen=True)
class Previous:
    """The digest before, as its successor vouches for it; `sha256` is of its uncompressed bytes.

    `signature` is as written, in hexadecimal: that text is part of what the successor's own
    signature covers.
    """

    bucket: str
    key: str
    sha256: str
    signature: str


@dataclass(frozen=True)
class Digest:
    """One digest. Its period is `start` < delivery ≤ `end`.

    `end_text` is the end as written, which is what is signed; `previous` is `None` in a
    starting digest.
    """

    account_id: str
    bucket: str
    key: str
    start: datetime
    end: datetime
    end_text: str
    fingerprint: str
    previous: Previous | None
    log_files: tuple[LogFile, ...]


def parse_digest(raw: bytes) -> Digest:
    """Read an uncompressed digest.

    Raises `MalformedInput` naming the field that is missing, wrong or too long.
    """
    fields = Fields.of(load_json(raw, what="digest", max_bytes=MAX_DIGEST_BYTES), "")
    _must_be(fields, "digestSignatureAlgorithm", SIGNATURE_ALGORITHM)
    start, end = instant(fields, "digestStartTime"), instant(fields, "digestEndTime")
    if end < start:
        raise MalformedInput("digestEndTime", "is before digestStartTime")
    return Digest(
        account_id=fields.text("awsAccountId"),
        bucket=bucket_name(fields, "digestS3Bucket"),
        key=object_key(fields, "digestS3Object"),
        start=start,
        end=end,
        end_text=fields.text("digestEndTime"),
        fingerprint=fields.text("digestPublicKeyFingerprint"),
        previous=_previous(fields),
        log_files=tuple(
            _log_file(Fields.of(item, f"logFiles[{number}]"))
            for number, item in enumerate(fields.items("logFiles", max_items=MAX_LOG_FILES))
        ),
    )


def signed_text(digest: Digest, sha256: str) -> bytes:
    """What the signature of `digest` covers; `sha256` (hex) is that of its uncompressed bytes.

    Four lines: end, `bucket/key`, hash, and the previous digest's signature or `null`.
    """
    previous = digest.previous.signature if digest.previous else "null"
    return f"{digest.end_text}\n{digest.bucket}/{digest.key}\n{sha256}\n{previous}".encode()


def _previous(fields: Fields) -> Previous | None:
    names = (
        "previousDigestS3Bucket",
        "previousDigestS3Object",
        "previousDigestHashValue",
        "previousDigestHashAlgorithm",
        "previousDigestSignature",
    )
    if not any(fields.has(name) for name in names):
        return None
    _must_be(fields, "previousDigestHashAlgorithm", _HASH_ALGORITHM)
    return Previous(
        bucket=bucket_name(fields, "previousDigestS3Bucket"),
        key=object_key(fields, "previousDigestS3Object"),
        sha256=fields.sha256("previousDigestHashValue"),
        signature=fields.text("previousDigestSignature", max_length=_MAX_SIGNATURE_DIGITS),
    )


def _log_file(fields: Fields) -> LogFile:
    _must_be(fields, "hashAlgorithm", _HASH_ALGORITHM)
    return LogFile(
        bucket=bucket_name(fields, "s3Bucket"),
        key=object_key(fields, "s3Object"),
        sha256=fields.sha256("hashValue"),
        oldest=_time(fields, "oldestEventTime"),
        newest=_time(fields, "newestEventTime"),
    )


def _time(fields: Fields, name: str) -> datetime | None:
    return instant(fields, name) if fields.has(name) else None


def _must_be(fields: Fields, name: str, expected: str) -> None:
    found = fields.text(name)
    if found != expected:
        raise MalformedInput(fields.where(name), f"must be {expected}, not {found[:40]!r}")
