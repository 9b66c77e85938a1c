"""What S3's errors say of an object version."""

import pytest
from botocore.exceptions import ClientError

from custody.aws.s3.errors import (
    answer_of,
    is_absent,
    is_refused,
    may_be_its_kms_key,
    unreadable_reason,
)
from custody.core.records.model import UnreadableReason


def error(code, status=400, message=""):
    answer = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return ClientError(answer, "GetObject")


SSE_C = (
    "The object was stored using a form of Server Side Encryption. "
    "The correct parameters must be provided to retrieve the object."
)


@pytest.mark.parametrize(
    ("code", "message", "reason"),
    [
        ("InvalidRequest", SSE_C, UnreadableReason.CUSTOMER_KEY),
        ("InvalidObjectState", "", UnreadableReason.ARCHIVED),
        ("NoSuchVersion", "The specified version does not exist.", UnreadableReason.GONE),
        ("NoSuchKey", "", UnreadableReason.GONE),
        ("404", "Not Found", UnreadableReason.GONE),
        ("MethodNotAllowed", "", UnreadableReason.GONE),
        # May pass, or be put right.
        ("InvalidRequest", "Missing required header for this request", None),
        ("InvalidRequest", "", None),
        ("AccessDenied", "Access Denied", None),
        ("NoSuchBucket", "The specified bucket does not exist", None),
        ("SlowDown", SSE_C, None),
        ("InternalError", "", None),
        ("ServiceUnavailable", "", None),
        ("RequestTimeout", "", None),
        ("KMS.DisabledException", "the key is disabled", None),
        ("", "", None),
    ],
)
def test_only_what_is_final_is_final(code, message, reason):
    assert unreadable_reason(error(code, message=message)) is reason


@pytest.mark.parametrize(
    ("code", "may_be"),
    [
        ("AccessDenied", True),
        ("KMS.DisabledException", True),
        ("KMS.KMSInvalidStateException", True),
        ("KMS.ThrottlingException", False),
        ("NoSuchKey", False),
        ("SlowDown", False),
        ("InvalidObjectState", False),
    ],
)
def test_which_refusals_may_come_from_the_key(code, may_be):
    assert may_be_its_kms_key(error(code)) is may_be


@pytest.mark.parametrize(
    ("code", "status", "absent", "refused"),
    [
        ("NoSuchKey", 404, True, False),
        ("NoSuchVersion", 404, True, False),
        ("404", 404, True, False),
        ("MethodNotAllowed", 405, True, False),  # a delete marker
        ("405", 405, True, False),
        ("AccessDenied", 403, False, True),
        ("403", 403, False, True),
        ("InvalidObjectState", 403, False, True),
        ("KMS.DisabledException", 400, False, True),
        ("InvalidRequest", 400, False, True),
        # Not about the object.
        ("NoSuchBucket", 404, False, False),
        ("ExpiredToken", 400, False, False),
        ("InvalidToken", 400, False, False),
        ("KMS.ThrottlingException", 400, False, False),
        ("SlowDown", 503, False, False),
        ("InternalError", 500, False, False),
    ],
)
def test_what_is_absent_and_what_is_refused(code, status, absent, refused):
    answer = error(code, status)
    assert (is_absent(answer), is_refused(answer)) == (absent, refused)


def test_the_answer_says_code_and_message():
    assert answer_of(error("NoSuchKey", message="There is none.")) == "NoSuchKey: There is none."
    assert answer_of(error("404", message="")) == "404"
