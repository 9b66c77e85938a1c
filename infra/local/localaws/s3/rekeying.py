"""Another key for a stored version, in place: ministack takes the call for a write of its XML.

The version keeps its id, its bytes, its ETag and its dates; from then on who reads it needs the
other key. Whether who asks for it may use that one is not asked here, and a restart forgets it.

Source: "UpdateObjectEncryption" in AWS's S3 API reference.
"""

from __future__ import annotations

from typing import Any, Final

from ministack.core import iam_actions
from ministack.services import s3

_SSE: Final = "x-amz-server-side-encryption"


def register() -> None:
    """Have ministack serve it, and ask for its permission; call it once in a process."""
    dispatch = s3._dispatch  # noqa: SLF001

    def rekeying(
        method: str, bucket: str, key: str, headers: Any, body: bytes, query: dict[str, Any]
    ) -> Any:
        if method == "PUT" and key and "encryption" in query:
            return encrypt_anew(bucket, key, body, query)
        return dispatch(method, bucket, key, headers, body, query)

    s3._dispatch = rekeying  # noqa: SLF001
    iam_actions._S3_OBJECT_QUERY_ACTIONS["encryption"] = {"PUT": "UpdateObjectEncryption"}  # noqa: SLF001


def encrypt_anew(bucket: str, key: str, body: bytes, query: dict[str, Any]) -> Any:
    """Note the key that `body` names as that of a version; S3's answer."""
    known = s3._ensure_bucket(bucket)  # noqa: SLF001
    if known is None:
        return s3._no_such_bucket(bucket)  # noqa: SLF001
    named, missing = s3._object_lock_target(bucket, key, known, query)  # noqa: SLF001
    if missing:
        return missing
    arn = s3.fromstring(body).findtext("{*}SSE-KMS/{*}KMSKeyArn")
    stored = [known["objects"].get(key), *(s3._object_versions.get((bucket, key)) or [])]  # noqa: SLF001
    for version in stored:
        if version is not None and version.get("version_id") == named[2]:
            headers = {_SSE: "aws:kms", f"{_SSE}-aws-kms-key-id": arn}
            version["preserved_headers"] = version.get("preserved_headers", {}) | headers
    return 200, {}, b""
