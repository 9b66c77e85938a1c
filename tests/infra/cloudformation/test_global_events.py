"""What AWS tells of in one region, passed on to that of the platform."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError
from infra.deployment.templates.reading import FOLDER
from tests.infra.cloudformation.conftest import REGION, answer
from tests.support.local_aws import ACCOUNT, LocalAws

# Where AWS tells of IAM and of sign-ins.
GLOBAL: Final = "us-east-1"
NAME: Final = "custody-local-global-events"
RULE: Final = f"arn:aws:events:{GLOBAL}:{ACCOUNT}:rule/{NAME}"
HOME_BUS: Final = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"
STACK: Final[dict[str, Any]] = {
    "StackName": NAME,
    "TemplateBody": (FOLDER / "globalevents.yaml").read_text(encoding="utf-8"),
    "Parameters": [
        {"ParameterKey": "Stage", "ParameterValue": "local"},
        {"ParameterKey": "HomeRegion", "ParameterValue": REGION},
    ],
    "Capabilities": ["CAPABILITY_NAMED_IAM"],
}


@pytest.fixture(scope="module")
def there(aws: LocalAws) -> Iterator[Any]:
    """Clients of the administrator in that region, where the stack is deployed."""
    engineer = aws.session("platform-engineer")

    def client(service: str) -> Any:
        return engineer.client(service, region_name=GLOBAL)

    stacks = client("cloudformation")
    stacks.create_stack(**STACK)
    made = stacks.get_waiter("stack_create_complete")
    made.wait(StackName=NAME, WaiterConfig={"Delay": 0.2, "MaxAttempts": 3000})
    yield client
    stacks.delete_stack(StackName=NAME)


def test_the_rule_is_made_there_and_an_update_without_a_change_makes_none(there: Any) -> None:
    for _ in range(2):
        said = answer(there("cloudformation").update_stack, **STACK)
        assert said == "ValidationError", "No updates are to be performed"
    (stack,) = there("cloudformation").describe_stacks(StackName=NAME)["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    events = there("events")
    assert events.describe_rule(Name=NAME)["State"] == "ENABLED"
    (target,) = events.list_targets_by_rule(Rule=NAME)["Targets"]
    assert target["Arn"] == HOME_BUS
    assert target["RoleArn"] == f"arn:aws:iam::{ACCOUNT}:role/{NAME}"


def test_its_role_passes_on_to_the_home_region_for_that_rule_and_does_nothing_else(
    aws: LocalAws, there: Any
) -> None:
    role, iam = "global-events", there("iam")
    document = iam.get_role(RoleName=NAME)["Role"]["AssumeRolePolicyDocument"]
    assert document["Statement"][0]["Condition"]["ArnEquals"] == {"aws:SourceArn": RULE}
    for source in ("", RULE.replace(NAME, "another")):
        with pytest.raises(ClientError, match="AccessDenied"):
            aws.role_client("events", role, source)

    def put(bus: str) -> str:
        entry = {"Source": "test", "DetailType": "t", "Detail": "{}", "EventBusName": bus}
        return answer(aws.role_client("events", role, RULE).put_events, Entries=[entry])

    assert put(HOME_BUS) == "ok"
    assert put(HOME_BUS.replace("default", "another")) == "AccessDeniedException"
    assert answer(aws.role_client("s3", role, RULE).list_buckets) == "AccessDenied"
    assert answer(aws.role_client("iam", role, RULE).list_roles) == "AccessDenied"
