"""Every actor is refused what the table does not let him do, and nothing that it does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from tests.infra.cloudformation.conftest import answer
from tests.infra.cloudformation.permissions import PEOPLE, ROLES, Call, calls
from tests.infra.conftest import REGION
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

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._taken = {role: self._aws.taken(asked_for(aws, role)) for role in PEOPLE}
        self._clients: dict[tuple[str, str], Any] = {}

    def client(self, service: str, actor: str) -> Any:
        known = (service, actor)
        if known not in self._clients:
            self._clients[known] = self._made(service, actor)
        return self._clients[known]

    def _made(self, service: str, actor: str) -> Any:
        if actor in PEOPLE:
            return self._taken[actor](service)
        if actor in ROLES:
            return self._aws.role_client(service, actor, SOURCES.get(actor, ""))
        return self._aws.client(service, actor)


SOURCES = {"cloudformation": f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/custody-local/1"}
"""For what a service takes a role that asks."""


@pytest.fixture(scope="module")
def actors(aws: LocalAws) -> Actors:
    aws.add_user("stranger")
    return Actors(aws)


def asked_for(aws: LocalAws, role: str) -> Mapping[str, str]:
    """How the platform engineer asks for a role for people."""
    if role != "break-glass":
        return {"RoleArn": role_arn(role)}
    iam, code = aws.client("iam", "platform-engineer"), "123456"
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName="of-the-engineer")
    device = {"SerialNumber": made["VirtualMFADevice"]["SerialNumber"]}
    codes = {"AuthenticationCode1": code, "AuthenticationCode2": "654321"}
    iam.enable_mfa_device(UserName="platform-engineer", **device, **codes)
    return {"RoleArn": role_arn(role), **device, "TokenCode": code}


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


def test_an_emergency_is_dealt_with(aws: LocalAws, actors: Actors) -> None:
    """As docs/operations.md tells, and undone."""
    iam, kms, functions, trail = (
        actors.client(service, "break-glass") for service in ("iam", "kms", "lambda", "cloudtrail")
    )
    leaked = aws.client("iam", "platform-engineer").create_access_key(UserName="stranger")
    key = {"UserName": "stranger", "AccessKeyId": leaked["AccessKey"]["AccessKeyId"]}
    iam.update_access_key(**key, Status="Inactive")
    iam.delete_access_key(**key)
    signing = kms.describe_key(KeyId="alias/custody-local-signing")["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=signing)
    kms.enable_key(KeyId=signing)
    trail.stop_logging(Name="custody-local")
    trail.start_logging(Name="custody-local")
    recorder = {"FunctionName": "custody-local-recorder"}
    before = functions.get_function_concurrency(**recorder)["ReservedConcurrentExecutions"]
    functions.put_function_concurrency(**recorder, ReservedConcurrentExecutions=0)
    functions.put_function_concurrency(**recorder, ReservedConcurrentExecutions=before)
