"""The types in which the services we serve ourselves speak AWS's JSON protocol.

`localaws.server.application` turns one HTTP request into an `AwsRequest` (signature verified, IAM
evaluated), hands it to the `Service` that claims its target, and turns the `AwsResponse` or
`AwsError` back into HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

JSON_CONTENT_TYPE = "application/x-amz-json-1.1"

CallerType = Literal["Root", "IAMUser", "AssumedRole", "FederatedUser"]


class AwsError(Exception):
    """An error as an AWS client sees it: `code` becomes botocore's `Error.Code`."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


def json_object(body: bytes) -> dict[str, Any]:
    """A request's body as a JSON object; an empty body is an empty object.

    Raises AwsError `SerializationException` when it is anything else, as AWS does.
    """
    try:
        payload = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise AwsError("SerializationException", f"the body is not JSON: {error}") from error
    if not isinstance(payload, dict):
        raise AwsError("SerializationException", "the body is not a JSON object")
    return payload


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed a request, and the secrets that let us call other services as them.

    `type` is spelled as CloudTrail's `userIdentity.type`. `name` is the user name of an IAM user,
    the role name of an assumed role, and empty for root.
    """

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(repr=False)
    arn: str
    principal_id: str
    type: CallerType
    account_id: str
    name: str


@dataclass(frozen=True, slots=True)
class AwsRequest:
    """One authenticated and authorised request.

    `headers` has lower-case names; `query` maps a name to all of its values; `target` is the value
    of `X-Amz-Target` (for example `AmazonAthena.StartQueryExecution`), None when there is none.
    """

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    target: str | None
    caller: Caller
    region: str
    request_id: str
    source_ip: str

    @property
    def action(self) -> str:
        """The operation's name: what follows the last dot of the target."""
        return (self.target or "").rpartition(".")[2]

    def json(self) -> dict[str, Any]:
        """The body, as `json_object` reads it."""
        return json_object(self.body)


@dataclass(frozen=True, slots=True)
class AwsResponse:
    """What goes back to the client; `x-amzn-requestid` is added on the way out."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def of(cls, payload: Mapping[str, Any], status: int = 200) -> AwsResponse:
        """A JSON answer of the JSON-1.1 protocol (times are epoch seconds, as numbers)."""
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        return cls(status, {"content-type": JSON_CONTENT_TYPE}, body)

    @classmethod
    def error(cls, error: AwsError) -> AwsResponse:
        """A JSON-protocol error: `__type` carries the code."""
        return cls.of({"__type": error.code, "message": error.message}, error.status)


class Service(Protocol):
    """A service we serve ourselves.

    `name` is its folder in `/_local/<name>/…`. `targets` are the `X-Amz-Target` values it
    claims (exactly as on the wire); everything else goes to ministack. `start` is awaited before
    the endpoint accepts its first request, so a background task it starts must put up with a
    refused connection at first; `stop` is awaited before the process ends. `handle` raises AwsError
    for what the client did wrong; whatever it acknowledges must survive a kill. `control` answers
    `/_local/<name>/<path>`, the knobs that AWS does not have.

    To call another operation on a caller's behalf, use boto3 with the caller's credentials against
    `Settings.endpoint`, in a thread: then IAM and CloudTrail see the caller.
    """

    name: str
    targets: frozenset[str]

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def handle(self, request: AwsRequest) -> AwsResponse: ...

    async def control(self, method: str, path: str, body: bytes) -> AwsResponse: ...


@runtime_checkable
class NamesResources(Protocol):
    """A service that knows which ARNs a request is about, for IAM's `Resource`.

    Needed where the body does not say it plainly: `athena:GetQueryExecution` names an execution
    but is allowed on its workgroup. Of several, the caller needs every one. None means that
    ministack's reading of the body will do.
    """

    def resource_arn(
        self, action: str, payload: Mapping[str, Any], region: str, account_id: str
    ) -> str | Sequence[str] | None: ...
