"""The command line: what it refuses by itself, and how an error of AWS ends."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from infra.deployment import cli
from infra.deployment.errors import DeployError


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """What it exits with."""
    monkeypatch.setattr(sys, "argv", ["deployment", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return str(left.value.code)


@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_without_a_terminal_somebody_must_have_said_yes(
    monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    said = run(monkeypatch, command, "--stage", "local")
    assert said == f"{command}: nobody is there to ask: pass --yes, or --dry-run to look only"


@pytest.mark.parametrize("command", ["deploy", "destroy", "smoke"])
def test_a_stage_nobody_filled_in_is_deployed_nowhere(
    monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    yes = [] if command == "smoke" else ["--yes"]
    said = run(monkeypatch, command, "--stage", "prod", *yes)
    assert "prod.json: account is empty" in said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (DeployError("mend it"), "deploy: mend it"),
        (NoCredentialsError(), "deploy: no AWS credentials: set AWS_PROFILE"),
        (
            ClientError({"Error": {"Code": "ExpiredToken", "Message": ""}}, "DescribeStacks"),
            "deploy: the AWS credentials have expired: log in again",
        ),
        (KeyboardInterrupt(), "deploy: interrupted; nothing is under way"),
    ],
)
def test_an_error_ends_it_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, said: str
) -> None:
    def fail(*_arguments: Any) -> None:
        raise error

    monkeypatch.setattr(cli, "open_stage", fail)
    assert run(monkeypatch, "deploy", "--stage", "dev", "--dry-run").startswith(said)


@pytest.mark.parametrize(
    ("answer", "agreed"), [("y", True), ("Yes ", True), ("", False), ("n", False), ("ja", False)]
)
def test_only_yes_is_yes(monkeypatch: pytest.MonkeyPatch, answer: str, agreed: bool) -> None:
    monkeypatch.setattr("builtins.input", lambda _question: answer)
    assert cli._Terminal(yes=False).confirm("Change it?") is agreed
    assert cli._Terminal(yes=True).confirm("Change it?") is True
