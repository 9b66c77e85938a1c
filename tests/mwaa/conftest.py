"""An environment as MWAA makes it: its image's Python, a bundle laid out, installed and asked.

Everything runs on this machine alone: `make bundle-check` cuts the network off where the machine
allows it (user namespaces), and says so where it does not.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import boto3
import botocore.session
import pytest
import yaml
from infra.build import REPOSITORY
from tests.support.layouts import Layout, as_on_mwaa, example_settings

BUNDLE = REPOSITORY / "build" / "mwaa"
IMAGE = REPOSITORY / "build" / "mwaa-image"
PREFIX = "/custody/test/airflow/variables"
# MWAA's own, which a configuration of ours replaces: its connection `aws_default` is in no store.
LOOKUP = {"connections_lookup_pattern": "^(?!aws_default$).*$"}
NOT_OVERRIDABLE = Path(__file__).parent / "image" / "not-overridable.txt"


@pytest.fixture(scope="session")
def bundle() -> dict[str, bytes]:
    """The files of the bundle that `make bundle` built."""
    return {
        path.relative_to(BUNDLE).as_posix(): path.read_bytes()
        for path in BUNDLE.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """`image()`: the Python of a new container, which has what MWAA's image has."""

    def new() -> Path:
        folder = tmp_path_factory.mktemp("container") / "venv"
        shutil.copytree(IMAGE, folder, symlinks=True, copy_function=os.link)
        return folder / "bin" / "python"

    return new


def pip(python: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """pip in that environment, with nobody's settings."""
    return subprocess.run(
        [python, "-m", "pip", "--isolated", "--disable-pip-version-check", *map(str, arguments)],
        env={"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        check=False,
    )


def install(python: Path, requirements: Path, *more: object) -> subprocess.CompletedProcess[str]:
    """Install requirements as MWAA's `safe-pip-install` does."""
    return pip(
        python, "install", "--constraint", NOT_OVERRIDABLE, "--requirement", requirements, *more
    )


@pytest.fixture(scope="session")
def laid_out(
    bundle: Mapping[str, bytes], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Layout]:
    """`laid_out(change=…)`: the bundle, changed or not, as MWAA lays it out."""

    def lay_out(
        change: Callable[[dict[str, bytes]], dict[str, bytes]] = lambda files: files,
    ) -> Layout:
        return as_on_mwaa(change(dict(bundle)), tmp_path_factory.mktemp("airflow"))

    return lay_out


class _Template(yaml.SafeLoader):
    """Reads a template with CloudFormation's `!Sub` as the text that it is given."""


_Template.add_multi_constructor("!", lambda _loader, _tag, node: node.value)


def configured() -> dict[str, str]:
    """What our environment configures of secrets, as variables: the options of its template."""
    text = (REPOSITORY / "infra" / "cloudformation" / "mwaa.yaml").read_text(encoding="utf-8")
    resources = yaml.load(text, _Template)["Resources"].values()  # noqa: S506 - a safe loader
    (environment,) = (each for each in resources if each["Type"] == "AWS::MWAA::Environment")
    options = environment["Properties"]["AirflowConfigurationOptions"]
    return {
        f"AIRFLOW__{option.replace('.', '__').upper()}": value.replace(
            "${Project}", "custody"
        ).replace("${Stage}", "test")
        for option, value in options.items()
        if option.startswith("secrets.")
    }


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Variables of an Airflow that finds its settings as on MWAA: in a Parameter Store, here that
    of a local AWS of these tests' own.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    home = tmp_path_factory.mktemp("local-aws")
    local = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(REPOSITORY / "infra" / "local"),
        "CUSTODY_LOCAL_HOME": str(home),
        "LOCAL_AWS_PORT": str(port),
    }
    command = [REPOSITORY / ".venvs" / "local" / "bin" / "python", "-m", "localaws"]
    subprocess.run([*command, "start"], env=local, stdout=subprocess.DEVNULL, check=True)
    airflow = {
        "AWS_CONFIG_FILE": str(home / "aws" / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "aws" / "credentials"),
        "AWS_PROFILE": "platform-engineer",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
        # What MWAA sets beside what an environment configures.
        "AIRFLOW_CONN_AWS_DEFAULT": "aws://",
        "AIRFLOW__WORKERS__SECRETS_BACKEND_KWARGS": json.dumps(LOOKUP),
        **configured(),
    }
    session = botocore.session.Session(profile="platform-engineer")
    for file in ("config", "credentials"):
        session.set_config_variable(f"{file}_file", str(home / "aws" / file))
    try:
        boto3.Session(botocore_session=session).client("ssm").put_parameter(
            Name=f"{PREFIX}/custody", Type="String", Value=json.dumps(example_settings())
        )
        yield airflow
    finally:
        subprocess.run([*command, "stop"], env=local, stdout=subprocess.DEVNULL, check=True)
