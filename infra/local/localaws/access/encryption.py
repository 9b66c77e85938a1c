"""Whoever reads or writes encrypted data needs its key, as on AWS.

ministack notes under which KMS key an object or a topic is encrypted, but never asks whether the
caller may use it: a role that forgets `kms:Decrypt` would work here and fail on AWS. So before a
call reaches ministack, the caller's policies and the key's are evaluated (by ministack's own
evaluator) for the KMS call that S3 or SNS would make on the caller's behalf.

Rules: "Using server-side encryption with AWS KMS keys" in AWS's S3 user guide, and "Key management"
in SNS's developer guide. The caller's signature is checked by ministack afterwards.
"""

from __future__ import annotations

import contextvars
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from ministack.core.iam_actions import access_denied_response, identity_denial_message
from ministack.core.iam_evaluator import EvalResult, enforce, pin_request_origin
from ministack.core.responses import set_request_account_id, set_request_region
from ministack.services import kms, s3, sns

from localaws.access import identity
from localaws.protocol import AwsResponse
from localaws.server.wire import App, Head, Receive, Scope, Send, read_body, replay, respond

DECRYPT, ENCRYPT = "kms:Decrypt", "kms:GenerateDataKey"

_SSE = "x-amz-server-side-encryption"
_SSE_KEY = f"{_SSE}-aws-kms-key-id"
_PUBLISHING = frozenset({"Publish", "PublishBatch"})
_PUBLISH_LIMIT = 1024 * 1024
# GETs of an object that do not read its bytes.
_NOT_CONTENT = frozenset({"acl", "attributes", "legal-hold", "retention", "tagging", "uploadId"})


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a key: a KMS action on `key_id` (an id, ARN or alias) through `service`."""

    action: str
    key_id: str
    service: str
    context: str  # S3's encryption context: the object's ARN


def ask_for_keys(app: App, account_id: str, region: str) -> App:
    """`app` behind the check; refuses with what the service would say."""

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        head = Head.of(scope)
        service = identity.service_of(head)
        uses: list[Use] = []
        # Everything about this request's account lives in a context of its own.
        context = contextvars.copy_context()
        context.run(_enter, head, account_id, region)
        if service == "s3":
            uses = context.run(_storage_uses, head)
        elif service == "sns" and head.method == "POST":
            body = await read_body(receive, _PUBLISH_LIMIT)
            receive = replay(body, receive)
            uses = context.run(_topic_uses, body)
        for use in uses:
            refusal = context.run(_refusal, use, head, service, account_id, region)
            if refusal is not None:
                await respond(send, refusal, "")
                return
        await app(scope, receive, send)

    return checked


def _enter(head: Head, account_id: str, region: str) -> None:
    set_request_account_id(account_id)
    set_request_region(region)
    pin_request_origin(head.source_ip, True)


def _refusal(
    use: Use, head: Head, service: str, account_id: str, region: str
) -> AwsResponse | None:
    record = kms._resolve_key(use.key_id)  # noqa: SLF001
    if record is None:  # ministack takes any key id; there is no policy to ask
        return None
    arn = record["Arn"]
    denied = enforce(
        identity.access_key_of(head),
        use.action,
        "kms",
        region,
        resource_arn=arn,
        service_context={
            "kms:ViaService": f"{use.service}.{region}.amazonaws.com",
            "kms:CallerAccount": account_id,
            f"kms:EncryptionContext:aws:{use.service}:arn": use.context,
        },
    )
    if not isinstance(denied, EvalResult):  # allowed, or not even a caller: ministack says so
        return None
    explicit = denied.decision == "Deny"
    status, headers, body = access_denied_response(
        service,
        use.action,
        denied.principal_arn,
        "",
        headers=dict(head.headers),
        message=identity_denial_message(use.action, denied.principal_arn, arn, explicit),
        explicit_deny=explicit,
    )
    return AwsResponse(status, headers, body.encode() if isinstance(body, str) else body)


# S3


def _storage_uses(head: Head) -> list[Use]:
    bucket, _, key = head.path.removeprefix("/").partition("/")
    if not key:
        return []
    uses: list[Use] = []
    if head.method == "GET" and not _NOT_CONTENT & set(head.query):
        version_id = head.query.get("versionId", [""])[0]
        uses += _reading(bucket, key, version_id)
    elif head.method == "PUT" and set(head.query) <= {"x-id"}:
        uses += _copying(head)
        uses += _writing(head.headers, bucket, key, ENCRYPT)
    elif head.method == "PUT" and "partNumber" in head.query:
        uses += _copying(head)
    elif head.method == "POST" and "uploads" in head.query:
        uses += _writing(head.headers, bucket, key, ENCRYPT)
        uses += _writing(head.headers, bucket, key, DECRYPT)
    return uses


def _reading(bucket: str, key: str, version_id: str) -> list[Use]:
    record: Mapping[str, Any] | None
    if version_id:
        versions = s3._object_versions.get((bucket, key)) or []  # noqa: SLF001
        record = next((v for v in versions if v["version_id"] == version_id), None)
    else:
        record = (s3._buckets.get(bucket) or {"objects": {}})["objects"].get(key)  # noqa: SLF001
    headers = (record or {}).get("preserved_headers", {})
    return _use(DECRYPT, headers, bucket, key)


def _copying(head: Head) -> list[Use]:
    source = unquote(head.headers.get("x-amz-copy-source", "")).removeprefix("/")
    path, _, version = source.partition("?versionId=")
    bucket, _, key = path.partition("/")
    return _reading(bucket, key, version) if key else []


def _writing(headers: Mapping[str, str], bucket: str, key: str, action: str) -> list[Use]:
    default = s3._bucket_default_sse_headers(bucket)  # noqa: SLF001
    asked = {name: headers[name] for name in (_SSE, _SSE_KEY) if name in headers}
    return _use(action, asked or default, bucket, key)


def _use(action: str, headers: Mapping[str, str], bucket: str, key: str) -> list[Use]:
    if headers.get(_SSE) != "aws:kms" or not headers.get(_SSE_KEY):
        return []
    return [Use(action, headers[_SSE_KEY], "s3", f"arn:aws:s3:::{bucket}/{key}")]


# SNS


def _topic_uses(body: bytes) -> list[Use]:
    form = parse_qs(body.decode("utf-8", "replace"))
    arn = form.get("TopicArn", [""])[0]
    if form.get("Action", [""])[0] not in _PUBLISHING:
        return []
    topic = sns._topics.get(arn)  # noqa: SLF001
    key_id = (topic or {"attributes": {}})["attributes"].get("KmsMasterKeyId")
    return [Use(action, key_id, "sns", arn) for action in (ENCRYPT, DECRYPT)] if key_id else []
