"""A stage's file: what it says, and where it may be deployed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from infra.deployment.errors import DeployError
from infra.deployment.session import Caller
from infra.deployment.stages import (
    Replica,
    Stage,
    check_account,
    check_deployers,
    check_endpoint,
    read_stage,
)
from infra.deployment.templates.reading import FOLDER, declarations, load

ACCOUNT = "111122223333"
REGION = "eu-central-1"
ARCHIVE = "444455556666"
THERE = f"arn:aws:iam::{ARCHIVE}:role/deployer"
DEV: dict[str, Any] = {
    "account": ACCOUNT,
    "region": REGION,
    "project": "custody",
    "tags": {"owner": "data-platform"},
    "deployers": ["arn:aws:iam::${AWS::AccountId}:role/ci/deployer"],
    "parameters": {},
}
EVIDENCE, ROOT = (load(FOLDER / name) for name in ("evidence.yaml", "root.yaml"))
STAGES = sorted((FOLDER / "parameters").glob("*.json"))


def stage_file(tmp_path: Path, content: object, stage: str = "dev") -> Path:
    file = tmp_path / f"{stage}.json"
    file.write_text(json.dumps(content))
    return file


def dev(tmp_path: Path, *, stage: str = "dev", **fields: object) -> Stage:
    return read_stage(stage_file(tmp_path, {**DEV, **fields}, stage), None)


def test_a_stages_parameters_are_filled_in(tmp_path: Path) -> None:
    parameters = {
        "Arns": ["arn:aws:iam::${AWS::AccountId}:user/a", "b"],
        "Days": 3,
        "In": "${AWS::Region}",
    }
    assert dev(tmp_path, parameters=parameters).parameters == {
        "Arns": f"arn:aws:iam::{ACCOUNT}:user/a,b",
        "Days": "3",
        "In": REGION,
    }


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"account": ""}, r"dev\.json: account is empty.*commit the file"),
        ({"region": ""}, r"dev\.json: region is empty"),
        ({"project": None}, r"dev\.json: project is empty"),
        ({"account": "1234"}, r"dev\.json: account must be the 12 digits"),
        ({"tags": {"owner": ""}}, r"dev\.json: tags: owner must be filled in"),
        ({"tags": ["owner"]}, r"dev\.json: tags: must be"),
        ({"deployers": "arn"}, r"dev\.json: deployers: must be"),
        ({"deployers": []}, r"dev\.json: deployers is empty"),
        ({"LockDays": 7}, r"dev\.json: no such field: LockDays"),
        ({"replica": "eu-west-1"}, r"dev\.json: replica must be an object of region"),
        ({"replica": {"place": "eu-west-1"}}, r"dev\.json: replica must be an object of region"),
        ({"replica": {}}, r"must be in another region or account"),
        ({"replica": {"region": REGION, "account": ACCOUNT}}, r"must be in another region or"),
        ({"replica": {"account": ARCHIVE}}, r"role must name a role of it"),
        ({"replica": {"region": "eu-west-1", "role": THERE}}, r"and only there, role must name"),
        ({"replica": {"account": "777788889999", "role": THERE}}, r"role must name a role of it"),
        ({"parameters": ["A"]}, r"dev\.json: parameters: must be"),
        ({"parameters": {"A": "${AWS::StackName}"}}, r"\$\{AWS::StackName\} is unknown"),
        ({"parameters": {"A": {"B": 1}}}, r"dev\.json: A: must be"),
        ({"parameters": {"A": True}}, r"dev\.json: A: must be"),
        ({"parameters": {"A": [["B"]]}}, r"dev\.json: A: must be"),
    ],
)
def test_a_wrong_file_is_named_with_its_fault(
    tmp_path: Path, fields: dict[str, object], said: str
) -> None:
    with pytest.raises(DeployError, match=said):
        dev(tmp_path, **fields)


def test_a_copy_is_in_another_region_or_account_or_both(tmp_path: Path) -> None:
    assert dev(tmp_path).replica is None
    deployer = "arn:aws:iam::111122223333:role/ci/deployer"
    assert dev(tmp_path, replica={"region": "eu-west-1"}).replica == Replica(
        "eu-west-1", ACCOUNT, (deployer,)
    )
    there = {"account": ARCHIVE, "role": THERE, "parameters": {"LockDays": 9}}
    assert dev(tmp_path, replica=there).replica == Replica(
        REGION, ARCHIVE, (THERE,), THERE, {"LockDays": "9"}
    )


def test_in_prod_a_copy_with_an_account_of_its_own_has_named_key_administrators(
    tmp_path: Path,
) -> None:
    there = {"account": ARCHIVE, "role": THERE}
    with pytest.raises(DeployError, match=r"prod\.json: replica: in prod, .* KeyAdministratorArns"):
        dev(tmp_path, stage="prod", replica=there)
    named = {**there, "parameters": {"KeyAdministratorArns": [THERE]}}
    assert dev(tmp_path, stage="prod", replica=named).replica
    # Elsewhere, and in the platform's account, those of the stage are asked for as for its keys.
    assert dev(tmp_path, replica=there).replica
    assert dev(tmp_path, stage="prod", replica={"region": "eu-west-1"}).replica


@pytest.mark.parametrize(("text", "said"), [("{", "Expecting"), ("[]", "must be one JSON object")])
def test_a_file_that_is_no_object_is_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "dev.json"
    file.write_text(text)
    with pytest.raises(DeployError, match=rf"dev\.json: {said}"):
        read_stage(file, None)


def test_a_stage_is_not_deployed_into_another_region(tmp_path: Path) -> None:
    file = stage_file(tmp_path, DEV)
    assert read_stage(file, REGION).place.region == REGION
    with pytest.raises(DeployError, match=r"belongs in region eu-central-1 .*names us-east-1"):
        read_stage(file, "us-east-1")


def test_only_the_local_stage_goes_where_its_aws_is(tmp_path: Path) -> None:
    anywhere = {**DEV, "region": "${AWS::Region}"}
    assert read_stage(stage_file(tmp_path, anywhere, "local"), REGION).place.region == REGION
    with pytest.raises(
        DeployError, match=r"local AWS, and your environment names no region.*AWS_PROFILE"
    ):
        read_stage(stage_file(tmp_path, anywhere, "local"), None)
    with pytest.raises(DeployError, match="belongs in region"):
        read_stage(stage_file(tmp_path, anywhere, "dev"), REGION)


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("assumed-role/deployer/session", False),
        ("assumed-role/other/deployer", True),
        ("user/ci/deployer", True),
    ],
)
def test_only_its_deployers_deploy(tmp_path: Path, name: str, refused: bool) -> None:
    service = "iam" if name.startswith("user/") else "sts"
    caller = Caller(ACCOUNT, f"arn:aws:{service}::{ACCOUNT}:{name}")
    if not refused:
        check_deployers(dev(tmp_path), caller)
        return
    with pytest.raises(DeployError, match=r"none of the deployers.*Nothing was changed"):
        check_deployers(dev(tmp_path), caller)


def test_a_stage_is_in_its_account_alone(tmp_path: Path) -> None:
    check_account(dev(tmp_path), Caller(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/ann"))
    elsewhere = Caller("444455556666", "arn:aws:sts::444455556666:assumed-role/deployer/session")
    with pytest.raises(DeployError, match=r"in account 111122223333.*Nothing was changed"):
        check_account(dev(tmp_path), elsewhere)


def test_a_user_may_be_a_deployer(tmp_path: Path) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:user/ann"
    check_deployers(dev(tmp_path, deployers=[arn]), Caller(ACCOUNT, arn))


def test_a_service_role_must_be_a_deployer_beside_the_caller(tmp_path: Path) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/service"
    caller = Caller(ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/session")
    check_deployers(dev(tmp_path, deployers=[*DEV["deployers"], role]), caller, role)
    for deployers, stranger in ((DEV["deployers"], role), ([role], caller.arn)):
        with pytest.raises(DeployError, match=f"{stranger}: none of the deployers"):
            check_deployers(dev(tmp_path, deployers=deployers), caller, role)


@pytest.mark.parametrize(
    ("stage", "endpoint", "refused"),
    [
        ("local", "http://127.0.0.1:4566", False),
        ("local", "http://[::1]:4566", False),
        ("local", "https://cloudformation.eu-central-1.amazonaws.com", True),
        ("local", "http://127.0.0.1.example.com", True),
        ("dev", "https://cloudformation.eu-central-1.amazonaws.com", False),
        ("dev", "http://127.0.0.1:4566", False),
    ],
)
def test_the_stage_local_never_reaches_aws(stage: str, endpoint: str, refused: bool) -> None:
    if not refused:
        check_endpoint(stage, endpoint)
        return
    with pytest.raises(DeployError, match="belongs on the local AWS"):
        check_endpoint(stage, endpoint)


def filled_in(file: Path, tmp_path: Path) -> Stage:
    """A stage's file of this repository, with what its user must fill in."""
    content = json.loads(file.read_text())
    content |= {
        "account": content["account"] or ACCOUNT,
        "region": content["region"] or REGION,
        "deployers": content["deployers"] or DEV["deployers"],
        "tags": {name: value or "x" for name, value in content["tags"].items()},
    }
    return read_stage(stage_file(tmp_path, content, file.stem), REGION)


@pytest.mark.parametrize("file", STAGES, ids=lambda file: file.stem)
def test_each_stages_file_fits_the_templates(file: Path, tmp_path: Path) -> None:
    stage = filled_in(file, tmp_path)
    declared = declarations(EVIDENCE) | declarations(ROOT)
    assert stage.parameters.keys() <= declared.keys()
    # AWS's own advice; a function may never outlast its messages' invisibility.
    values = {name: one.default or "0" for name, one in declared.items()} | dict(stage.parameters)
    assert int(values["RecorderRetrySeconds"]) == 6 * int(values["RecorderTimeoutSeconds"])


def test_what_the_evidence_stack_made_is_what_the_root_stack_asks_for() -> None:
    of_evidence, of_root = declarations(EVIDENCE), declarations(ROOT)
    assert set(EVIDENCE["Outputs"]) <= {name for name, one in of_root.items() if not one.default}
    # A parameter of both stacks has one default.
    both = of_evidence.keys() & of_root.keys()
    assert [name for name in both if of_evidence[name] != of_root[name]] == []


def test_only_the_local_stage_knows_its_place_and_its_uploaders(tmp_path: Path) -> None:
    """Where a real stage is and who uploads is for its engineers to say, not for us."""
    for file in STAGES:
        knows = file.stem == "local"
        content = json.loads(file.read_text())
        fields = ("account", "region", "deployers")
        assert {bool(content[field]) for field in fields} == {knows}
        assert ("UploaderArns" in content["parameters"]) is knows
