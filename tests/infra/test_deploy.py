"""The deploy command: which parameters it passes, and what it says when a stack fails."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from infra.deploy import (
    EVIDENCE,
    ROOT,
    TEMPLATES,
    DeployError,
    Deployment,
    Place,
    all_parameters,
    check_endpoint,
    declared_outputs,
    declared_parameters,
    open_session,
    stage_parameters,
)

PLACE = Place("custody", "dev", "111122223333", "eu-central-1")
STAGES = sorted((TEMPLATES / "parameters").glob("*.json"))


def parameter_file(tmp_path: Path, content: object) -> Path:
    file = tmp_path / "dev.json"
    file.write_text(json.dumps(content))
    return file


def test_a_stages_file_is_filled_in(tmp_path: Path) -> None:
    file = parameter_file(
        tmp_path,
        {"Arns": ["arn:aws:iam::${AWS::AccountId}:user/a", "b"], "Days": 3, "In": "${AWS::Region}"},
    )
    assert stage_parameters(file, PLACE) == {
        "Arns": "arn:aws:iam::111122223333:user/a,b",
        "Days": "3",
        "In": "eu-central-1",
    }


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"A": "${AWS::StackName}"}, r"\$\{AWS::StackName\} is unknown"),
        ({"A": {"B": 1}}, "dev.json: A: must be"),
        ({"A": True}, "dev.json: A: must be"),
        ({"A": [["B"]]}, "dev.json: A: must be"),
        (["A"], "dev.json: must be one JSON object"),
    ],
)
def test_a_wrong_file_is_named_with_its_fault(tmp_path: Path, content: object, said: str) -> None:
    with pytest.raises(DeployError, match=said):
        stage_parameters(parameter_file(tmp_path, content), PLACE)


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    file = tmp_path / "dev.json"
    file.write_text("{")
    with pytest.raises(DeployError, match=r"dev\.json: Expecting"):
        stage_parameters(file, PLACE)


def test_defaults_are_passed_so_that_an_earlier_deployment_cannot_linger() -> None:
    assert all_parameters({"A": "1", "B": None}, {"B": "2"}, "") == {"A": "1", "B": "2"}


def test_parameters_without_a_value_are_named_with_the_remedy() -> None:
    with pytest.raises(DeployError, match="no value for A, C: add it"):
        all_parameters({"A": None, "B": "", "C": None}, {}, "add it")


def test_unknown_parameters_are_named() -> None:
    with pytest.raises(DeployError, match=r"no such parameter: LockDay \(there are LockDays\)"):
        all_parameters({"LockDays": "1"}, {"LockDay": "2"}, "")


@pytest.mark.parametrize("file", STAGES, ids=lambda file: file.stem)
def test_each_stages_file_fits_the_templates(file: Path) -> None:
    given = stage_parameters(file, PLACE)
    declared = declared_parameters(EVIDENCE) | declared_parameters(ROOT)
    assert given.keys() <= declared.keys()
    # AWS's own advice; a function may never outlast its messages' invisibility.
    values = {**declared, **given}
    assert int(values["RecorderRetrySeconds"] or 0) == 6 * int(
        values["RecorderTimeoutSeconds"] or 0
    )


def test_what_the_evidence_stack_made_is_what_the_root_stack_asks_for() -> None:
    needed = {name for name, default in declared_parameters(ROOT).items() if default is None}
    assert declared_outputs(EVIDENCE) <= needed
    # A parameter of both stacks has one default.
    both = declared_parameters(EVIDENCE), declared_parameters(ROOT)
    shared = both[0].keys() & both[1].keys()
    assert [name for name in shared if both[0][name] != both[1][name]] == []


def test_only_the_local_stage_knows_its_uploaders() -> None:
    """Who uploads into a real account is for its engineers to say, not for this repository."""
    knowing = {file.stem for file in STAGES if "UploaderArns" in stage_parameters(file, PLACE)}
    assert knowing == {"local"}


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


@pytest.mark.parametrize(
    ("passed", "variables", "region"),
    [
        ("eu-west-1", {"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-1"),
        (None, {"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-2"),
        (None, {"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-west-3"}, "eu-west-3"),
        (None, {}, "eu-north-1"),
    ],
)
def test_the_region_is_found_as_awss_own_tools_find_it(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    passed: str | None,
    variables: dict[str, str],
    region: str,
) -> None:
    (tmp_path / "config").write_text("[default]\nregion = eu-north-1\n")
    use_environment(monkeypatch, {"AWS_CONFIG_FILE": str(tmp_path / "config"), **variables})
    assert open_session(passed).region_name == region


def test_without_a_region_it_says_where_one_is_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use_environment(monkeypatch, {"AWS_CONFIG_FILE": str(tmp_path / "none")})
    with pytest.raises(DeployError, match=r"--region.*AWS_REGION.*profile"):
        open_session(None)


def use_environment(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)


class CloudFormation:
    """Answers with the events it is given: one more list for each look at the stack."""

    def __init__(self, looks: list[list[dict[str, str]]], nested: list[dict[str, str]]) -> None:
        self._looks = iter([*looks, *itertools.repeat(looks[-1], 3)])
        self._nested = nested

    def describe_stack_events(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        return {"StackEvents": self._nested if "nested" in StackName else next(self._looks)}


class Session:
    def __init__(self, client: object) -> None:
        self._client = client

    def client(self, _service: str) -> object:
        return self._client


def event(number: int, status: str, logical: str = "s", **more: str) -> dict[str, str]:
    return {
        "EventId": str(number),
        "StackId": "arn:s",
        "PhysicalResourceId": "arn:s" if logical == "s" else f"arn:{logical}",
        "LogicalResourceId": logical,
        "ResourceStatus": status,
        "ResourceType": "AWS::CloudFormation::Stack",
        **more,
    }


def watch(
    monkeypatch: pytest.MonkeyPatch,
    looks: list[list[dict[str, str]]],
    nested: list[dict[str, str]] | None = None,
) -> None:
    monkeypatch.setattr("infra.deploy.time.sleep", lambda _seconds: None)
    client = CloudFormation(looks, nested or [])
    Deployment(Session(client), PLACE, {})._watch("s", seen={"0"})  # type: ignore[arg-type]


def test_waits_for_the_end_of_this_change_not_of_the_one_before(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = event(0, "UPDATE_COMPLETE")
    started = event(1, "UPDATE_IN_PROGRESS")
    part = event(2, "UPDATE_COMPLETE", "Keys")
    cleaning = event(3, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    done = event(4, "UPDATE_COMPLETE")
    watch(
        monkeypatch,
        [[before], [started, before], [cleaning, part, started, before], [done, cleaning]],
    )
    assert capsys.readouterr().out.splitlines() == [
        "s: s UPDATE_IN_PROGRESS",
        "s: Keys UPDATE_COMPLETE",
        "s: s UPDATE_COMPLETE_CLEANUP_IN_PROGRESS",
        "s: s UPDATE_COMPLETE",
    ]


def test_a_failure_is_explained_by_the_nested_stacks_own_resource(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed = event(1, "CREATE_FAILED", "nested", ResourceStatusReason="Embedded stack failed")
    stopped = event(2, "CREATE_FAILED", "Jobs", ResourceStatusReason="Resource creation cancelled")
    end = event(3, "ROLLBACK_COMPLETE")
    inner = event(
        9, "CREATE_FAILED", "Raw", ResourceStatusReason="exists", ResourceType="AWS::S3::Bucket"
    )
    with pytest.raises(DeployError) as raised:
        watch(monkeypatch, [[end, stopped, failed]], [inner])
    assert str(raised.value).splitlines()[:2] == [
        "s is ROLLBACK_COMPLETE:",
        "  Raw CREATE_FAILED (exists)",
    ]
    assert "aws cloudformation delete-stack --stack-name s" in str(raised.value)
    assert "cancelled" not in str(raised.value)


def test_a_rolled_back_update_fails_too(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = event(1, "UPDATE_FAILED", "Mail", ResourceType="AWS::SNS::Subscription")
    with pytest.raises(DeployError, match="UPDATE_ROLLBACK_COMPLETE") as raised:
        watch(monkeypatch, [[event(2, "UPDATE_ROLLBACK_COMPLETE"), failed]])
    assert "Mail UPDATE_FAILED" in str(raised.value)
    assert "delete-stack" not in str(raised.value)


def test_evidence_that_failed_is_not_deleted_but_gone_on_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed = event(1, "CREATE_FAILED", "Trail", ResourceType="AWS::CloudTrail::Trail")
    with pytest.raises(DeployError, match="s is CREATE_FAILED") as raised:
        watch(monkeypatch, [[event(2, "CREATE_FAILED"), failed]])
    assert "Trail CREATE_FAILED" in str(raised.value)
    assert "deploy again: it goes on from there" in str(raised.value)
    assert "delete-stack" not in str(raised.value)
