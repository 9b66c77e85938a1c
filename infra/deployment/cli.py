"""The command line, and how an error is told."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError
from infra.build import BuildError
from infra.deployment.deploying import Deployment, Options
from infra.deployment.destroying import Destruction
from infra.deployment.errors import DeployError, explain
from infra.deployment.mwaa import Environment
from infra.deployment.session import Session, region_of_environment, region_of_variables
from infra.deployment.smoke import Smoke
from infra.deployment.stacks.description import find
from infra.deployment.stages import (
    LOCAL,
    Stage,
    check_account,
    check_deployers,
    check_endpoint,
    read_stage,
)
from infra.deployment.templates.reading import FOLDER

_STAGES = FOLDER / "parameters"


def main() -> None:
    """Deploy or destroy; exit 1 with the reason if it fails."""
    given = _arguments()
    try:
        given.run(given)
    except (DeployError, BuildError) as error:
        sys.exit(f"{given.command}: {error}")
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"{given.command}: {explain(error)}")
    except KeyboardInterrupt:
        sys.exit(f"{given.command}: interrupted; nothing is under way")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m infra.deployment",
        description="Deploy the platform, on AWS and on the local AWS the same way.",
        epilog="Credentials and endpoint come from the environment (AWS_PROFILE and so on); "
        "account and region must be those of the stage's file.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    deploy = commands.add_parser("deploy", help="make the stacks of a stage, or change them")
    deploy.set_defaults(run=_deploy)
    deploy.add_argument(
        "--parameter",
        action="append",
        default=[],
        type=_parameter,
        metavar="NAME=VALUE",
        help="a parameter of the stacks; wins over the stage's file, and is kept from then on",
    )
    deploy.add_argument(
        "--dry-run", action="store_true", help="show what would change, and change nothing"
    )
    deploy.add_argument(
        "--role-arn",
        metavar="ARN",
        help="a service role: CloudFormation makes everything with its rights, not with yours",
    )
    deploy.add_argument(
        "--allow-downgrade",
        action="store_true",
        help="deploy although the commit that runs is not in the history of this one",
    )
    destroy = commands.add_parser("destroy", help="delete the stacks of a stage; evidence stays")
    destroy.set_defaults(run=_destroy)
    destroy.add_argument(
        "--evidence-stacks",
        action="store_true",
        help="delete the stacks that hold evidence too: buckets and keys stay, without a stack",
    )
    smoke = commands.add_parser("smoke", help="see that a deployment does its work")
    smoke.set_defaults(run=_smoke)
    smoke.add_argument(
        "--upload-as",
        metavar="PROFILE",
        help="upload a file as this AWS profile, one of the uploaders, and wait for its VERIFIED",
    )
    stages = sorted(file.stem for file in _STAGES.glob("*.json"))
    for command in (deploy, destroy, smoke):
        command.add_argument("--stage", required=True, choices=stages)
    for command in (deploy, destroy):
        command.add_argument("--yes", action="store_true", help="do not ask")
    return parser.parse_args()


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r}: give NAME=VALUE")
    return name, value


def open_stage(name: str) -> tuple[Session, Stage]:
    """The session and the stage's file, which fit each other.

    Raises DeployError if they do not.
    """
    stage = read_stage(_STAGES / f"{name}.json", _region(name))
    session = Session(stage.place.region)
    check_endpoint(name, session.endpoint)
    check_account(stage, session.caller)
    return session, stage


def _region(stage: str) -> str | None:
    return region_of_environment() if stage == LOCAL else region_of_variables()


@dataclass(frozen=True)
class _Terminal:
    """Asks whoever sits there, or does not ask with `--yes`."""

    yes: bool

    def check(self) -> None:
        """Raises DeployError if nobody can be asked."""
        if not self.yes and not sys.stdin.isatty():
            raise DeployError("nobody is there to ask: pass --yes")

    def confirm(self, question: str) -> bool:
        """Whether the answer is yes."""
        return self.yes or input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _say(line: str) -> None:
    print(line, flush=True)


def _deploy(given: argparse.Namespace) -> None:
    started = time.monotonic()
    terminal = _Terminal(given.yes)
    if not given.dry_run:
        terminal.check()
    session, stage = open_stage(given.stage)
    check_deployers(stage, session.caller, given.role_arn)
    options = Options(
        overrides=dict(given.parameter),
        role_arn=given.role_arn,
        dry_run=given.dry_run,
        allow_downgrade=given.allow_downgrade,
    )
    outputs = Deployment(session, stage, options, terminal.confirm, _say).run()
    if given.dry_run:
        _say("Nothing was changed")
        return
    _print(outputs)
    _say(f"deployed {stage.place.prefix} in {time.monotonic() - started:.0f} s")


def _destroy(given: argparse.Namespace) -> None:
    terminal = _Terminal(given.yes)
    terminal.check()
    session, stage = open_stage(given.stage)
    check_deployers(stage, session.caller)
    Destruction(session, stage, terminal.confirm, _say, given.evidence_stacks).run()


def _smoke(given: argparse.Namespace) -> None:
    session, stage = open_stage(given.stage)
    root = find(session.client("cloudformation"), stage.place.prefix)
    if root is None or not root.exists:
        raise DeployError(f"{stage.place.prefix} is not deployed")
    smoke = Smoke(session, root.outputs, _say)
    if "AirflowEnvironment" in root.outputs:
        smoke.airflow(Environment(session, root.outputs["AirflowEnvironment"], _say))
    if given.upload_as:
        smoke.upload(Session(stage.place.region, given.upload_as))
    else:
        _say("nothing was uploaded: --upload-as PROFILE, one of the uploaders, sees it VERIFIED")


def _print(outputs: Mapping[str, str], say: Callable[[str], None] = _say) -> None:
    width = max(map(len, outputs), default=0)
    for name, value in sorted(outputs.items()):
        say(f"{name:{width}}  {value}")
