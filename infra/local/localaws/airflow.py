"""MWAA's `InvokeRestApi`, answered by an Airflow of this machine that was introduced to us.

    POST /_local/airflow/environments  {"name", "url", "user", "password"}

From then on calls for the environment of that name go to that Airflow's REST API, as that user.
MWAA signs a caller in as the role of Airflow's that his policies allow ("Accessing an Amazon MWAA
environment" in AWS's user guide). Here the user is an administrator, so what a policy must allow is
`…:role/<name>/Admin`.

ministack asks for no role, logs in nowhere and drops the query.
"""

from __future__ import annotations

import asyncio
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlencode

from ministack.core import iam_actions
from ministack.core.responses import error_response_json, json_response
from ministack.services import mwaa

from localaws.files import write_private
from localaws.protocol import AwsError, AwsRequest, AwsResponse, json_object

_PLACE: Final = "/restapi/"
_SECONDS: Final = 10
"""As long as MWAA waits for Airflow."""
# Whatever proxy the machine has, Airflow is on it.
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Airflow:
    """The Airflows that were introduced, kept in `file`; it claims no target of AWS's."""

    name = "airflow"
    targets: frozenset[str] = frozenset()

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, dict[str, str]] = {}
        if file.exists():
            self._known = json.loads(file.read_text(encoding="utf-8"))

    def register(self) -> None:
        """Have ministack ask these, and IAM for the role; call it once in a process."""
        named = iam_actions.extract_resource_arn

        def with_roles(service: str, method: str, path: str, *others: Any) -> Any:
            if service == "airflow" and path.startswith(_PLACE):
                region, account = others[-2:]
                return f"arn:aws:airflow:{region}:{account}:role/{_environment(path)}/Admin"
            return named(service, method, path, *others)

        iam_actions.extract_resource_arn = with_roles
        mwaa._invoke_rest_api = self._invoke  # noqa: SLF001

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def handle(self, request: AwsRequest) -> AwsResponse:
        raise AwsError("UnknownOperationException", f"{request.action} is nothing of ours")

    async def control(self, method: str, path: str, body: bytes) -> AwsResponse:
        if (method, path) != ("POST", "environments"):
            raise AwsError("ResourceNotFoundException", f"no {path}", HTTPStatus.NOT_FOUND)
        told = json_object(body)
        name, *others = (str(told[part]) for part in ("name", "url", "user", "password"))
        self._known[name] = dict(zip(("url", "user", "password"), others, strict=True))
        write_private(self._file, json.dumps(self._known))
        return AwsResponse.of({})

    async def _invoke(
        self, _method: str, path: str, _headers: object, body: bytes, _query: object
    ) -> Any:
        name = _environment(path)
        airflow = self._known.get(name)
        if airflow is None:
            return error_response_json("ResourceNotFoundException", f"no environment {name}", 404)
        try:
            status, answer = await asyncio.to_thread(_ask, airflow, json.loads(body))
        except OSError as error:
            return error_response_json("InternalServerException", str(error), 500)
        said = {"RestApiStatusCode": status, "RestApiResponse": answer}
        if status < HTTPStatus.BAD_REQUEST:
            return json_response(said)
        kind = "Client" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "Server"
        code, headers, raw = error_response_json(f"RestApi{kind}Exception", "", 400)
        return code, headers, json.dumps(json.loads(raw) | said).encode()


def _environment(path: str) -> str:
    return unquote(path.removeprefix(_PLACE).strip("/"))


def _ask(airflow: Mapping[str, str], call: Mapping[str, Any]) -> tuple[int, Any]:
    """What Airflow answers; raises OSError if it does not."""
    credentials = {"username": airflow["user"], "password": airflow["password"]}
    status, token = _sent("POST", f"{airflow['url']}/auth/token", credentials)
    if status >= HTTPStatus.BAD_REQUEST:
        return status, token
    query = urlencode(call.get("QueryParameters") or {}, doseq=True)
    url = f"{airflow['url']}/api/v2{call['Path']}?{query}"
    return _sent(call["Method"], url, call.get("Body"), token["access_token"])


def _sent(method: str, url: str, body: object, token: str = "") -> tuple[int, Any]:
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    raw = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, raw, headers, method=method)  # noqa: S310 - as introduced
    try:
        with _OPENER.open(request, timeout=_SECONDS) as response:
            return response.status, json.loads(response.read() or b"null")
    except urllib.error.HTTPError as refused:
        with refused:
            text = refused.read().decode("utf-8", "replace")
            return refused.code, {"detail": text}
