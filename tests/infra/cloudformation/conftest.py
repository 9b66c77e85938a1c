"""The platform deployed to a local AWS, once for all tests that look at what was deployed.

As on AWS: an administrator makes the roles of people and the bootstrap stack, then the deployer's
role orders everything else, and CloudFormation works as its own. The local AWS checks signatures
and evaluates policies, also for what CloudFormation makes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest
from botocore.exceptions import ClientError
from infra.build import REPOSITORY
from infra.deployment.templates.reading import FOLDER
from tests.support.local_aws import ACCOUNT, LocalAws, role_arn

LARGE_OBJECT_BYTES: Final = 1024 * 1024
SMALL_IS_LARGE: Final = ("--parameter", f"RecorderLargeObjectBytes={LARGE_OBJECT_BYTES}")
ENGINEER: Final = f"arn:aws:iam::{ACCOUNT}:user/platform-engineer"
DEPLOYERS: Final = (ENGINEER, role_arn("deployer"), role_arn("cloudformation"))


def bucket(role: str) -> str:
    return f"custody-local-{role}-{ACCOUNT}"


@dataclass(frozen=True)
class Deployed:
    aws: LocalAws
    repository: Path
    """A copy of the repository whose stage `local` the roles deploy, too."""
    said: str = ""
    """What the first deployment printed."""

    def deploy(self, *arguments: str, repository: Path | None = None) -> str:
        """What the deploy command prints to the deployer."""
        return self.aws.deploy(
            *("--role-arn", role_arn("cloudformation"), *SMALL_IS_LARGE, *arguments),
            repository=repository or self.repository,
            profile="deployer",
        )


@pytest.fixture(scope="session")
def deployed(started_aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    repository = copied(tmp_path_factory.mktemp("repository"))
    stage = repository / "infra" / "cloudformation" / "parameters" / "local.json"
    content = json.loads(stage.read_text(encoding="utf-8"))
    stage.write_text(json.dumps(content | {"deployers": DEPLOYERS}), encoding="utf-8")
    administer(started_aws, content["tags"])
    world = Deployed(started_aws, repository)
    return replace(world, said=world.deploy())


@pytest.fixture(scope="session")
def aws(deployed: Deployed) -> LocalAws:
    return deployed.aws


def copied(folder: Path) -> Path:
    """What a deployment needs of the repository, in a folder of its own."""
    for name in ("infra", "include", "lambda", "plugins"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPOSITORY / name, folder / name, ignore=ignored)
    # A dataset more, which nothing but its contract and its query tells of.
    returns, include = REPOSITORY / "tests" / "datasets" / "returns", folder / "include"
    shutil.copy(returns / "returns.odcs.yaml", include / "contracts")
    shutil.copy(returns / "returns_by_status.sql", include / "sql" / "gold")
    (folder / ".venvs").symlink_to(REPOSITORY / ".venvs")
    return folder


def administer(aws: LocalAws, tags: Mapping[str, str]) -> None:
    """What an administrator does once, before the deployer's first deployment."""
    tags = {**tags, "project": "custody", "stage": "local"}
    stacks = (
        ("bootstrap", {"DeployerArns": ",".join(DEPLOYERS)}),
        ("deployers", {"DeployerArns": ENGINEER}),
        ("access", dict.fromkeys(("AuditorArns", "BreakGlassArns", "OnCallArns"), ENGINEER)),
    )
    for name, parameters in stacks:
        create(aws, name, {"Stage": "local", **parameters}, tags)
    role = {"role_arn": role_arn("deployer"), "source_profile": "platform-engineer"}
    aws.add_profile("deployer", **role)


def create(
    aws: LocalAws, name: str, parameters: Mapping[str, str], tags: Mapping[str, str] | None = None
) -> None:
    """Create a stack by itself, of the template of its name, as an administrator."""
    stacks = aws.client("cloudformation", "platform-engineer")
    stack = f"custody-{parameters['Stage']}-{name}"
    stacks.create_stack(
        StackName=stack,
        TemplateBody=(FOLDER / f"{name}.yaml").read_text(encoding="utf-8"),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Tags=[{"Key": key, "Value": value} for key, value in (tags or {}).items()],
    )
    made = stacks.get_waiter("stack_create_complete")
    made.wait(StackName=stack, WaiterConfig={"Delay": 0.2, "MaxAttempts": 3000})


def answer(call: Callable[..., object], **arguments: object) -> str:
    """`ok`, or the code of the error the call was refused with."""
    try:
        call(**arguments)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"
