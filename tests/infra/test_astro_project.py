"""The Astro project: what `astro dev start` needs of a clone, without Astro."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
import yaml
from infra.build import REPOSITORY


def test_the_image_is_the_airflow_and_the_python_of_mwaa() -> None:
    lines = (REPOSITORY / "Dockerfile").read_text(encoding="utf-8").splitlines()
    (image,) = [line for line in lines if not line.startswith("#")]
    assert image == "FROM astrocrpublic.azurecr.io/runtime:3.3-7-python-3.12"


def test_a_clone_has_all_that_astro_asks_for() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=REPOSITORY, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert {
        ".astro/config.yaml",
        ".astro/dag_integrity_exceptions.txt",
        ".astro/test_dag_integrity_default.py",
        ".dockerignore",
        ".env.example",
        "Dockerfile",
        "docker-compose.override.yml",
        "packages.txt",
        "requirements.txt",
    } <= set(tracked)
    config = yaml.safe_load((REPOSITORY / ".astro" / "config.yaml").read_text(encoding="utf-8"))
    assert config == {"project": {"name": "custody"}}


def test_the_image_is_given_what_airflow_runs_and_nothing_else() -> None:
    lines = (REPOSITORY / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    assert {line[1:] for line in lines if line.startswith("!")} == {
        "dags",
        "plugins",
        "include",
        "packages.txt",
        "requirements.txt",
    }


def test_only_the_container_listens_beyond_loopback() -> None:
    everywhere = re.compile(r"LOCAL_AWS_LISTEN[\"']?\s*[:=]\s*[\"']?0\.0\.0\.0")
    listed = subprocess.run(
        ["git", "ls-files"], cwd=REPOSITORY, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    found = {
        name
        for name in listed
        if (REPOSITORY / name).is_file()
        and everywhere.search((REPOSITORY / name).read_bytes().decode(errors="replace"))
    }
    assert found == {"docker-compose.override.yml"}
    override = yaml.safe_load((REPOSITORY / "docker-compose.override.yml").read_text())
    ports = override["services"]["local-aws"]["ports"]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


@pytest.mark.parametrize("place", [".env.example", "docker-compose.override.yml"])
def test_the_settings_are_those_of_the_local_stage(place: str) -> None:
    text = (REPOSITORY / place).read_text(encoding="utf-8")
    (found,) = re.findall(r"SECRETS__BACKEND_KWARGS[=:] ?'?(\{.*?\})'?$", text, re.MULTILINE)
    assert json.loads(found) == {
        "variables_prefix": "/custody/local/airflow/variables",
        "connections_prefix": None,
    }
