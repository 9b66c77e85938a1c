"""What S3's refusals mean for good: only what no repetition can change."""

import pytest

from custody.core.records.landing import UnreadableReason
from custody.core.records.refusals import may_be_its_kms_key, unreadable

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
    assert unreadable(code, message) is reason


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
    assert may_be_its_kms_key(code) is may_be
