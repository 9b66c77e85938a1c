"""Every actor is refused what the table does not let him do, and nothing that it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from tests.infra.cloudformation.conftest import REGION, answer
from tests.infra.cloudformation.permissions import PEOPLE, ROLES, Call, calls
from tests.support.local_aws import ACCOUNT, LocalAws, role_arn

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

    def __init__(self, aws: LocalAws, keys: Mapping[str, Mapping[str, str]]) -> None:
        """`keys` are those of actors who have no profile and no role that a service takes."""
        self._aws = aws
        self._keys = keys
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, actor: str) -> Any:
        known = (service, actor)
        if known not in self._clients:
            self._clients[known] = self._made(service, actor)
        return self._clients[known]

    def _made(self, service: str, actor: str) -> Any:
        if actor in self._keys:
            endpoint = f"http://127.0.0.1:{self._aws.port}"
            return boto3.client(
                service,  # type: ignore[call-overload]
                endpoint_url=endpoint,
                region_name=self._aws.region,
                **self._keys[actor],
            )
        if actor in ROLES:
            return self._aws.role_client(service, actor, SOURCES.get(actor, ""))
        return self._aws.client(service, actor)


SOURCES = {"cloudformation": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/custody-local/1"}
"""For what a service takes a role that asks."""


@pytest.fixture(scope="module")
def actors(aws: LocalAws) -> Actors:
    iam = aws.client("iam", "platform-engineer")
    iam.create_user(UserName="stranger")
    stranger = iam.create_access_key(UserName="stranger")["AccessKey"]
    taken = {role: taken_by_the_engineer(aws, role) for role in PEOPLE}
    keys = {"stranger": stranger, **taken}
    return Actors(aws, {actor: as_arguments(of_actor) for actor, of_actor in keys.items()})


def taken_by_the_engineer(aws: LocalAws, role: str) -> Mapping[str, str]:
    """The keys of a session of a role for people, taken as it wants to be."""
    iam = aws.client("iam", "platform-engineer")
    factor = {}
    if role == "break-glass":
        made = iam.create_virtual_mfa_device(VirtualMFADeviceName="of-the-engineer")
        factor = {"SerialNumber": made["VirtualMFADevice"]["SerialNumber"], "TokenCode": "123456"}
        codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
        iam.enable_mfa_device(
            UserName="platform-engineer", SerialNumber=factor["SerialNumber"], **codes
        )
    take = {"RoleArn": role_arn(role), "RoleSessionName": "test", **factor}
    keys: Mapping[str, str] = aws.client("sts", "platform-engineer").assume_role(**take)[
        "Credentials"
    ]
    return keys


def as_arguments(keys: Mapping[str, str]) -> dict[str, str]:
    """Keys as boto3 takes them."""
    return {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        **({"aws_session_token": keys["SessionToken"]} if "SessionToken" in keys else {}),
    }


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
