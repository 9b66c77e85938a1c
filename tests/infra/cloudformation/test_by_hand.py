"""Stacks that an administrator deploys by hand: for another region, and for the whole account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError
from infra.deployment.templates.reading import FOLDER
from tests.infra.cloudformation.conftest import answer
from tests.infra.conftest import REGION
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
CATALOG: Final[dict[str, Any]] = {
    "StackName": "custody-catalog-encryption",
    "TemplateBody": (FOLDER / "catalogencryption.yaml").read_text(encoding="utf-8"),
    "Capabilities": ["CAPABILITY_NAMED_IAM"],
}


def make(stacks: Any, stack: dict[str, Any]) -> None:
    """Create a stack, and see that updates without a change make none."""
    stacks.create_stack(**stack)
    made, name = stacks.get_waiter("stack_create_complete"), stack["StackName"]
    made.wait(StackName=name, WaiterConfig={"Delay": 0.2, "MaxAttempts": 3000})
    for _ in range(2):
        with pytest.raises(ClientError, match="No updates are to be performed"):
            stacks.update_stack(**stack)
    assert stacks.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"] == "CREATE_COMPLETE"


@pytest.fixture(scope="module")
def there(aws: LocalAws) -> Iterator[Any]:
    """Clients of the administrator in that region, where the stack is deployed."""
    engineer = aws.session("platform-engineer")

    def client(service: str) -> Any:
        return engineer.client(service, region_name=GLOBAL)

    make(client("cloudformation"), STACK)
    yield client
    client("cloudformation").delete_stack(StackName=NAME)


def test_what_aws_tells_of_there_is_passed_on(there: Any) -> None:
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


def test_the_catalog_is_under_a_key_that_its_role_alone_uses(aws: LocalAws) -> None:
    make(aws.client("cloudformation", "platform-engineer"), CATALOG)
    aws.command("readback", "--stack", CATALOG["StackName"])
    glue, role = (
        aws.client("glue", "platform-engineer"),
        f"arn:aws:iam::{ACCOUNT}:role/custody-catalog",
    )
    settings = glue.get_data_catalog_encryption_settings()["DataCatalogEncryptionSettings"]
    at_rest = settings["EncryptionAtRest"]
    assert at_rest["CatalogEncryptionMode"] == "SSE-KMS-WITH-SERVICE-ROLE"
    assert at_rest["CatalogEncryptionServiceRole"] == role
    use = {"KeyId": at_rest["SseAwsKmsKeyId"], "KeySpec": "AES_256"}
    assert answer(aws.role_client("kms", role).generate_data_key, **use) == "ok"
    for other in ("platform-engineer", "insider", "airflow"):
        said = answer(aws.client("kms", other).generate_data_key, **use)
        assert said == "AccessDeniedException"
    # Nor may they change this. That they read tables all the same cannot be seen where nothing is
    # encrypted.
    off = {"EncryptionAtRest": {"CatalogEncryptionMode": "DISABLED"}}
    for who in ("airflow", "deployer"):
        change = aws.client("glue", who).put_data_catalog_encryption_settings
        assert answer(change, DataCatalogEncryptionSettings=off) == "AccessDeniedException"
