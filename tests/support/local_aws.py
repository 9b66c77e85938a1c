"""A local AWS in a folder of a test's own, and the deploy command against it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
import botocore.session
from botocore.config import Config
from infra.build import REPOSITORY
from tests.support.patience import PATIENCE_SECONDS
from tests.support.ports import free_port

ACCOUNT: Final = "111122223333"
PATIENT: Final = Config(read_timeout=PATIENCE_SECONDS)
"""Of every client: botocore's own minute is too short where the machine is busy."""


def role_arn(role: str) -> str:
    """A role of the platform in the local AWS."""
    return f"arn:aws:iam::{ACCOUNT}:role/custody-local-{role}"


@dataclass(frozen=True)
class LocalAws:
    """A local AWS in a folder of its own."""

    home: Path
    port: int
    region: str

    @property
    def environment(self) -> dict[str, str]:
        """Of a program that acts as the platform engineer there, and knows no other AWS."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "CUSTODY_"))}
        return inherited | {
            "AWS_CONFIG_FILE": str(self.home / "aws" / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.home / "aws" / "credentials"),
            "AWS_PROFILE": "platform-engineer",
            "AWS_EC2_METADATA_DISABLED": "true",
            "CUSTODY_LOCAL_HOME": str(self.home),
            "LOCAL_AWS_PORT": str(self.port),
            "LOCAL_AWS_REGION": self.region,
            "NO_PROXY": "127.0.0.1",
        }

    def command(self, *arguments: str) -> None:
        subprocess.run(
            [REPOSITORY / ".venvs" / "local" / "bin" / "python", "-m", "localaws", *arguments],
            env=self.environment | {"PYTHONPATH": str(REPOSITORY / "infra" / "local")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )

    def deploy(
        self,
        *arguments: str,
        repository: Path = REPOSITORY,
        profile: str = "platform-engineer",
    ) -> str:
        """What the deploy command prints."""
        finished = subprocess.run(
            [
                *(sys.executable, "-m", "infra.deployment", "deploy"),
                *("--stage", "local", "--yes", *arguments),
            ],
            cwd=repository,
            env=self.environment | {"AWS_PROFILE": profile},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert finished.returncode == 0, finished.stdout
        return finished.stdout

    def session(self, principal: str) -> boto3.Session:
        """A session of one of the local principals."""
        session = botocore.session.Session(profile=principal)
        for file in ("config", "credentials"):
            session.set_config_variable(f"{file}_file", str(self.home / "aws" / file))
        return boto3.Session(botocore_session=session)

    def client(self, service: str, principal: str) -> Any:
        """A client of one of them."""
        make: Any = self.session(principal).client
        return make(service, config=PATIENT)

    def add_user(self, name: str) -> None:
        """A user without rights, and a profile of that name."""
        iam = self.client("iam", "platform-engineer")
        iam.create_user(UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        self.add_profile(
            name,
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
        )

    def add_profile(self, name: str, **fields: str) -> None:
        """A profile for the tools of AWS, and for `client`."""
        place = {"region": self.region, "endpoint_url": f"http://127.0.0.1:{self.port}"}
        lines = [f"{field} = {value}" for field, value in {**place, **fields}.items()]
        with (self.home / "aws" / "config").open("a", encoding="utf-8") as config:
            config.write("\n".join(["", f"[profile {name}]", *lines, ""]))

    def taken(self, role: Mapping[str, str]) -> Callable[[str], Any]:
        """What makes clients of a role that the platform engineer takes, as he asks for it."""
        sts = self.client("sts", "platform-engineer")
        keys = sts.assume_role(**role, RoleSessionName="test")["Credentials"]
        session = boto3.Session(
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            region_name=self.region,
        )
        make: Any = session.client
        endpoint = f"http://127.0.0.1:{self.port}"
        return lambda service: make(service, endpoint_url=endpoint, config=PATIENT)

    def role_client(self, service: str, role: str, source: str = "") -> Any:
        """A client of a service's role (its ARN, or the platform's of that name).

        Only the account's root can become it here. `source` is the resource for which the service
        takes it, where the role asks for one.
        """
        root = json.loads((self.home / "aws" / "root.json").read_text())
        place: dict[str, Any] = {
            "region_name": self.region,
            "endpoint_url": f"http://127.0.0.1:{self.port}",
            "config": PATIENT,
        }
        make: Any = boto3.client  # its stubs want the service's name as it stands
        sts = make(
            "sts",
            **place,
            aws_access_key_id=root["AccessKeyId"],
            aws_secret_access_key=root["SecretAccessKey"],
        )
        taken = {"RoleArn": role if role.startswith("arn:") else role_arn(role)}
        named = {"ExternalId": source} if source else {}
        session = sts.assume_role(**taken, **named, RoleSessionName="test")["Credentials"]
        return make(
            service,
            **place,
            aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key=session["SecretAccessKey"],
            aws_session_token=session["SessionToken"],
        )


@contextmanager
def local_aws(home: Path, region: str) -> Iterator[LocalAws]:
    """One that runs, on a free port."""
    aws = LocalAws(home, free_port(), region)
    aws.command("start")
    try:
        yield aws
    finally:
        aws.command("stop")
