"""CloudTrail's digest files: what is in them, what is signed, and when they are due.

Pure. Formats: "CloudTrail digest file structure" and "Custom implementations of CloudTrail log
file integrity validation" in AWS's CloudTrail user guide.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from localaws.cloudtrail.delivery.publickeys import SigningKey
from localaws.cloudtrail.journal import Chain, DeliveredFile, DigestFile
from localaws.cloudtrail.place import Place
from localaws.cloudtrail.trails import Trail

SIGNATURE_ALGORITHM = "SHA256withRSA"


@dataclass(frozen=True, slots=True)
class Window:
    """The stretch of delivery times one digest covers, in epoch seconds: start < t <= end."""

    start: int
    end: int


def windows_due(start: int, now: float, every: int, at_most: int) -> list[Window]:
    """The windows that have closed since `start`, oldest first.

    Windows end on multiples of `every` seconds (of each hour, by default), whether or not anything
    was delivered. Never more than `at_most`: after a long stop the first one covers the rest, so
    that the chain has no gap.
    """
    last = int(now) // every * every
    first = start // every * every + every
    ends = list(range(max(first, last - (at_most - 1) * every), last + 1, every))
    windows = []
    for end in ends:
        windows.append(Window(start, end))
        start = end
    return windows


def digest_key(trail: Trail, place: Place, end: int) -> str:
    """The object key of the digest whose window ends at `end` (epoch seconds)."""
    moment = dt.datetime.fromtimestamp(end, dt.UTC)
    account_id, region = place.account_id, place.region
    prefix = f"{trail.prefix}/" if trail.prefix else ""
    return (
        f"{prefix}AWSLogs/{account_id}/CloudTrail-Digest/{region}/{moment:%Y/%m/%d}/"
        f"{account_id}_CloudTrail-Digest_{region}_{trail.name}_{trail.home_region}"
        f"_{moment:%Y%m%dT%H%M%SZ}.json.gz"
    )


def signed_text(end_time: str, bucket: str, key: str, sha256: str, previous: str | None) -> bytes:
    """What a digest's signature covers: four lines, the last `null` in a starting digest."""
    return "\n".join((end_time, f"{bucket}/{key}", sha256, previous or "null")).encode()


def build(
    *,
    trail: Trail,
    place: Place,
    window: Window,
    files: Sequence[DeliveredFile],
    chain: Chain,
    key: SigningKey,
) -> tuple[DigestFile, Chain]:
    """The signed digest of a window, and the chain as it stands after it."""
    object_key = digest_key(trail, place, window.end)
    end_time = _iso(window.end)
    document = {
        "awsAccountId": place.account_id,
        "digestStartTime": _iso(window.start),
        "digestEndTime": end_time,
        "digestS3Bucket": trail.bucket,
        "digestS3Object": object_key,
        "digestPublicKeyFingerprint": key.public.fingerprint,
        "digestSignatureAlgorithm": SIGNATURE_ALGORITHM,
        "newestEventTime": max((file.newest for file in files), default=None),
        "oldestEventTime": min((file.oldest for file in files), default=None),
        "previousDigestS3Bucket": chain.previous_bucket,
        "previousDigestS3Object": chain.previous_key,
        "previousDigestHashValue": chain.previous_sha256,
        "previousDigestHashAlgorithm": "SHA-256" if chain.previous_sha256 else None,
        "previousDigestSignature": chain.previous_signature,
        "logFiles": [
            {
                "s3Bucket": file.bucket,
                "s3Object": file.key,
                "hashValue": file.sha256,
                "hashAlgorithm": "SHA-256",
                "newestEventTime": file.newest,
                "oldestEventTime": file.oldest,
            }
            for file in files
        ],
    }
    content = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    sha256 = hashlib.sha256(content).hexdigest()
    signature = key.sign(
        signed_text(end_time, trail.bucket, object_key, sha256, chain.previous_signature)
    )
    digest = DigestFile(
        trail=trail.arn,
        bucket=trail.bucket,
        key=object_key,
        kms_key_id=trail.kms_key_id,
        body=gzip.compress(content, mtime=0),
        signature=signature,
    )
    after = replace(
        chain,
        window_start=window.end,
        previous_bucket=trail.bucket,
        previous_key=object_key,
        previous_sha256=sha256,
        previous_signature=signature,
    )
    return digest, after


def metadata(digest: DigestFile) -> dict[str, str]:
    """The object metadata that carries a digest's signature."""
    return {"signature": digest.signature, "signature-algorithm": SIGNATURE_ALGORITHM}


def _iso(epoch: int) -> str:
    return dt.datetime.fromtimestamp(epoch, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
