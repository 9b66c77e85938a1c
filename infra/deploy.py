"""Deploy the platform: on AWS and on the local AWS the same way.

    python infra/deploy.py --stage dev [--region eu-central-1] [--parameter Key=Value ...]

The account, the credentials and (for the local AWS) the endpoint come from the environment, as for
every AWS tool: `AWS_PROFILE`, `AWS_REGION`, `AWS_ENDPOINT_URL` and so on. In order:

1. the bootstrap stack, whose bucket holds everything else;
2. the build (`infra/build.py`), uploaded under its content hash;
3. `aws cloudformation package` of the nested templates, the recorder's and the jobs' code;
4. `aws cloudformation deploy` of the evidence stack and then, with its outputs, of the root stack;
   both with the parameters of `infra/cloudformation/parameters/<stage>.json`.

In these files a value may be a list, and `${AWS::AccountId}` and `${AWS::Region}` stand for
where the deployment goes. A parameter neither named there nor with `--parameter` has its
template's default, whatever an earlier deployment set.

The evidence stack is not rolled back when it fails: what is there stays, and the next deployment
goes on from it.

`deploy` is told to make its change set but not to run it. Running and watching it here shows every
step as it happens and, when one fails, why, down to the nested stack; the command's own wait looks
only every 30 seconds and says no more than that it failed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import yaml
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation.client import CloudFormationClient
    from mypy_boto3_cloudformation.type_defs import StackEventTypeDef

REPOSITORY = Path(__file__).resolve().parents[1]
TEMPLATES = REPOSITORY / "infra" / "cloudformation"
EVIDENCE = TEMPLATES / "evidence.yaml"
ROOT = TEMPLATES / "root.yaml"
AWS = REPOSITORY / ".venvs" / "aws" / "bin" / "aws"
PLACEHOLDER = re.compile(r"\$\{(AWS::\w+)\}")
_STACK = "AWS::CloudFormation::Stack"
CHANGE_SET = re.compile(r"arn:\S+:changeSet/\S+")

_LOOPBACK = ("127.0.0.1", "::1", "localhost")

# AWS throttles DescribeStackEvents; the local AWS is done within seconds.
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 5.0
_DEADLINE_SECONDS = 3600

_BEGINS_AGAIN = (
    "\nNothing of it is left. Delete the stack before you deploy again:"
    "\n  aws cloudformation delete-stack --stack-name {stack}"
)
_GOES_ON = "\nWhat is there stays. Mend the cause and deploy again: it goes on from there"


class DeployError(Exception):
    """The deployment cannot go on; the message says why and what to do."""


@dataclass(frozen=True)
class Place:
    """Where a deployment goes, and under which names."""

    project: str
    stage: str
    account: str
    region: str

    @property
    def root_stack(self) -> str:
        return f"{self.project}-{self.stage}"

    @property
    def bootstrap_stack(self) -> str:
        return f"{self.project}-{self.stage}-bootstrap"

    @property
    def evidence_stack(self) -> str:
        return f"{self.project}-{self.stage}-evidence"

    def fill(self, text: str) -> str:
        """Replace the placeholders; raises DeployError for one it does not know."""
        known = {"AWS::AccountId": self.account, "AWS::Region": self.region}

        def value(match: re.Match[str]) -> str:
            if match[1] not in known:
                raise DeployError(f"{match[0]} is unknown: use ${{{'} or ${'.join(known)}}}")
            return known[match[1]]

        return PLACEHOLDER.sub(value, text)


def stage_parameters(file: Path, place: Place) -> dict[str, str]:
    """The parameters in a stage's file, filled in, as CloudFormation takes them."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DeployError(f"{file}: {error}") from error
    if not isinstance(content, dict):
        raise DeployError(f"{file}: must be one JSON object of parameters")
    parameters = {}
    for name, value in content.items():
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(one, str | int) and not isinstance(one, bool) for one in values):
            raise DeployError(f"{file}: {name}: must be text, a whole number or a list of them")
        parameters[name] = place.fill(",".join(str(one) for one in values))
    return parameters


class _TemplateLoader(yaml.SafeLoader):
    """Reads a template for its plain values; CloudFormation's own tags are left out."""


_TemplateLoader.add_multi_constructor("!", lambda _loader, _tag, _node: None)


def declared_parameters(template: Path) -> dict[str, str | None]:
    """The parameters of a template with their defaults; None where there is none."""
    return {
        name: str(declaration["Default"]) if "Default" in declaration else None
        for name, declaration in _read(template)["Parameters"].items()
    }


def declared_outputs(template: Path) -> frozenset[str]:
    """The names of a template's outputs."""
    return frozenset(_read(template)["Outputs"])


def _read(template: Path) -> Any:
    return yaml.load(template.read_text(encoding="utf-8"), _TemplateLoader)  # noqa: S506 - safe


def all_parameters(
    declared: Mapping[str, str | None], given: Mapping[str, str], remedy: str
) -> dict[str, str]:
    """Every declared parameter (with its default, or None) with its value.

    Raises DeployError naming those given but not declared, and those left without a value.
    """
    unknown = sorted(given.keys() - declared.keys())
    if unknown:
        raise DeployError(
            f"no such parameter: {', '.join(unknown)} (there are {', '.join(sorted(declared))})"
        )
    values = {name: given.get(name, default) for name, default in declared.items()}
    missing = sorted(name for name, value in values.items() if value is None)
    if missing:
        raise DeployError(f"no value for {', '.join(missing)}: {remedy}")
    return {name: value for name, value in values.items() if value is not None}


class Deployment:
    """One run of this command."""

    def __init__(self, session: boto3.Session, place: Place, overrides: Mapping[str, str]) -> None:
        self._session = session
        self._place = place
        self._overrides = dict(overrides)
        self._cloudformation: CloudFormationClient = session.client("cloudformation")

    def run(self) -> dict[str, str]:
        """Deploy everything; the root stack's outputs."""
        place = self._place
        names = {"Project": place.project, "Stage": place.stage}
        given = self._parameters(names)
        bootstrap = TEMPLATES / "bootstrap.yaml"
        self._deploy(
            place.bootstrap_stack,
            bootstrap,
            all_parameters(declared_parameters(bootstrap), names, "this is a bug of the template"),
        )
        bucket = self._outputs(place.bootstrap_stack)["ArtifactsBucket"]
        code = {"ArtifactsBucket": bucket, "CodeLocation": self._upload_bundle(bucket)}
        with tempfile.TemporaryDirectory() as folder:
            evidence = self._package(EVIDENCE, Path(folder), bucket)
            self._deploy(place.evidence_stack, evidence, given[EVIDENCE], roll_back=False)
            made = self._outputs(place.evidence_stack)
            root = self._package(ROOT, Path(folder), bucket)
            self._deploy(place.root_stack, root, given[ROOT] | code | made)
        return self._outputs(place.root_stack)

    def _parameters(self, names: dict[str, str]) -> dict[Path, dict[str, str]]:
        """Of both stacks, all but what is known on the way; checked before anything is made."""
        file = TEMPLATES / "parameters" / f"{self._place.stage}.json"
        computed = {"ArtifactsBucket", "CodeLocation"} | declared_outputs(EVIDENCE)
        declared = {
            template: {
                name: default
                for name, default in declared_parameters(template).items()
                if name not in computed
            }
            for template in (EVIDENCE, ROOT)
        }
        values = all_parameters(
            declared[EVIDENCE] | declared[ROOT],
            stage_parameters(file, self._place) | self._overrides | names,
            f"add it to {file} or pass --parameter NAME=VALUE",
        )
        return {
            template: {name: values[name] for name in theirs}
            for template, theirs in declared.items()
        }

    def _package(self, template: Path, folder: Path, bucket: str) -> Path:
        packaged = folder / template.name
        self._aws(
            "package",
            *("--template-file", str(template), "--output-template-file", str(packaged)),
            *("--s3-bucket", bucket, "--s3-prefix", "packages"),
        )
        return packaged

    def _upload_bundle(self, bucket: str) -> str:
        content_hash = _run([sys.executable, str(REPOSITORY / "infra" / "build.py")]).strip()
        bundle = REPOSITORY / "build" / "bundle"
        s3 = self._session.client("s3")
        for path in sorted(path for path in bundle.rglob("*") if path.is_file()):
            name = path.relative_to(bundle).as_posix()
            s3.upload_file(str(path), bucket, f"{content_hash}/{name}")
        print(f"code: s3://{bucket}/{content_hash}", flush=True)
        return f"s3://{bucket}/{content_hash}"

    def _deploy(
        self, stack: str, template: Path, parameters: Mapping[str, str], *, roll_back: bool = True
    ) -> None:
        said = self._aws(
            "deploy",
            *("--stack-name", stack, "--template-file", str(template)),
            *("--capabilities", "CAPABILITY_NAMED_IAM"),
            "--no-fail-on-empty-changeset",
            "--no-execute-changeset",
            *("--tags", f"project={self._place.project}", f"stage={self._place.stage}"),
            "--parameter-overrides",
            *(f"{name}={value}" for name, value in sorted(parameters.items())),
        )
        change_set = CHANGE_SET.search(said)
        if change_set is None:
            print(f"{stack}: no changes", flush=True)
            return
        seen = {event["EventId"] for event in self._events(stack)}
        self._cloudformation.execute_change_set(
            ChangeSetName=change_set[0], StackName=stack, DisableRollback=not roll_back
        )
        self._watch(stack, seen)

    def _watch(self, stack: str, seen: set[str]) -> None:
        """Print what happens until it is over; `seen` are the events of before.

        The stack's own events say whether it is over: its status may for a moment still be the
        one from before the change.
        """
        pause, deadline = _FIRST_PAUSE_SECONDS, time.monotonic() + _DEADLINE_SECONDS
        events: list[StackEventTypeDef] = []
        while time.monotonic() < deadline:
            for event in reversed([e for e in self._events(stack) if e["EventId"] not in seen]):
                seen.add(event["EventId"])
                events.append(event)
                print(f"{stack}: {_line(event)}", flush=True)
                if event.get("PhysicalResourceId") != event["StackId"]:
                    continue
                status = event.get("ResourceStatus", "")
                if status in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
                    return
                if status.endswith(("ROLLBACK_COMPLETE", "_FAILED")):
                    raise DeployError(self._failure(stack, status, events))
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
        raise DeployError(f"{stack} is not done after {_DEADLINE_SECONDS} s; look at it in AWS")

    def _failure(self, stack: str, status: str, events: list[StackEventTypeDef]) -> str:
        reasons = list(dict.fromkeys(self._reasons(events)))
        remedy = {
            "ROLLBACK_COMPLETE": _BEGINS_AGAIN.format(stack=stack),
            "CREATE_FAILED": _GOES_ON,
            "UPDATE_FAILED": _GOES_ON,
        }.get(status, "")
        return "\n  ".join([f"{stack} is {status}:", *reasons]) + remedy

    def _reasons(self, events: list[StackEventTypeDef]) -> Iterator[str]:
        """Why resources failed: a nested stack's own resources instead of the nested stack."""
        for event in events:
            reason = event.get("ResourceStatusReason", "")
            if not event.get("ResourceStatus", "").endswith("_FAILED") or "cancelled" in reason:
                continue
            # A stack also reports itself, as a resource of its own.
            nested = event.get("PhysicalResourceId", event["StackId"])
            inner: list[str] = []
            if event.get("ResourceType") == _STACK and nested not in ("", event["StackId"]):
                inner = list(self._reasons(self._events(nested)))
            yield from inner or [_line(event)]

    def _outputs(self, stack: str) -> dict[str, str]:
        described = self._cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}

    def _events(self, stack: str) -> list[StackEventTypeDef]:
        """The stack's newest events, newest first (one page is more than one deployment has)."""
        return self._cloudformation.describe_stack_events(StackName=stack)["StackEvents"]

    def _aws(self, verb: str, *arguments: str) -> str:
        return _run(
            [str(AWS), "cloudformation", verb, *arguments],
            {"AWS_DEFAULT_REGION": self._place.region, "AWS_REGION": self._place.region},
        )


def _line(event: StackEventTypeDef) -> str:
    reason = event.get("ResourceStatusReason")
    return " ".join(
        [event["LogicalResourceId"], event["ResourceStatus"], *([f"({reason})"] if reason else [])]
    )


def _run(command: list[str], environment: Mapping[str, str] | None = None) -> str:
    """The command's standard output; raises DeployError with what it printed if it fails."""
    try:
        finished = subprocess.run(
            command,
            env=os.environ | (environment or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise DeployError(f"{command[0]}: {error}; run `make setup`") from error
    if finished.returncode != 0:
        said = (finished.stdout + finished.stderr).strip()
        raise DeployError(f"{' '.join(command[:3])} exited {finished.returncode}:\n{said}")
    return finished.stdout


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r}: give NAME=VALUE")
    return name, value


def arguments() -> argparse.Namespace:
    """The command line, parsed."""
    parser = argparse.ArgumentParser(
        description="Deploy the platform, on AWS and on the local AWS the same way.",
        epilog="Credentials and endpoint come from the environment (AWS_PROFILE and so on).",
    )
    stages = sorted(file.stem for file in (TEMPLATES / "parameters").glob("*.json"))
    parser.add_argument("--stage", required=True, choices=stages, help="which stage to deploy")
    parser.add_argument("--project", default="custody", help="first part of every resource name")
    parser.add_argument(
        "--region", help="AWS region; else that of AWS_REGION, AWS_DEFAULT_REGION or the profile"
    )
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        type=_parameter,
        metavar="NAME=VALUE",
        help="parameter of the evidence or the root stack; wins over the stage's file",
    )
    return parser.parse_args()


def check_endpoint(stage: str, endpoint: str) -> None:
    """Raises DeployError for the stage `local` anywhere but on this machine.

    Its parameters suit a local AWS, and leave out a protection of the records.
    """
    host = urlsplit(endpoint).hostname
    if stage == "local" and host not in _LOOPBACK:
        raise DeployError(
            f"the stage local belongs on the local AWS, but {endpoint} would be asked. Start it "
            "(`make up` also deploys) and name it with AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE"
            " (build/local/aws/config and credentials) and AWS_PROFILE=platform-engineer"
        )


def open_session(region: str | None) -> boto3.Session:
    """A session in `region`, else in that of the environment or of the profile.

    Raises DeployError if none of them names one.
    """
    # boto3 itself reads AWS_DEFAULT_REGION only, which AWS's other tools put second. `custody` has
    # the same line: this command runs without the package.
    session = boto3.Session(region_name=region or os.environ.get("AWS_REGION") or None)
    if session.region_name is None:
        raise DeployError(
            "no region: pass --region, or set AWS_REGION or a region in the profile of AWS_PROFILE"
        )
    return session


def _place(session: boto3.Session, project: str, stage: str) -> Place:
    check_endpoint(stage, session.client("cloudformation").meta.endpoint_url)
    account = session.client("sts").get_caller_identity()["Account"]
    return Place(project, stage, account, session.region_name)


def main() -> None:
    """Deploy and print the outputs; exit 1 with the reason if it fails."""
    given = arguments()
    started = time.monotonic()
    try:
        session = open_session(given.region)
        place = _place(session, given.project, given.stage)
        outputs = Deployment(session, place, dict(given.parameter)).run()
    except (DeployError, BotoCoreError, ClientError) as error:
        sys.exit(f"deploy: {error}")
    width = max(map(len, outputs))
    for name, value in sorted(outputs.items()):
        print(f"{name:{width}}  {value}")
    print(f"deployed {place.root_stack} in {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
