"""Classify the errors that S3 answers a read with.

Rules from "Error responses" and "GetObject" in the Amazon S3 API reference. Three questions are
kept apart: whether the version is absent, whether S3 refuses it to whoever asks now, and whether
repeating the request can ever help.
"""

from __future__ import annotations

from typing import Final

from botocore.exceptions import ClientError

from custody.core.records.model import UnreadableReason

_ABSENT: Final = frozenset({"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed", "405"})
"""`MethodNotAllowed` is a delete marker; HeadObject has no body and answers with the number.
Without `s3:ListBucket` and `s3:ListBucketVersions` S3 answers `AccessDenied` instead. A
bucket that is missing says nothing of the version."""

_KEY_CODES: Final = frozenset(
    {
        "AccessDenied",
        "KMS.DisabledException",
        "KMS.KMSInvalidStateException",
        "KMS.NotFoundException",
    }
)
"""S3 answers `AccessDenied` for a key that may not be used just as for an object that may not be
read; the others say that the key is disabled, about to be deleted, or unknown. Throttling by KMS is
not among them."""

_NOT_ABOUT_THE_OBJECT: Final = frozenset(
    {
        "AuthorizationHeaderMalformed",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidToken",
        "KMS.ThrottlingException",
        "NoSuchBucket",
        "RequestTimeTooSkewed",
        "RequestTimeout",
        "SignatureDoesNotMatch",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
    }
)

_SSE_C: Final = "server side encryption"
"""Stands in S3's message to those who ask for an SSE-C object without its key. The code,
`InvalidRequest`, is used for much else; should S3 word it differently one day, the version is
tried again instead of being given up."""


class ObjectAbsent(Exception):
    """There is no such object, or no such version of it; the message is S3's answer."""


class ObjectRefused(Exception):
    """S3 has the object and does not hand it out; the message is S3's error code."""


class ObjectWithheld(ClientError):
    """S3 has the object version and does not hand it out for the way it is encrypted or stored: its
    answer."""


def code_of(error: ClientError) -> str:
    """The error code of S3's answer."""
    return error.response["Error"]["Code"]


def answer_of(error: ClientError) -> str:
    """S3's answer for people to read: its error code and message."""
    code, message = code_of(error), _message(error)
    return f"{code}: {message}" if message else code


def is_absent(error: ClientError) -> bool:
    """Whether S3 says that there is no such object version."""
    return code_of(error) in _ABSENT


def is_refused(error: ClientError) -> bool:
    """Whether S3 has the object version and refuses it; a retry may yet succeed.

    Credentials, throttling and S3's own errors are not about the object.
    """
    status = error.response["ResponseMetadata"].get("HTTPStatusCode", 500)
    about_object = code_of(error) not in _NOT_ABOUT_THE_OBJECT and not is_absent(error)
    return 400 <= status < 500 and about_object


def unreadable_reason(error: ClientError) -> UnreadableReason | None:
    """Why GetObject will never succeed, from S3's error; `None` if it may yet.

    Everything that is not known to be final (S3's own errors, slowness, a permission or a bucket
    that is missing) may pass or be put right, and says nothing of the version.
    """
    if is_absent(error):
        return UnreadableReason.GONE
    code = code_of(error)
    if code == "InvalidObjectState":
        return UnreadableReason.ARCHIVED
    if code == "InvalidRequest" and _SSE_C in _message(error).lower():
        return UnreadableReason.CUSTOMER_KEY
    return None


def may_be_its_kms_key(error: ClientError) -> bool:
    """Whether the object's KMS key may be why S3 refuses it."""
    return code_of(error) in _KEY_CODES


def _message(error: ClientError) -> str:
    return error.response["Error"].get("Message", "")
