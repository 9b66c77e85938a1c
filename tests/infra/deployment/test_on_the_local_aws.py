"""Deployments that fail, and the remedies that are printed, on a real (local) CloudFormation.

Two small stacks instead of the platform's: the ways through the deployment are the same, and quick.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import pytest
from botocore.exceptions import ClientError
from infra.deployment.deploying import Deployment, Options
from infra.deployment.destroying import Destruction
from infra.deployment.errors import DeployError, Interrupted, explain
from infra.deployment.parts import PARTS, Part
from infra.deployment.session import Session
from infra.deployment.stacks.changesets import ChangeSets, Request
from infra.deployment.stages import Place, Stage
from tests.infra.conftest import REGION
from tests.support.local_aws import ACCOUNT, LocalAws

ROOT: Final = """
Parameters:
  Project: {Type: String}
  Stage: {Type: String}
  Commit: {Type: String, Default: ""}
  ArtifactsBucket: {Type: String}
  CodeLocation: {Type: String}
  Word: {Type: String, Default: first}
  Secret: {Type: String}
Rules:
  NoSecretWord:
    Assertions:
      - {Assert: !Not [!Equals [!Ref Word, secret]], AssertDescription: the word is secret}
Conditions:
  IsSlow: !Equals [!Ref Word, slow]
Resources:
  Evidence:
    Type: AWS::S3::Bucket
    DeletionPolicy: RetainExceptOnCreate
    UpdateReplacePolicy: Retain
    Properties: {BucketName: !Sub "${Project}-${Stage}-evidence"}
  Settings:
    Type: AWS::CloudFormation::Stack
    DependsOn: Evidence
    Properties:
      TemplateURL: settings.yaml
      Parameters: {Project: !Ref Project, Word: !Ref Word}
  Slow:
    Type: AWS::CloudFormation::WaitCondition
    Condition: IsSlow
    CreationPolicy: {ResourceSignal: {Count: 1, Timeout: PT5M}}
Outputs:
  Word: {Value: !Ref Word}
  Commit: {Value: !Ref Commit}
"""
SETTINGS: Final = """
Parameters:
  Project: {Type: String}
  Word: {Type: String}
Conditions:
  IsBroken: !Equals [!Ref Word, broken]
Resources:
  Kept:
    Type: AWS::S3::Bucket
    DeletionPolicy: RetainExceptOnCreate
    UpdateReplacePolicy: Retain
    Properties: {BucketName: !Sub "${Project}-kept"}
  Parameter:
    Type: AWS::SSM::Parameter
    Properties: {Name: !Sub "/${Project}/word", Type: String, Value: !Ref Word}
  Broken:
    Type: AWS::S3::Bucket
    Condition: IsBroken
    DependsOn: Parameter
    Properties:
      BucketName: !Sub "${Project}-broken"
      AccelerateConfiguration: {AccelerationStatus: Enabled}  # which the local AWS refuses
"""


@dataclass(frozen=True)
class World:
    """A stage of its own in the local AWS, and what was said in it."""

    session: Session
    stage: Stage
    parts: tuple[Part, ...]
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.stage.place.prefix

    @property
    def cloudformation(self) -> Any:
        return self.session.client("cloudformation")

    def deploy(self, agrees: bool = True, **options: Any) -> dict[str, str]:
        def confirm(question: str) -> bool:
            self.asked.append(question)
            return agrees

        chosen = Options(**{"overrides": {}, **options})
        deployment = Deployment(
            self.session, self.stage, chosen, confirm, self.said.append, self.parts
        )
        return dict(deployment.run())

    def destroy(self, evidence_stacks: bool = False) -> None:
        Destruction(
            self.session,
            self.stage,
            lambda _question: True,
            self.said.append,
            evidence_stacks,
            self.parts,
        ).run()

    def status(self, suffix: str = "") -> str:
        stacks = self.cloudformation.describe_stacks()["Stacks"]
        found = [s["StackStatus"] for s in stacks if s["StackName"] == f"{self.name}{suffix}"]
        return str(found[0]) if found else "none"

    def describe(self, suffix: str = "") -> dict[str, Any]:
        stacks = self.cloudformation.describe_stacks(StackName=f"{self.name}{suffix}")["Stacks"]
        return dict(stacks[0])

    def word(self) -> str:
        name = f"/{self.stage.place.project}/word"
        parameter = self.session.client("ssm").get_parameter(Name=name)["Parameter"]
        return str(parameter["Value"])


@pytest.fixture
def world(
    started_aws: LocalAws,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> World:
    for name, value in started_aws.environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    (tmp_path / "root.yaml").write_text(ROOT)
    (tmp_path / "settings.yaml").write_text(SETTINGS)
    project = f"p{abs(hash(request.node.name)) % 10**8}"
    stage = Stage(
        file=tmp_path / "local.json",
        place=Place(project, "local", ACCOUNT, REGION),
        tags={"owner": "test"},
        deployers=(f"arn:aws:iam::{ACCOUNT}:user/platform-engineer",),
        parameters={"Secret": "s"},
    )
    return World(
        Session(REGION), stage, (PARTS[0], Part("", tmp_path / "root.yaml", holds_evidence=False))
    )


def test_a_first_deployment_that_fails_can_be_made_again(world: World) -> None:
    with pytest.raises(DeployError) as failed:
        world.deploy(overrides={"Word": "broken"})
    assert f"{world.name} is ROLLBACK_COMPLETE" in str(failed.value)
    assert "AccelerateConfiguration of AWS::S3::Bucket" in str(failed.value)
    assert "run the same command again" in str(failed.value)
    # The remedy.
    assert world.deploy(overrides={"Word": "mended"})["Word"] == "mended"
    assert f"Delete what is left of {world.name} and begin anew?" in world.asked
    assert (world.status(), world.word()) == ("CREATE_COMPLETE", "mended")


def test_an_update_that_fails_changes_nothing(world: World) -> None:
    world.deploy(overrides={"Word": "good"})
    with pytest.raises(DeployError, match="Everything is as it was before") as failed:
        world.deploy(overrides={"Word": "broken"})
    assert "AccelerateConfiguration of AWS::S3::Bucket" in str(failed.value)
    assert (world.status(), world.word()) == ("UPDATE_ROLLBACK_COMPLETE", "good")
    # Not even the value is taken over, and the stack can be deployed again.
    assert world.deploy()["Word"] == "good"
    assert world.deploy(overrides={"Word": "better"})["Word"] == "better"


def test_what_was_set_once_is_kept_and_a_dry_run_changes_nothing(world: World) -> None:
    assert world.deploy(dry_run=True) == {}
    assert (world.status(), world.status("-bootstrap")) == ("none", "none")
    world.deploy(overrides={"Word": "once"})
    world.said.clear()
    assert world.deploy()["Word"] == "once"
    assert f"{world.name}: no changes" in world.said

    world.deploy(overrides={"Word": "other"}, dry_run=True)
    assert "  parameter Word: 'once' -> 'other'" in world.said
    assert "  ~ Settings AWS::CloudFormation::Stack (Parameters)" in world.said
    with pytest.raises(DeployError, match="was not changed"):
        world.deploy(agrees=False, overrides={"Word": "other"})
    assert world.word() == "once"
    left = world.cloudformation.list_change_sets(StackName=world.name)["Summaries"]
    assert [one for one in left if one["ExecutionStatus"] == "AVAILABLE"] == []


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"Word": "secret"}, "nothing was changed:\n  the word is secret"),
        ({"Wrod": "x"}, "no such parameter: Wrod"),
    ],
)
def test_what_can_be_known_is_refused_before_anything_is_made(
    world: World, overrides: dict[str, str], said: str
) -> None:
    with pytest.raises(DeployError, match=said):
        world.deploy(overrides=overrides)
    with pytest.raises(DeployError, match=r"no value for Secret: add it to .*local\.json"):
        replace(world, stage=replace(world.stage, parameters={})).deploy()
    assert world.status("-bootstrap") == "none"


def test_an_interrupted_deployment_goes_on_and_the_next_one_watches_it(world: World) -> None:
    def interrupt(line: str) -> None:
        if "Slow CREATE_IN_PROGRESS" in line:
            raise KeyboardInterrupt

    deployment = Deployment(
        world.session,
        world.stage,
        Options({"Word": "slow"}),
        lambda _question: True,
        interrupt,
        world.parts,
    )
    with pytest.raises(Interrupted, match="goes on changing in AWS"):
        deployment.run()
    assert world.status() == "CREATE_IN_PROGRESS"

    def signal(line: str) -> None:
        if "another deployment is under way" in line:
            world.cloudformation.signal_resource(
                StackName=world.name, LogicalResourceId="Slow", UniqueId="1", Status="SUCCESS"
            )

    outputs = replace(deployment, say=signal, options=Options({})).run()
    assert outputs["Word"] == "slow"
    assert world.describe()["EnableTerminationProtection"] is True


def test_a_change_set_that_nobody_carried_out_is_in_nobodys_way(world: World) -> None:
    template = json.dumps({"Resources": {"T": {"Type": "AWS::SNS::Topic"}}})
    request = Request(world.name, {"TemplateBody": template}, [], {}, None)
    ChangeSets(world.cloudformation).create(request, None)
    assert world.status() == "REVIEW_IN_PROGRESS"
    world.deploy()
    assert world.status() == "CREATE_COMPLETE"


def test_a_dry_run_says_what_it_cannot_show_yet(world: World) -> None:
    """A newer version whose root stack needs what the stack before it does not give yet."""
    world.deploy()
    assert world.parts[-1].template.write_text(
        ROOT.replace("  Secret: {Type: String}", "  Secret: {Type: String}\n  New: {Type: String}")
    )
    bootstrap = world.parts[-1].template.with_name("bootstrap.yaml")
    bootstrap.write_text(
        f"{PARTS[0].template.read_text()}  New: {{Description: new, Value: new}}\n"
    )
    newer = replace(world, parts=(replace(PARTS[0], template=bootstrap), world.parts[-1]))
    newer.deploy(dry_run=True)
    cannot = f"{world.name} can be shown once the stacks before it are deployed: no value for New"
    assert newer.said[-1] == cannot


def test_what_is_deployed_is_protected_and_evidence_outlives_it(world: World) -> None:
    world.deploy()
    for suffix in ("", "-bootstrap"):
        assert world.describe(suffix)["EnableTerminationProtection"] is True
        policy = world.cloudformation.get_stack_policy(StackName=f"{world.name}{suffix}")
        denied = json.loads(policy["StackPolicyBody"])["Statement"][1]
        assert denied["Action"] == ["Update:Replace", "Update:Delete"]
    assert {(tag["Key"], tag["Value"]) for tag in world.describe()["Tags"]} == {
        ("owner", "test"),
        ("project", world.stage.place.project),
        ("stage", "local"),
    }

    world.destroy()
    assert (world.status(), world.status("-bootstrap")) == ("none", "CREATE_COMPLETE")
    buckets = {
        "Evidence": f"{world.name}-evidence",
        "Kept": f"{world.stage.place.project}-kept",
        "Artifacts": f"{world.name}-artifacts-{ACCOUNT}",
    }
    world.destroy(evidence_stacks=True)
    assert world.status("-bootstrap") == "none"
    assert (
        "While its buckets exist, it is deployed again under another `project` alone" in world.said
    )
    for name, bucket in buckets.items():
        assert f"  {name} AWS::S3::Bucket {bucket}" in world.said
        world.session.client("s3").head_bucket(Bucket=bucket)


def test_who_lacks_a_right_is_told_which(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "web-shop")
    with pytest.raises(ClientError) as refused:
        world.deploy()
    assert "lacks the right cloudformation:DescribeStacks" in explain(refused.value)
