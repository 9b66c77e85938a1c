"""What it means for good when S3 refuses to hand out an object version.

Rules from "Error responses" and "GetObject" in the Amazon S3 API reference. Only what repeating the
request cannot change is told apart here. Everything else (S3's own errors, slowness, a permission
or a bucket that is missing) may pass or be put right, and says nothing of the version.
"""

from __future__ import annotations

from typing import Final

from custody.core.records.landing import UnreadableReason

_GONE_CODES: Final = frozenset({"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed"})
"""``MethodNotAllowed`` is a delete marker. Without ``s3:ListBucket`` and ``s3:ListBucketVersions``
S3 answers ``AccessDenied`` instead."""

_KEY_CODES: Final = frozenset(
    {
        "AccessDenied",
        "KMS.DisabledException",
        "KMS.KMSInvalidStateException",
        "KMS.NotFoundException",
    }
)
"""S3 answers ``AccessDenied`` for a key that may not be used just as for an object that may not be
read; the others say that the key is disabled, about to be deleted, or unknown. Throttling by KMS is
not among them."""

_SSE_C: Final = "server side encryption"
"""Stands in S3's message to those who ask for an SSE-C object without its key. The code,
``InvalidRequest``, is used for much else; should S3 word it differently one day, the version is
tried again instead of being given up."""


def unreadable(code: str, message: str) -> UnreadableReason | None:
    """Why GetObject will never succeed, from S3's error; ``None`` if it may yet."""
    if code in _GONE_CODES:
        return UnreadableReason.GONE
    if code == "InvalidObjectState":
        return UnreadableReason.ARCHIVED
    if code == "InvalidRequest" and _SSE_C in message.lower():
        return UnreadableReason.CUSTOMER_KEY
    return None


def may_be_its_kms_key(code: str) -> bool:
    """Whether the object's KMS key may be what stood in the way."""
    return code in _KEY_CODES
