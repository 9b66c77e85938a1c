"""The stacks around the platform, deployed alone: network, MWAA, and what calls people.

In a stage of their own, `dev`, and as there: the deployer orders, CloudFormation works as its role.
"""

from __future__ import annotations

import json
from itertools import count
from typing import Any, Final

import pytest
from botocore.config import Config
from infra.deployment.templates.reading import FOLDER
from tests.infra.cloudformation.conftest import ENGINEER, create
from tests.infra.conftest import REGION
from tests.support.local_aws import ACCOUNT, LocalAws
from tests.support.patience import wait_for

NAMES: Final = {"Project": "custody", "Stage": "dev"}
DAGS: Final = f"custody-dev-dags-{ACCOUNT}"
ROLE: Final = "custody-dev-airflow"
KEY: Final = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
TOPIC: Final = f"arn:aws:sns:{REGION}:{ACCOUNT}:custody-dev-alarms"
SERVICE_ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/custody-dev-cloudformation"


class Stage:
    """A local AWS in which an administrator has made the roles of the stage."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        for name in ("bootstrap", "deployers"):
            create(aws, name, {**NAMES, "DeployerArns": f"{ENGINEER},{SERVICE_ROLE}"})
        role = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/custody-dev-deployer"}
        self.deployer = aws.taken(role)
        self.numbers = count()

    def client(self, service: str, config: Config | None = None) -> Any:
        """A client of the administrator, to look."""
        make: Any = self.aws.session("platform-engineer").client
        return make(service, config=config)

    def deploy(self, template: str, **parameters: str) -> str:
        """Create or update a stack; gives the status it ends in."""
        stacks, stack = self.deployer("cloudformation"), f"custody-dev-{template}"
        try:
            stacks.describe_stacks(StackName=stack)
            kind = "UPDATE"
        except stacks.exceptions.ClientError:
            kind = "CREATE"
        change = {"StackName": stack, "ChangeSetName": f"change-{next(self.numbers)}"}
        stacks.create_change_set(
            **change,
            ChangeSetType=kind,
            TemplateBody=(FOLDER / f"{template}.yaml").read_text(encoding="utf-8"),
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
            RoleARN=SERVICE_ROLE,
        )
        made = stacks.get_waiter("change_set_create_complete")
        made.wait(**change, WaiterConfig={"Delay": 0.1, "MaxAttempts": 3000})
        stacks.execute_change_set(**change)

        def ended() -> str:
            (found,) = stacks.describe_stacks(StackName=stack)["Stacks"]
            status = str(found["StackStatus"])
            return "" if status.endswith("IN_PROGRESS") else status

        return str(wait_for(ended))

    def read_back(self, template: str) -> None:
        """Fails if the stack is not as its template."""
        self.aws.command("readback", "--stack", f"custody-dev-{template}")

    def outputs(self, template: str) -> dict[str, str]:
        stacks = self.client("cloudformation")
        (described,) = stacks.describe_stacks(StackName=f"custody-dev-{template}")["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}


@pytest.fixture(scope="module")
def stage(started_aws: LocalAws) -> Stage:
    return Stage(started_aws)


def network(**changes: str) -> dict[str, str]:
    return {
        **NAMES,
        "VpcCidr": "10.0.0.0/20",
        "NatGateways": "0",
        "AirflowUserCidr": "",
        "LogKeyArn": KEY,
        "LogDays": "30",
        **changes,
    }


def test_mwaa_and_its_network_are_made_changed_and_removed(stage: Stage) -> None:
    ec2 = stage.client("ec2")
    mwaa = stage.client("mwaa", config=Config(inject_host_prefix=False))
    assert stage.deploy("network", **network()) == "CREATE_COMPLETE"
    stage.read_back("network")
    services = {
        endpoint["ServiceName"].removeprefix(f"com.amazonaws.{REGION}.")
        for endpoint in ec2.describe_vpc_endpoints()["VpcEndpoints"]
    }
    assert services == {
        *("s3", "logs", "monitoring", "sqs", "kms", "airflow.api", "airflow.env"),  # MWAA
        *("glue", "athena", "sns", "ssm", "sts"),  # the DAGs
    }

    environment = mwaa_parameters(stage)
    assert stage.deploy("mwaa", **environment) == "CREATE_COMPLETE"
    stage.read_back("mwaa")
    made = mwaa.get_environment(Name="custody-dev")["Environment"]
    options = made["AirflowConfigurationOptions"]
    assert json.loads(options["secrets.backend_kwargs"]) == {
        "connections_prefix": "/custody/dev/airflow/connections",
        "connections_lookup_pattern": "^(?!aws_default$).*$",
        "variables_prefix": "/custody/dev/airflow/variables",
    }
    assert all(len(name) <= 64 for name in options), "MWAA takes no longer name"
    attached = stage.client("iam").list_attached_role_policies(RoleName=ROLE)
    assert [p["PolicyName"] for p in attached["AttachedPolicies"]] == [
        "custody-dev-airflow-on-mwaa"
    ]

    # The way to the internet, and back to none; both in place, twice.
    for nat, gateways, endpoints in (("2", 2, 1), ("1", 1, 1), ("0", 0, 12)):
        wanted = network(NatGateways=nat, AirflowUserCidr="10.1.0.0/16")
        assert stage.deploy("network", **wanted) == "UPDATE_COMPLETE"
        stage.read_back("network")
        found = ec2.describe_nat_gateways(
            Filters=[{"Name": "state", "Values": ["available"]}],
        )["NatGateways"]
        assert (len(found), len(ec2.describe_vpc_endpoints()["VpcEndpoints"])) == (
            gateways,
            endpoints,
        )
        assert len(ec2.describe_addresses()["Addresses"]) == gateways

    assert (
        stage.deploy("mwaa", **environment | {"EnvironmentClass": "mw1.medium"})
        == "UPDATE_COMPLETE"
    )
    stage.read_back("mwaa")

    # An update that cannot be: the environment is as before.
    broken = environment | {"EnvironmentClass": "mw1.large", "RequirementsS3ObjectVersion": "no"}
    assert stage.deploy("mwaa", **broken) == "UPDATE_ROLLBACK_COMPLETE"
    still = mwaa.get_environment(Name="custody-dev")["Environment"]
    assert still["EnvironmentClass"] == "mw1.medium"
    assert still["RequirementsS3ObjectVersion"] == environment["RequirementsS3ObjectVersion"]
    stage.read_back("mwaa")

    for stack in ("mwaa", "network"):
        stage.deployer("cloudformation").delete_stack(StackName=f"custody-dev-{stack}")
    wait_for(lambda: not mwaa.list_environments()["Environments"])
    wait_for(lambda: not ec2.describe_flow_logs()["FlowLogs"])


def mwaa_parameters(stage: Stage) -> dict[str, str]:
    """With the role and the code in place, as bootstrap and the platform have them."""
    s3 = stage.client("s3")
    s3.put_object(Bucket=DAGS, Key="b/dags/a.py", Body=b"", IfNoneMatch="*")
    versions = {
        name: s3.put_object(Bucket=DAGS, Key=f"b/{file}", Body=b"x", IfNoneMatch="*")["VersionId"]
        for name, file in (("Plugins", "plugins.zip"), ("Requirements", "requirements.txt"))
    }
    trust: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
    boundary = f"arn:aws:iam::{ACCOUNT}:policy/custody-dev-boundary"
    stage.client("iam").create_role(
        RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(trust), PermissionsBoundary=boundary
    )
    made = stage.outputs("network")
    return {
        **NAMES,
        "RoleName": ROLE,
        "KeyArn": KEY,
        "Subnets": made["PrivateSubnets"],
        "SecurityGroup": made["AirflowSecurityGroup"],
        "EnvironmentClass": "mw1.small",
        "MinWorkers": "1",
        "MaxWorkers": "5",
        "WebserverAccess": "PRIVATE_ONLY",
        "DagS3Path": "b/dags",
        "PluginsS3Path": "b/plugins.zip",
        "PluginsS3ObjectVersion": versions["Plugins"],
        "RequirementsS3Path": "b/requirements.txt",
        "RequirementsS3ObjectVersion": versions["Requirements"],
        "LogDays": "30",
        "OpenLineageTransport": "",
    }


def observability(**changes: str) -> dict[str, str]:
    return {
        **NAMES,
        "KeyArns": f"{KEY},{KEY[:-1]}9",
        "AlarmTopicArn": TOPIC,
        "PageTopicArn": TOPIC.replace("alarms", "pages"),
        "MonthlyBudget": "0",
        "BudgetEmail": "",
        **changes,
    }


def test_a_budget_is_a_switch(stage: Stage) -> None:
    budgets = stage.client("budgets")
    on = observability(MonthlyBudget="500", BudgetEmail="money@example.com")
    for wanted, amounts in (
        (on, ["500"]),
        (on | {"MonthlyBudget": "600"}, ["600"]),
        (observability(), []),
    ):
        assert stage.deploy("observability", **wanted).endswith("E_COMPLETE")
        stage.read_back("observability")
        found = budgets.describe_budgets(AccountId=ACCOUNT).get("Budgets", [])
        assert [budget["BudgetLimit"]["Amount"] for budget in found] == amounts
