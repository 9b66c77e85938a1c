"""Where one machine's platform lives: its folders, ports, environments and principals."""

import json
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.session

from localaws.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[3]
PROJECT = "custody"
STAGE = "local"


@dataclass(frozen=True)
class Machine:
    """One local AWS with one Airflow beside it; several can run side by side on other ports.

    What they run and deploy is `repository`.
    """

    home: Path
    aws_port: int
    airflow_port: int
    repository: Path = REPOSITORY

    @classmethod
    def from_environment(cls) -> "Machine":
        """Read CUSTODY_LOCAL_HOME, LOCAL_AWS_PORT and AIRFLOW_PORT, all optional."""
        return cls(
            home=Path(
                os.environ.get("CUSTODY_LOCAL_HOME", REPOSITORY / "build" / "local")
            ).resolve(),
            aws_port=int(os.environ.get("LOCAL_AWS_PORT", "4566")),
            airflow_port=int(os.environ.get("AIRFLOW_PORT", "8080")),
        )

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.aws_port}"

    @property
    def airflow_url(self) -> str:
        return f"http://127.0.0.1:{self.airflow_port}"

    def environment(self) -> dict[str, str]:
        """Environment variables of a process of this machine, with nobody's AWS credentials."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            # A developer's own AWS or Airflow settings must never mix with the local ones.
            if not name.startswith(("AWS_", "AIRFLOW", "CUSTODY_"))
        }
        path = [str(tool_folder(name)) for name in ("platform", "aws")]
        return inherited | {
            "PATH": os.pathsep.join([*path, inherited.get("PATH", os.defpath)]),
            "CUSTODY_LOCAL_HOME": str(self.home),
            "LOCAL_AWS_PORT": str(self.aws_port),
            # As the stack's parameter DigestSeconds says in infra/cloudformation/parameters.
            "LOCAL_CLOUDTRAIL_DIGEST_SECONDS": "10",
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def environment_of(self, profile: str) -> dict[str, str]:
        """Environment variables of a process that acts as `profile` on the local AWS."""
        return self.environment() | {
            "AWS_CONFIG_FILE": str(self.home / "aws" / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.home / "aws" / "credentials"),
            "AWS_PROFILE": profile,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def events_of_lineage(self) -> dict[str, str | int]:
        """Airflow's settings of OpenLineage, by the names of environment variables; those of
        `infra/cloudformation/mwaa.yaml`."""
        account = Settings.from_env(os.environ).account_id
        transport = {
            "type": "file",
            "filesystem": "custody.tasks.lineage.files.Bucket",
            "log_file_path": f"s3://{PROJECT}-{STAGE}-athena-results-{account}/openlineage/event",
        }
        job = {"operator": "custody.tasks.lineage.jobs.TableJob"}
        policy = [
            {"scope": {}, "controls": {"emit": False}},
            {"scope": job, "controls": {"emit": True}},
        ]
        return {
            "OPENLINEAGE__NAMESPACE": f"{PROJECT}-{STAGE}",
            "OPENLINEAGE__TRANSPORT": json.dumps(transport),
            "OPENLINEAGE__EMISSION_POLICY": json.dumps(policy),
            "OPENLINEAGE__EXECUTE_IN_THREAD": True,
            "OPENLINEAGE__EXECUTION_TIMEOUT": 60,
        }

    def client(self, service: str, profile: str, region: str | None = None) -> Any:
        """A boto3 client acting as `profile`, one of the principals made at the first start, in
        the region of that profile if no other is given."""
        return _session(self, profile).client(
            service, region_name=region, endpoint_url=self.endpoint
        )


@cache
def _session(machine: Machine, profile: str) -> Any:
    session = botocore.session.Session(profile=profile)
    session.set_config_variable("config_file", str(machine.home / "aws" / "config"))
    session.set_config_variable("credentials_file", str(machine.home / "aws" / "credentials"))
    return boto3.Session(botocore_session=session)


def tool_folder(environment: str) -> Path:
    """The folder with the programs of one of the project's virtual environments."""
    return REPOSITORY / ".venvs" / environment / "bin"
