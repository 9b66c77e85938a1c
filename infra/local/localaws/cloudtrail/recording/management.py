"""Management events: one API call that is about settings, not bytes, as a CloudTrail record.

Pure. Every call has its name, its caller and how it ended. Parameters and answers are told where
somebody reads them: of STS, of CloudTrail, of Glue's catalog and jobs, of S3 the bucket, and of
what changes a key, a role, a user, a function, a queue, a topic, a rule, an alarm, a parameter, a
workgroup or a stack. Of all else they are left out, which also leaves secrets out.

Source of the shapes: "CloudTrail record contents", and the samples in "Logging IAM and AWS STS API
calls with AWS CloudTrail", "Logging AWS Glue API calls with AWS CloudTrail" and "Examples of AWS
KMS log entries".
"""

from __future__ import annotations

import datetime as dt
import functools
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import botocore.session
from botocore.parsers import ResponseParserError, RpcV2CBORParser, create_parser

from localaws.cloudtrail.place import Place
from localaws.cloudtrail.recording.events import EVENT_VERSION, Actor, Record, iso

HIDDEN = "HIDDEN_DUE_TO_SECURITY_REASONS"

# Calls that AWS counts as data events, or does not log at all.
_NO_MANAGEMENT = frozenset(
    {
        "sqs:ChangeMessageVisibility", "sqs:ChangeMessageVisibilityBatch", "sqs:DeleteMessage",
        "sqs:DeleteMessageBatch", "sqs:ReceiveMessage", "sqs:SendMessage", "sqs:SendMessageBatch",
        "sns:Publish", "sns:PublishBatch", "lambda:InvokeFunction", "logs:PutLogEvents",
        "dynamodb:BatchGetItem", "dynamodb:BatchWriteItem", "dynamodb:DeleteItem",
        "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:Scan",
        "dynamodb:UpdateItem", "cloudwatch:PutMetricData",
    }
)  # fmt: skip
# CloudTrail's names where they are not IAM's.
_SOURCES = {"cloudwatch": "monitoring"}
_BUCKET_CALLS = {
    "s3:PutLifecycleConfiguration": "PutBucketLifecycle",
    "s3:GetLifecycleConfiguration": "GetBucketLifecycle",
    "s3:PutEncryptionConfiguration": "PutBucketEncryption",
    "s3:GetEncryptionConfiguration": "GetBucketEncryption",
}
_CATALOG = re.compile(r"(Batch)?(Create|Update|Delete|Get)(Database|Table|Partition)s?")
_JOBS = re.compile(r"(Create|Update|Delete|Start|BatchStop|Reset)(Job|Trigger)(Run|Bookmark)?")
_TOLD = frozenset(
    {
        "airflow", "athena", "cloudformation", "events", "iam", "kms", "lambda", "monitoring",
        "sns", "sqs", "ssm",
    }
)  # fmt: skip
# Of these, answers are XML.
_QUERY = frozenset({"cloudformation", "iam", "sns", "sts"})
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(\d{12}):role/.+")
_READS = ("Get", "List", "Describe", "BatchGet", "Head", "Lookup", "Search", "AssumeRole")
# KMS: using a key changes nothing about it, so to CloudTrail that is a read, signing included.
_KEY_USES = ("Decrypt", "DeriveSharedSecret", "Encrypt", "Generate", "ReEncrypt", "Sign", "Verify")
# Maps whose names somebody chose: they are not written small.
_CHOSEN_NAMES = frozenset({"Parameters", "Tags"})
_SECRETS = frozenset(
    {
        "Base32StringSeed", "EncryptedKeyMaterial", "Environment", "GrantToken", "GrantTokens",
        "ImportToken", "Password", "QRCodePNG", "RestApiResponse", "SAMLAssertion",
        "SecretAccessKey", "Value", "WebIdentityToken", "ZipFile",
    }
)  # fmt: skip
_REFUSED_CALLER = frozenset(
    {
        "ExpiredToken", "ExpiredTokenException", "IncompleteSignature",
        "IncompleteSignatureException", "InvalidClientTokenId", "InvalidSignatureException",
        "MissingAuthenticationToken", "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch", "UnrecognizedClientException",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ApiCall:
    """One call of an API that is no S3 data event. `service` and `action` are CloudTrail's names;
    `named` are the parameters that stood in its URL."""

    service: str
    action: str
    named: tuple[tuple[str, str], ...] = ()

    @property
    def is_told(self) -> bool:
        """Whether its parameters and its answer are written down."""
        if self.service == "glue":
            return bool(_CATALOG.fullmatch(self.action) or _JOBS.fullmatch(self.action))
        if self.service in _TOLD:
            return not self.read_only
        return self.service in ("sts", "cloudtrail", "s3")

    @property
    def read_only(self) -> bool:
        """As CloudTrail's readOnly: taking a role changes nothing, nor does using a key."""
        reads = (*_READS, *_KEY_USES) if self.service == "kms" else _READS
        return self.action.startswith(reads)


@dataclass(frozen=True, slots=True)
class Answer:
    """How a call ended: `body` as far as it was kept."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    request_id: str
    completed_at: dt.datetime


def parse(iam_action: str | None, named: tuple[tuple[str, str], ...] = ()) -> ApiCall | None:
    """The call behind IAM's name of an action, None if CloudTrail makes no management event of it.

    For a few services CloudTrail's name of a call has the API's date behind it (Lambda's, for
    example); the date is left out here.
    """
    if iam_action is None or iam_action in _NO_MANAGEMENT:
        return None
    service, _, action = iam_action.partition(":")
    name = _BUCKET_CALLS.get(iam_action, action)
    return ApiCall(_SOURCES.get(service, service), name, named) if action else None


def build(
    call: ApiCall,
    request: bytes,
    actor: Actor,
    answer: Answer,
    *,
    event_id: str,
    shared_event_id: str,
    place: Place,
) -> Record | None:
    """The record of one finished call; None for one whose caller could not be established.

    `shared_event_id` is for the events that somebody else gets too: of a role that a service takes.
    """
    code, message = _error_of(answer)
    if code in _REFUSED_CALLER:
        return None
    record: Record = {
        "eventVersion": EVENT_VERSION,
        "userIdentity": dict(actor.identity),
        "eventTime": iso(answer.completed_at),
        "eventSource": f"{call.service}.amazonaws.com",
        "eventName": call.action,
        "awsRegion": place.region,
        "sourceIPAddress": actor.source_ip,
        "userAgent": actor.user_agent.strip("[]"),
    }
    if code is not None:
        record["errorCode"] = code
        if message:
            record["errorMessage"] = message
    told = call.is_told
    record |= {
        "requestParameters": _request_parameters(call, request) if told else None,
        "responseElements": _response_elements(call, answer) if told and code is None else None,
        "requestID": answer.request_id,
        "eventID": event_id,
        "readOnly": call.read_only,
    }
    role = _role_taken(call, record) if code is None else None
    if role is not None:
        record["resources"] = [
            {"accountId": role[1], "type": "AWS::IAM::Role", "ARN": role[0]},
        ]
    elif (key := _key_changed(call, record, place)) is not None:
        record["resources"] = [
            {"accountId": place.account_id, "type": "AWS::KMS::Key", "ARN": key},
        ]
    record |= {
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": place.account_id,
    }
    if role is not None and actor.identity.get("type") == "AWSService":
        record["sharedEventID"] = shared_event_id
    record["eventCategory"] = "Management"
    return record


def _role_taken(call: ApiCall, record: Record) -> re.Match[str] | None:
    """The ARN of the role that a call took, and its account as the first group."""
    if call.service != "sts" or not call.action.startswith("AssumeRole"):
        return None
    return _ROLE.fullmatch((record["requestParameters"] or {}).get("roleArn", ""))


def _key_changed(call: ApiCall, record: Record, place: Place) -> str | None:
    """The ARN of the key that a call is about; an alias is left as it is, nobody looks it up."""
    key = (record["requestParameters"] or {}).get("keyId") if call.service == "kms" else None
    if not isinstance(key, str) or key.startswith("arn:"):
        return key if isinstance(key, str) else None
    return f"arn:aws:kms:{place.region}:{place.account_id}:key/{key}"


def _request_parameters(call: ApiCall, body: bytes) -> dict[str, Any] | None:
    told: Any = None if call.service == "s3" else _json(body)
    if call.service == "monitoring" and told is None:
        told = _cbor(body)
    elif call.service in _QUERY:
        told = dict(parse_qsl(body.decode("utf-8", "replace")))
        told.pop("Action", None)
        told.pop("Version", None)
    logged = _as_logged(told) if isinstance(told, dict) else {}
    return {**logged, **dict(call.named)} or None


def _response_elements(call: ApiCall, answer: Answer) -> dict[str, Any] | None:
    if call.service in _QUERY:
        told = None if _only_looks(call) else _query_answer(call, answer)
    elif call.service == "s3":
        told = None
    else:
        told = None if call.read_only else _json(answer.body)
    return _as_logged(told) if isinstance(told, dict) and told else None


def _only_looks(call: ApiCall) -> bool:
    """Whether a call gives nothing out that CloudTrail tells."""
    gives = ("AssumeRole", "GetSessionToken", "GetFederationToken")
    return not call.action.startswith(gives) if call.service == "sts" else call.read_only


def _query_answer(call: ApiCall, answer: Answer) -> dict[str, Any] | None:
    shape = _model(call.service).operation_model(call.action).output_shape
    if shape is None:
        return None
    response = {"status_code": answer.status, "headers": answer.headers, "body": answer.body}
    try:
        parsed: dict[str, Any] = create_parser("query").parse(response, shape)
    except ResponseParserError:
        return None
    del parsed["ResponseMetadata"]
    for made in ("Credentials", "AccessKey"):
        parsed.get(made, {}).pop("SecretAccessKey", None)
    return parsed


@functools.cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def _as_logged(value: Any) -> Any:
    """A value as CloudTrail writes it: names begin small, times are spelled, secrets are hidden."""
    if isinstance(value, dict):
        return {
            name[:1].lower() + name[1:]: HIDDEN
            if name in _SECRETS
            else item
            if name in _CHOSEN_NAMES
            else _as_logged(item)
            for name, item in value.items()
        }
    if isinstance(value, list):
        return [_as_logged(item) for item in value]
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).strftime("%b %-d, %Y, %-I:%M:%S %p")
    return value


def _error_of(answer: Answer) -> tuple[str | None, str | None]:
    """The error's code and message, in JSON or XML; (None, None) for a success."""
    if answer.status < 400:
        return None, None
    document = _json(answer.body)
    if isinstance(document, dict):
        code = (
            document.get("__type") or document.get("code") or answer.headers.get("x-amzn-errortype")
        )
        message = document.get("message") or document.get("Message")
        return str(code or answer.status).rpartition("#")[2].partition(":")[0], message
    text = answer.body.decode("utf-8", "replace")
    found = re.search(r"<Code>([^<]*)</Code>", text)
    said = re.search(r"<Message>([^<]*)</Message>", text)
    return found[1] if found else str(answer.status), said[1] if said else None


def _cbor(body: bytes) -> Any:
    """What CloudWatch is asked in, if not in JSON; None if it was asked in neither."""
    try:
        return RpcV2CBORParser().parse_data_item(io.BufferedReader(io.BytesIO(body)))
    except (ResponseParserError, ValueError, OverflowError, MemoryError):
        return None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
