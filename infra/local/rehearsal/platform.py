"""Bring the whole platform up on one machine, and down again."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.request import Request, urlopen

from rehearsal import cosigner
from rehearsal.airflow import USER, Airflow, StartError
from rehearsal.machine import PROJECT, STAGE, Machine, tool_folder

ADMIN = "platform-engineer"
_LOCAL_AWS = (tool_folder("local") / "python", "-m", "localaws")


class SetUpError(RuntimeError):
    """A step of bringing the platform up failed; the message names it and shows its output."""


@dataclass(frozen=True)
class Platform:
    """The platform of one machine: the local AWS, the stacks in it, and Airflow."""

    machine: Machine

    @cached_property
    def airflow(self) -> Airflow:
        return Airflow(self.machine)

    @property
    def dags(self) -> frozenset[str]:
        """What Airflow has to run: a DAG for each contract beside those that watch."""
        contracts = (self.machine.repository / "include" / "contracts").glob("*.odcs.yaml")
        built = {f"medallion_{path.name.partition('.')[0]}" for path in contracts}
        return frozenset({"custody_audit", "provenance_ledger", "provenance_reconcile"} | built)

    @cached_property
    def settings(self) -> dict[str, str]:
        """The runtime settings the stack wrote: the same that Airflow reads."""
        parameter = f"/{PROJECT}/{STAGE}/airflow/variables/{PROJECT}"
        value = self.client("ssm").get_parameter(Name=parameter)["Parameter"]["Value"]
        settings: dict[str, str] = json.loads(value)
        return settings

    def client(self, service: str, principal: str = ADMIN, region: str | None = None) -> Any:
        """A boto3 client of one of the local principals."""
        return self.machine.client(service, principal, region)

    def start_aws(self) -> None:
        """Start the local AWS, if it is not already running, with the state it had."""
        self._local_aws("start")

    def stop_aws(self) -> None:
        """Stop the local AWS; its state stays."""
        self._local_aws("stop")

    def reset_aws(self) -> None:
        """Stop the local AWS and forget its state."""
        self._local_aws("reset")

    def kill_aws(self) -> None:
        """Kill the local AWS without warning, as a crash would."""
        self._local_aws("stop", "--kill")

    def deploy(self, *parameters: str) -> None:
        """Deploy the stacks with the command that deploys to AWS, and with these `parameters`
        (`NAME=VALUE`); then check what they made, and tell who cosigns the seal of its log."""
        own = f"AirflowUrl={self.machine.airflow_url}"
        given = (cosigner.policy_parameter(self.machine), own, *parameters)
        self._run(
            [
                *(tool_folder("platform") / "python", "-m", "infra.deployment"),
                *("deploy", "--stage", STAGE, "--yes"),
                *(word for parameter in given for word in ("--parameter", parameter)),
            ],
            self.machine.environment_of(ADMIN),
        )
        for stack in (f"{PROJECT}-{STAGE}-evidence", f"{PROJECT}-{STAGE}"):
            self._local_aws("readback", "--stack", stack)
        cosigner.introduce(self.machine, self.client("kms"), self.settings)
        self._introduce_airflow()

    def _introduce_airflow(self) -> None:
        """Let the local AWS take this Airflow, if there is one, for the platform's on MWAA."""
        if not self.airflow.is_made:
            return
        airflow = {
            "name": f"{PROJECT}-{STAGE}",
            "url": self.machine.airflow_url,
            "user": USER,
            "password": self.airflow.password,
        }
        place = f"{self.machine.endpoint}/_local/airflow/environments"
        request = Request(place, data=json.dumps(airflow).encode())  # noqa: S310 - loopback
        with urlopen(request, timeout=10):  # noqa: S310 - loopback
            pass

    def start(self, say: Callable[[str], None] = print) -> None:
        """Local AWS, stacks and Airflow, saying each; what already runs is left as it is.

        Raises:
            SetUpError: the local AWS does not start, or the stacks cannot be deployed.
            StartError: Airflow does not start; that its port is taken is said first of all.
        """
        self.airflow.check_port()
        say(f"Starting the local AWS and Airflow (logs in {self.machine.home / 'logs'})")
        self.start_aws()
        self.airflow.start()
        say("Deploying the CloudFormation stacks")
        self.deploy()
        say("Waiting for Airflow")
        self.airflow.wait_ready(self.dags, say)

    def stop(self) -> None:
        """Stop Airflow and the local AWS; their state stays."""
        self.airflow.stop()
        self.stop_aws()

    def reset(self) -> None:
        """Stop everything and forget all state."""
        self.airflow.reset()
        self.reset_aws()

    def ways_in(self) -> str:
        """Where people go, and as whom."""
        airflow, aws = self.machine.airflow_url, self.machine.home / "aws"
        return "\n".join(
            [
                f"  log in   {airflow}  as {USER}, password {self.airflow.password}",
                f"  console  {airflow}/custody/",
                f"  AWS      {self.machine.endpoint}  (profiles in {aws})",
            ]
        )

    def show_status(self) -> bool:
        """Print what runs, where, and how to get in; returns whether all of it is ready."""
        print("Local AWS  ", end="", flush=True)
        aws = subprocess.run(
            [*_LOCAL_AWS, "status"],
            cwd=self.machine.repository,
            env=self._local_aws_environment(),
            check=False,
        )
        airflow = self.airflow.state()
        print(f"Airflow    {airflow}: {self.machine.airflow_url}, log {self.airflow.log_file}")
        if airflow != "stopped":
            print(self.ways_in())
        if aws.returncode != 0 or airflow == "stopped":
            print("`make up` starts what is stopped, with what was there")
        return aws.returncode == 0 and airflow == "ready"

    def _local_aws(self, *arguments: str) -> None:
        self._run([*_LOCAL_AWS, *arguments], self._local_aws_environment())

    def _local_aws_environment(self) -> dict[str, str]:
        path = str(self.machine.repository / "infra" / "local")
        return self.machine.environment() | {"PYTHONPATH": path}

    def _run(self, command: list[Any], environment: dict[str, str]) -> None:
        finished = subprocess.run(
            command,
            cwd=self.machine.repository,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if finished.returncode != 0:
            shown = " ".join(str(word) for word in command)
            raise SetUpError(f"{shown} exited {finished.returncode}:\n{finished.stdout}")


def _up(platform: Platform) -> int:
    began = time.monotonic()
    platform.start(lambda text: print(f"{time.monotonic() - began:4.0f} s  {text}", flush=True))
    print("Ready")
    print(platform.ways_in())
    return 0


def _aws(platform: Platform) -> int:
    platform.start_aws()
    platform.deploy()
    print(f"Local AWS  {platform.machine.endpoint}  (profiles in {platform.machine.home / 'aws'})")
    return 0


def _down(platform: Platform) -> int:
    platform.stop()
    print(f"Stopped; the state stays in {platform.machine.home} (`make reset` forgets it)")
    return 0


def _reset(platform: Platform) -> int:
    platform.reset()
    print("Stopped, and the state is forgotten")
    return 0


def _status(platform: Platform) -> int:
    return 0 if platform.show_status() else 3  # as service managers do


def main() -> None:
    """`python -m rehearsal.platform up|aws|down|reset|status`.

    `aws` leaves Airflow to somebody else; `status` exits 3 if not all is ready.
    """
    actions = {"up": _up, "aws": _aws, "down": _down, "reset": _reset, "status": _status}
    if len(sys.argv) != 2 or sys.argv[1] not in actions:
        sys.exit(f"usage: python -m rehearsal.platform {'|'.join(actions)}")
    try:
        sys.exit(actions[sys.argv[1]](Platform(Machine.from_environment())))
    except (SetUpError, StartError, TimeoutError) as error:
        sys.exit(f"rehearsal: {error}")


if __name__ == "__main__":
    main()
