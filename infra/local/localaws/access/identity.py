"""Who is calling, whether the signature is theirs, and whether IAM lets them.

The signature check and the policy evaluation are ministack's own (`ministack.core.iam_evaluator`),
run for our services as it runs them for its own, so that a missing permission fails the same way
everywhere. Two holes of an emulator are closed in front of everything: the account's root is one
random key whose signature is checked (ministack also takes `test`, any account number, and
unsigned requests for root, and checks none of them), and nothing is served unsigned.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass

from ministack.core.iam_actions import (
    access_denied_response,
    extract_iam_action,
    extract_resource_arn,
    identity_denial_message,
    request_tag_context,
)
from ministack.core.iam_evaluator import (
    AuthError,
    CredentialResolutionError,
    enforce,
    find_iam_access_key_account,
    is_root_access_key,
    pin_request_origin,
    pin_signed_body,
    pin_signed_request,
    resolve_credential,
)
from ministack.core.responses import (
    fix_error_content_type,
    get_account_id,
    set_request_account_id,
    set_request_region,
)
from ministack.core.router import detect_service, extract_access_key_id, extract_region
from ministack.core.sigv4 import (
    calculate_signature,
    header_signing_documents,
    parse_header_signature,
    parse_query_signature,
    presigned_request_is_expired,
    request_time_failure,
)

from localaws.protocol import (
    AwsError,
    AwsResponse,
    Caller,
    CallerType,
    NamesResources,
    json_object,
)
from localaws.server.wire import Head

# Links that ministack hands out itself and that carry their own unguessable token.
_UNSIGNED_LINKS = (
    "/_ministack/cfn-response/",
    "/_ministack/cfn-signal/",
    "/_ministack/lambda-code/",
    "/_ministack/lambda-layers/",
)
_TYPES: dict[str, CallerType] = {
    "Root": "Root",
    "User": "IAMUser",
    "AssumedRole": "AssumedRole",
    "FederatedUser": "FederatedUser",
}


class Refused(Exception):
    """The request may not go on; `response` says so in its service's own protocol."""

    def __init__(self, response: AwsResponse) -> None:
        super().__init__(response.body.decode("utf-8", "replace"))
        self.response = response


@dataclass(frozen=True, slots=True)
class Operation:
    """What a request asks for, in IAM's terms."""

    service: str
    action: str
    region: str
    account_id: str


def service_of(head: Head) -> str:
    """ministack's name of the service a request is for, for example `s3`."""
    return str(detect_service(head.method, head.path, dict(head.headers), dict(head.query)))


def access_key_of(head: Head) -> str:
    """The access key a request claims; empty when it is unsigned."""
    return str(extract_access_key_id(dict(head.headers), dict(head.query)))


def is_root(access_key_id: str) -> bool:
    """Whether this is the key of the account's root."""
    return bool(access_key_id) and hmac.compare_digest(
        access_key_id, os.environ["AWS_ACCESS_KEY_ID"]
    )


def needs_body(head: Head) -> bool:
    """Whether `admit` must see the body: root signed it, and no header carries its hash."""
    return is_root(access_key_of(head)) and "x-amz-content-sha256" not in head.headers


def admit(head: Head, body: bytes, request_id: str) -> None:
    """Refuse what no AWS endpoint would serve; raises Refused.

    `body` is only looked at when `needs_body` asks for it. Signatures of users and roles are left
    to the service, which checks them before it evaluates policies.
    """
    key = access_key_of(head)
    if not key:
        if head.path.startswith(_UNSIGNED_LINKS):
            return
        raise Refused(
            _denial(head, request_id, "MissingAuthenticationToken", "The request is not signed.")
        )
    if head.path.startswith(("/_ministack/", "/_localstack/")):
        raise Refused(
            _denial(
                head, request_id, "AccessDenied", "Administration is by localaws' own commands."
            )
        )
    if not is_root_access_key(key):
        return
    if not is_root(key):
        raise Refused(
            _denial(
                head,
                request_id,
                "InvalidClientTokenId",
                "The security token included in the request is invalid.",
            )
        )
    failure = _root_signature_failure(head, body)
    if failure:
        raise Refused(_denial(head, request_id, *failure))


def authorise(
    head: Head, body: bytes, request_id: str, names: NamesResources | None = None
) -> tuple[Caller, Operation]:
    """Check signature and permission of a request to one of our own services.

    Expects `admit` to have passed. `names` may say which resource the request is about; otherwise
    ministack reads it from the body. Raises Refused, ready to send, and AwsError for a body that
    is not JSON.
    """
    headers, query = dict(head.headers), dict(head.query)
    key = access_key_of(head)
    region = str(extract_region(headers, query))
    set_request_account_id(find_iam_access_key_account(key) or key)
    set_request_region(region)
    pin_request_origin(head.source_ip, True)  # loopback counts as TLS
    pin_signed_request(head.method, head.raw_path, query, head.raw_headers)
    pin_signed_body(body)

    service = service_of(head)
    account = str(get_account_id())
    action = str(extract_iam_action(service, head.method, head.path, headers, body, query))
    named: str | Sequence[str] | None = None
    if names is not None:
        name = action.partition(":")[2]
        named = names.resource_arn(name, json_object(body), region, account)
    if named is None:
        named = extract_resource_arn(
            service, head.method, head.path, headers, body, query, region, account
        )
    context = request_tag_context(service, action, body, query)
    for resource in [named] if isinstance(named, str) else named:
        denied = enforce(
            key, action, service, region, resource_arn=resource, service_context=context
        )
        if isinstance(denied, AuthError):
            raise Refused(_denial(head, request_id, denied.code, denied.message, action))
        if denied is not None:
            explicit = denied.decision == "Deny"
            answer = access_denied_response(
                service,
                action,
                denied.principal_arn,
                request_id,
                headers=headers,
                message=identity_denial_message(action, denied.principal_arn, resource, explicit),
                resource_arn=resource,
                explicit_deny=explicit,
            )
            raise Refused(_response(answer))
    return caller_of(key, account), Operation(service, action, region, account)


def caller_of(access_key_id: str, account_id: str) -> Caller:
    """The principal behind an access key; does not check a signature.

    Raises AwsError `UnrecognizedClientException` for a key nobody holds.
    """
    found = resolve_credential(access_key_id, account_id)
    if isinstance(found, CredentialResolutionError):
        raise AwsError(found.code, found.message, 403)
    name = found.principal_name
    if found.principal_type == "AssumedRole":
        name = found.principal_arn.rpartition(":assumed-role/")[2].partition("/")[0]
    return Caller(
        access_key_id=found.access_key_id,
        secret_access_key=found.secret_access_key,
        session_token=found.session_token,
        arn=found.principal_arn,
        principal_id=found.principal_id,
        type=_TYPES[found.principal_type],
        account_id=found.account_id,
        name=name,
    )


def _root_signature_failure(head: Head, body: bytes) -> tuple[str, str] | None:

    presigned = not head.headers.get("authorization", "").startswith("AWS4-HMAC-SHA256")
    signature = (
        parse_query_signature(head.query) if presigned else parse_header_signature(head.headers)
    )
    if isinstance(signature, tuple):
        return signature
    if signature.region_set is not None:
        return "IncompleteSignature", "Root signs with AWS4-HMAC-SHA256."
    if presigned:
        expires = head.query.get("X-Amz-Expires", ["0"])[0]
        if not expires.isdecimal() or presigned_request_is_expired(signature.amz_date, expires):
            return "AccessDenied", "Request has expired"
    else:
        skewed: tuple[str, str] | None = request_time_failure(signature)
        if skewed:
            return skewed
    _, string_to_sign = header_signing_documents(
        signature, head.method, head.raw_path, head.query, head.headers, body, presigned=presigned
    )
    expected = calculate_signature(
        os.environ["AWS_SECRET_ACCESS_KEY"],
        signature.date_stamp,
        signature.region,
        signature.service,
        string_to_sign,
    )
    if signature.date_stamp == signature.amz_date[:8] and hmac.compare_digest(
        expected, signature.signature
    ):
        return None
    return "SignatureDoesNotMatch", "The request signature does not match the secret access key."


def _denial(head: Head, request_id: str, code: str, message: str, action: str = "") -> AwsResponse:

    service = service_of(head)
    status, headers, body = access_denied_response(
        service,
        action,
        "",
        request_id,
        error_code=code,
        message=message,
        headers=dict(head.headers),
    )
    fix_error_content_type(service, status, headers)
    return _response((status, headers, body))


def _response(answer: tuple[int, dict[str, str], bytes | str]) -> AwsResponse:
    status, headers, body = answer
    return AwsResponse(status, headers, body.encode() if isinstance(body, str) else body)
