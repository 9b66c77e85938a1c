"""One S3 call as a CloudTrail record, field for field as AWS writes it.

Pure: no clock, no randomness, no AWS. The shapes follow AWS's "CloudTrail record contents" and
records of S3 data events seen in public; what AWS leaves out on plain HTTP (`tlsDetails`,
`CipherSuite`) is left out here.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import unescape

from localaws.cloudtrail.place import Place
from localaws.cloudtrail.recording.s3calls import S3Call
from localaws.protocol import Caller

EVENT_VERSION = "1.11"
CLOUDTRAIL = "cloudtrail.amazonaws.com"

Record = dict[str, Any]

# CloudTrail logs a refused call (AccessDenied); it has nobody to name for one whose
# authentication failed, so S3 does not send it those.
_AUTHENTICATION_FAILURES = frozenset(
    {
        "AuthorizationHeaderMalformed", "AuthorizationQueryParametersError", "ExpiredToken",
        "IncompleteSignature", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidSecurity",
        "InvalidToken", "MissingAuthenticationToken", "MissingSecurityHeader",
        "RequestTimeTooSkewed", "SignatureDoesNotMatch", "UnsupportedSignature",
    }
)  # fmt: skip
_EXPIRED_PRESIGNED = ("Request has expired", "Request is not yet valid")

_HEAD_ERRORS = {
    400: "BadRequest", 403: "AccessDenied", 404: "NoSuchKey", 405: "MethodNotAllowed",
    412: "PreconditionFailed", 416: "InvalidRange",
}  # fmt: skip

# Request headers that say what was asked of S3. Credentials, customer keys, checksums and the
# user's own metadata are not logged.
_LOGGED_HEADERS = re.compile(
    r"x-amz-(acl|grant-(full-control|read|read-acp|write|write-acp)|storage-class|tagging"
    r"|tagging-directive|metadata-directive|website-redirect-location|request-payer"
    r"|expected-bucket-owner|source-expected-bucket-owner|bypass-governance-retention"
    r"|object-ownership|object-lock-(mode|retain-until-date|legal-hold)"
    r"|server-side-encryption|server-side-encryption-aws-kms-key-id"
    r"|server-side-encryption-bucket-key-enabled|server-side-encryption-customer-algorithm"
    r"|copy-source|copy-source-range|copy-source-if-.+"
    r"|copy-source-server-side-encryption-customer-algorithm)"
)
_SECRET_PARAMETERS = frozenset(
    {"x-amz-signature", "x-amz-credential", "x-amz-security-token", "signature", "awsaccesskeyid"}
)
_RESPONSE_ELEMENTS = re.compile(
    r"x-amz-(version-id|delete-marker|copy-source-version-id|expiration|abort-date|abort-rule-id"
    r"|server-side-encryption|server-side-encryption-aws-kms-key-id"
    r"|server-side-encryption-bucket-key-enabled|server-side-encryption-customer-algorithm"
    r"|request-charged|restore-output-path)"
)
_STORES_BYTES = frozenset(
    {
        "PutObject", "CopyObject", "CreateMultipartUpload", "UploadPart",
        "UploadPartCopy", "CompleteMultipartUpload",
    }
)  # fmt: skip
_SSE_NAMES = {"AES256": "SSE_S3", "aws:kms": "SSE_KMS", "aws:kms:dsse": "DSSE_KMS"}


@dataclass(frozen=True, slots=True)
class Session:
    """What CloudTrail tells of a temporary credential: its role and when it was issued (UTC)."""

    role_arn: str
    role_id: str
    role_name: str
    issued_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Actor:
    """Who called, from where and with what. `identity` is the record's userIdentity.

    `authentication` is `AuthHeader` or `QueryString`, `signature` `SigV4` or `SigV2`.
    """

    identity: Mapping[str, Any]
    source_ip: str
    user_agent: str
    authentication: str
    signature: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the call ended. `headers` are the response's, lower-case names.

    `bytes_in` and `bytes_out` count the bodies as they went over the wire, chunk framing included.
    """

    status: int
    headers: Mapping[str, str]
    request_id: str
    host_id: str
    error_code: str | None
    error_message: str | None
    bytes_in: int
    bytes_out: int
    completed_at: dt.datetime


def iso(moment: dt.datetime) -> str:
    """A UTC time as CloudTrail writes it: whole seconds and `Z`."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def error_of(method: str, status: int, body: bytes) -> tuple[str | None, str | None]:
    """The error code and message of a response; (None, None) for a success.

    The answer to a HEAD has no body, so its code follows from the status.
    """
    if status < 400 and status not in (301, 307):
        return None, None
    if method == "HEAD":
        return _HEAD_ERRORS.get(status, str(status)), None
    text = body.decode("utf-8", "replace")
    code = re.search(r"<Code>([^<]*)</Code>", text)
    message = re.search(r"<Message>([^<]*)</Message>", text)
    return (
        unescape(code.group(1)) if code else str(status),
        unescape(message.group(1), {"&quot;": '"', "&apos;": "'"}) if message else None,
    )


def is_authentication_failure(code: str | None, message: str | None) -> bool:
    """Whether S3 could not establish who called; such calls are not logged."""
    if code in _AUTHENTICATION_FAILURES:
        return True
    return code == "AccessDenied" and (message or "").startswith(_EXPIRED_PRESIGNED)


def identity_of(caller: Caller, session: Session | None) -> dict[str, Any]:
    """The userIdentity of a call signed by `caller`."""
    identity: dict[str, Any] = {
        "type": caller.type,
        "principalId": caller.principal_id,
        "arn": caller.arn,
        "accountId": caller.account_id,
        "accessKeyId": caller.access_key_id,
    }
    if caller.type == "IAMUser":
        identity["userName"] = caller.name
    if session is not None:
        # ministack keeps the sessions of functions by the name of their role instead of its id.
        session_name = caller.arn.rpartition("/")[2]
        identity["principalId"] = f"{session.role_id}:{session_name}"
        identity["sessionContext"] = {
            "sessionIssuer": {
                "type": "Role",
                "principalId": session.role_id,
                "arn": session.role_arn,
                "accountId": caller.account_id,
                "userName": session.role_name,
            },
            "attributes": {"creationDate": iso(session.issued_at), "mfaAuthenticated": "false"},
        }
    return identity


def service_identity(principal: str) -> dict[str, Any]:
    """The userIdentity of a call an AWS service makes by itself."""
    return {"type": "AWSService", "invokedBy": principal}


def notification_principal(identity: Mapping[str, Any]) -> str:
    """The same caller as an S3 notification names it (`AWS:<principal id>`)."""
    if identity["type"] == "AWSService":
        return f"AWS:{identity['invokedBy']}"
    return f"AWS:{identity.get('principalId', '')}"


def build(call: S3Call, actor: Actor, outcome: Outcome, *, event_id: str, place: Place) -> Record:
    """The record of one finished call; `place` is the bucket's."""
    record: Record = {
        "eventVersion": EVENT_VERSION,
        "userIdentity": dict(actor.identity),
        "eventTime": iso(outcome.completed_at),
        "eventSource": "s3.amazonaws.com",
        "eventName": call.event_name,
        "awsRegion": place.region,
        "sourceIPAddress": actor.source_ip,
        "userAgent": actor.user_agent,
    }
    if outcome.error_code is not None:
        record["errorCode"] = outcome.error_code
        if outcome.error_message:
            record["errorMessage"] = outcome.error_message
    record |= {
        "requestParameters": _request_parameters(call),
        "responseElements": _response_elements(call, outcome),
        "additionalEventData": _additional_event_data(call, actor, outcome),
        "requestID": outcome.request_id,
        "eventID": event_id,
        "readOnly": call.read_only,
        "resources": _resources(call, place.account_id),
        "eventType": "AwsApiCall",
        "managementEvent": False,
        "recipientAccountId": place.account_id,
        "eventCategory": "Data",
    }
    return record


def _request_parameters(call: S3Call) -> dict[str, str]:
    parameters = {"bucketName": call.bucket, "Host": call.host}
    if call.key is not None:
        parameters["key"] = call.key
    for name, value in call.query:
        if name.lower() not in _SECRET_PARAMETERS:
            parameters.setdefault(name, value)
    for name, value in call.headers.items():
        if _LOGGED_HEADERS.fullmatch(name):
            parameters.setdefault(name, value)
    return parameters


def _response_elements(call: S3Call, outcome: Outcome) -> dict[str, str] | None:
    if call.read_only or outcome.error_code is not None:
        return None
    elements = {
        name: value for name, value in outcome.headers.items() if _RESPONSE_ELEMENTS.fullmatch(name)
    }
    return elements or None


def _additional_event_data(call: S3Call, actor: Actor, outcome: Outcome) -> dict[str, Any]:
    data: dict[str, Any] = {
        "SignatureVersion": actor.signature,
        "bytesTransferredIn": outcome.bytes_in,
        "AuthenticationMethod": actor.authentication,
        "x-amz-id-2": outcome.host_id,
        "bytesTransferredOut": outcome.bytes_out,
    }
    applied = _sse_applied(call, outcome)
    if applied is not None:
        data["SSEApplied"] = applied
    return data


def _sse_applied(call: S3Call, outcome: Outcome) -> str | None:
    if call.event_name not in _STORES_BYTES or outcome.error_code is not None:
        return None
    if "x-amz-server-side-encryption-customer-algorithm" in outcome.headers:
        return "SSE_C"
    name = _SSE_NAMES.get(outcome.headers.get("x-amz-server-side-encryption", ""))
    if name is None:
        return None
    asked = "x-amz-server-side-encryption" in _request_parameters(call)
    return name if asked else f"Default_{name}"


def _resources(call: S3Call, account_id: str) -> list[dict[str, str]]:
    bucket_arn = f"arn:aws:s3:::{call.bucket}"
    object_resource = {"type": "AWS::S3::Object"}
    if call.key is None:
        object_resource["ARNPrefix"] = f"{bucket_arn}/"
    else:
        object_resource["ARN"] = f"{bucket_arn}/{call.key}"
    return [
        object_resource,
        {"accountId": account_id, "type": "AWS::S3::Bucket", "ARN": bucket_arn},
    ]


def resource_arn(record: Record) -> str:
    """The ARN event selectors compare: the object's, or the bucket's prefix when it has no key."""
    parameters = record["requestParameters"]
    return f"arn:aws:s3:::{parameters['bucketName']}/{parameters.get('key', '')}"
