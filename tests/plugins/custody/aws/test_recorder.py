"""What Lambda says of the recorder, in the form in which it says it."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from infra.deployment.templates.reading import FOLDER, load
from tests.support.audited import SETTINGS

from custody.aws.recorder import deployed_recorder, standing_recorder, subscriptions
from custody.core.ledger.kinds.recorder import StandingRecorder, Subscription
from custody.settings import Settings

CHANGED = datetime(2026, 11, 1, 6, tzinfo=UTC)
SHA256 = bytes(range(32))
DEPLOYED = deployed_recorder(Settings.parse(SETTINGS), SHA256.hex())
CONFIGURATION = {
    "FunctionName": "custody-test-recorder",
    "CodeSha256": base64.b64encode(SHA256).decode(),
    "LastModified": "2026-11-01T06:00:00.000+0000",
    "Handler": "h",
    "Runtime": "python3.12",
    "Role": "arn:aws:iam::111122223333:role/custody-test-recorder",
    "Layers": [{"Arn": "arn:aws:lambda:us-east-1:111122223333:layer:x:1", "CodeSize": 1}],
    "Environment": {"Variables": {"A": "b"}},
}


@pytest.fixture
def functions() -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client(
        "lambda", region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s"
    )
    with Stubber(client) as stubber:
        yield client, stubber


def test_the_function_as_lambda_describes_it(functions: tuple[Any, Stubber]) -> None:
    client, stubber = functions
    stubber.add_response(
        "get_function_configuration", CONFIGURATION, {"FunctionName": DEPLOYED.arn}
    )
    assert standing_recorder(client, DEPLOYED) == StandingRecorder(
        changed_at=CHANGED,
        sha256=SHA256.hex(),
        handler="h",
        runtime="python3.12",
        role="arn:aws:iam::111122223333:role/custody-test-recorder",
        layers=("arn:aws:lambda:us-east-1:111122223333:layer:x:1",),
        variables={"A": "b"},
    )


def test_a_container_in_its_place_has_neither_handler_nor_runtime(
    functions: tuple[Any, Stubber],
) -> None:
    client, stubber = functions
    left_out = ("Handler", "Runtime", "Layers", "Environment")
    image = {name: value for name, value in CONFIGURATION.items() if name not in left_out}
    stubber.add_response("get_function_configuration", image | {"CodeSha256": "ab" * 32})
    found = standing_recorder(client, DEPLOYED)
    assert found is not None
    assert found.sha256 != DEPLOYED.sha256
    assert (found.handler, found.runtime, found.layers, found.variables) == ("", "", (), {})


def test_what_the_queue_starts_over_all_pages(functions: tuple[Any, Stubber]) -> None:
    client, stubber = functions
    asked = {"EventSourceArn": DEPLOYED.queue_arn}
    arn = DEPLOYED.arn
    pages = [{"FunctionArn": name, "LastModified": CHANGED} for name in (arn, f"{arn}:1")]
    stubber.add_response(
        "list_event_source_mappings",
        {"EventSourceMappings": pages[:1], "NextMarker": "m"},
        asked,
    )
    stubber.add_response(
        "list_event_source_mappings",
        {"EventSourceMappings": pages[1:]},
        asked | {"Marker": "m"},
    )
    assert subscriptions(client, DEPLOYED) == [
        Subscription(arn, CHANGED),
        Subscription(f"{arn}:1", CHANGED),
    ]


@pytest.mark.parametrize(
    ("code", "withheld"),
    [
        ("ResourceNotFoundException", True),
        ("AccessDeniedException", True),
        ("TooManyRequestsException", False),
    ],
)
@pytest.mark.parametrize(
    ("ask", "call"),
    [
        (standing_recorder, "get_function_configuration"),
        (subscriptions, "list_event_source_mappings"),
    ],
)
def test_what_may_not_be_read_is_told_and_what_fails_fails(
    functions: tuple[Any, Stubber], ask: Any, call: str, code: str, withheld: bool
) -> None:
    client, stubber = functions
    stubber.add_client_error(call, code)
    if withheld:
        assert ask(client, DEPLOYED) is None
    else:
        with pytest.raises(ClientError):
            ask(client, DEPLOYED)


def test_the_variables_are_those_of_the_stack() -> None:
    function = load(FOLDER / "recorder.yaml")["Resources"]["Function"]["Properties"]
    assert function["Environment"]["Variables"].keys() == DEPLOYED.variables.keys()
