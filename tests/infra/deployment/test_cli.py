"""The command line: what it refuses by itself, and how an error of AWS ends."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from infra.deployment import cli
from infra.deployment.errors import DeployError
from infra.deployment.session import Caller, Session
from infra.deployment.stages import Place, Stage


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
    assert said == f"{command}: nobody is there to ask: pass --yes"


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


@dataclass
class _Found:
    """A stack that is there, without an Airflow on MWAA."""

    exists: bool = True
    outputs: dict[str, str] = field(default_factory=dict)


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ("999999999999", "smoke: the stage dev belongs in account 111122223333"),
        # Who looks need not be one of the deployers.
        ("111122223333", None),
    ],
)
def test_smoke_looks_in_the_stages_account_alone_and_says_what_it_left_out(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    account: str,
    said: str | None,
) -> None:
    place = Place("custody", "dev", "111122223333", "eu-central-1")
    stage = Stage(tmp_path / "dev.json", place, {}, ("arn:aws:iam::111122223333:role/d",), {})
    caller = Caller(account, f"arn:aws:iam::{account}:user/somebody")
    monkeypatch.setattr(cli, "read_stage", lambda *_given: stage)
    monkeypatch.setattr(Session, "caller", caller)
    monkeypatch.setattr(Session, "endpoint", "https://cloudformation.eu-central-1.amazonaws.com")
    monkeypatch.setattr(Session, "client", lambda *_given: None)
    monkeypatch.setattr(cli, "find", lambda *_given: _Found())
    if said:
        assert run(monkeypatch, "smoke", "--stage", "dev").startswith(said)
        return
    monkeypatch.setattr(sys, "argv", ["deployment", "smoke", "--stage", "dev"])
    cli.main()
    assert "nothing was uploaded: --upload-as PROFILE" in capsys.readouterr().out
