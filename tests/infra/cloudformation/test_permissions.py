"""Every actor is refused what the table does not let him do, and nothing that it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from tests.infra.cloudformation.conftest import LocalAws, answer
from tests.infra.cloudformation.permissions import ROLES, Call, calls

DENIED = frozenset({"AccessDenied", "AccessDeniedException", "AuthorizationError"})


@pytest.fixture(scope="module")
def table(aws: LocalAws) -> list[Call]:
    stacks = aws.client("cloudformation", "platform-engineer")
    outputs = {
        output["OutputKey"]: output["OutputValue"]
        for name in ("custody-local-evidence", "custody-local")
        for output in stacks.describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
    }
    keys = {name: arn for name, arn in outputs.items() if name.endswith("KeyArn")}
    return list(calls(keys, outputs))


class Actors:
    """Clients of each actor, made when needed."""

    def __init__(self, aws: LocalAws, stranger: Mapping[str, str]) -> None:
        self._aws = aws
        self._stranger = stranger
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, actor: str) -> Any:
        known = (service, actor)
        if known not in self._clients:
            self._clients[known] = self._made(service, actor)
        return self._clients[known]

    def _made(self, service: str, actor: str) -> Any:
        if actor == "stranger":
            endpoint = f"http://127.0.0.1:{self._aws.port}"
            return boto3.client(
                service,  # type: ignore[call-overload]
                endpoint_url=endpoint,
                region_name=self._aws.region,
                **self._stranger,
            )
        of = self._aws.role_client if actor in ROLES else self._aws.client
        return of(service, actor)


@pytest.fixture(scope="module")
def actors(aws: LocalAws) -> Actors:
    iam = aws.client("iam", "platform-engineer")
    iam.create_user(UserName="stranger")
    made = iam.create_access_key(UserName="stranger")["AccessKey"]
    keys = {
        "aws_access_key_id": made["AccessKeyId"],
        "aws_secret_access_key": made["SecretAccessKey"],
    }
    return Actors(aws, keys)


def test_each_actor_does_what_he_may_and_nothing_else(table: list[Call], actors: Actors) -> None:
    wrong, refusals = [], 0
    for call in table:
        for actor in call.actors:
            may = actor in call.may
            if may and not call.harmless:
                continue
            said = answer(
                getattr(actors.client(call.service, actor), call.operation), **call.arguments
            )
            refused = said in DENIED
            refusals += refused
            if refused is may:
                wrong.append(f"{actor}: {call}: {said}")
    assert wrong == []
    assert refusals >= 300
