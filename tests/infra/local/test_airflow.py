"""`InvokeRestApi` asks the Airflow that was introduced, for those who may be its administrator."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.infra.local.conftest import ACCOUNT, REGION, Server

ENVIRONMENT = "custody-introduced"
ONE_HOST = Config(inject_host_prefix=False)


class Answers(BaseHTTPRequestHandler):
    """Some Airflow: it lets `admin` in, and says what it was asked."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        is_known = body == {"username": "admin", "password": "p"}
        self._say(201 if is_known else 401, {"access_token": "t"})

    def do_GET(self) -> None:
        asked = {"path": self.path, "as": self.headers["Authorization"]}
        self._say(403 if "refused" in self.path else 200, asked)

    def log_message(self, *_: object) -> None: ...

    def _say(self, status: int, said: object) -> None:
        raw = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)


@pytest.fixture(scope="module")
def introduced(server: Server) -> Iterator[Server]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as airflow:
        threading.Thread(target=airflow.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{airflow.server_address[1]}"
        told = {"name": ENVIRONMENT, "url": url, "user": "admin", "password": "p"}
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{server.settings.endpoint}/_local/airflow/environments", json.dumps(told).encode()
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request):
            yield server
        airflow.shutdown()


def ask(mwaa: Any, path: str = "/eventLogs", name: str = ENVIRONMENT, **query: Any) -> Any:
    return mwaa.invoke_rest_api(Name=name, Path=path, Method="GET", QueryParameters=query)


def test_airflow_is_asked_as_its_user_with_the_query(introduced: Server) -> None:
    found = ask(introduced.client("mwaa", config=ONE_HOST), excluded_events=["a b", "c"], limit=2)
    assert (found["RestApiStatusCode"], found["RestApiResponse"]) == (
        200,
        {
            "path": "/api/v2/eventLogs?excluded_events=a+b&excluded_events=c&limit=2",
            "as": "Bearer t",
        },
    )


@pytest.mark.parametrize(
    ("path", "name", "code", "status"),
    [
        ("/refused", ENVIRONMENT, "RestApiClientException", 403),
        ("/eventLogs", "nobodys", "ResourceNotFoundException", None),
    ],
)
def test_what_it_refuses_is_said_as_mwaa_says_it(
    introduced: Server, path: str, name: str, code: str, status: int | None
) -> None:
    with pytest.raises(ClientError) as refused:
        ask(introduced.client("mwaa", config=ONE_HOST), path, name)
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response.get("RestApiStatusCode") == status


@pytest.mark.parametrize(("role", "is_let"), [("Admin", True), ("Viewer", False)])
def test_only_who_may_be_its_administrator_is_let(
    introduced: Server, role: str, is_let: bool
) -> None:
    iam, user = introduced.client("iam"), f"asks-as-{role}"
    allowed = f"arn:aws:airflow:{REGION}:{ACCOUNT}:role/{ENVIRONMENT}/{role}"
    statement = {"Effect": "Allow", "Action": "airflow:InvokeRestApi", "Resource": allowed}
    iam.create_user(UserName=user)
    iam.put_user_policy(
        UserName=user,
        PolicyName="asks",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statement}),
    )
    key = iam.create_access_key(UserName=user)["AccessKey"]
    session = introduced.session(key["AccessKeyId"], key["SecretAccessKey"])
    mwaa = introduced.client("mwaa", session, ONE_HOST)
    if is_let:
        assert ask(mwaa)["RestApiStatusCode"] == 200
        return
    with pytest.raises(ClientError, match="not authorized to perform: airflow:InvokeRestApi"):
        ask(mwaa)
