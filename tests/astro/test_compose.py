"""`astro dev start`: the containers that the CLI would start, merged as it merges them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from infra.build import REPOSITORY
from tests.astro.conftest import HERE

AIRFLOW = ("scheduler", "dag-processor", "api-server", "triggerer")


@pytest.fixture(scope="module")
def services(go: str, module: Path) -> dict[str, Any]:
    """The services by name, as Docker is told of them."""
    merged = subprocess.run(
        [
            go,
            "run",
            "./compose",
            module / "airflow" / "include" / "airflow3" / "composeyml.go.tmpl",
            REPOSITORY / "docker-compose.override.yml",
            REPOSITORY,
        ],
        cwd=HERE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert merged.returncode == 0, merged.stderr
    found: dict[str, Any] = json.loads(merged.stdout)["services"]
    return found


def test_the_local_aws_is_the_one_service_more(services: dict[str, Any]) -> None:
    assert services.keys() == {*AIRFLOW, "postgres", "db-migration", "local-aws"}


@pytest.mark.parametrize("component", AIRFLOW)
def test_airflow_waits_for_the_stacks_and_is_its_role_there(
    services: dict[str, Any], component: str
) -> None:
    service = services[component]
    assert service["depends_on"]["local-aws"]["condition"] == "service_healthy"
    assert "db-migration" in service["depends_on"]
    said = service["environment"]
    assert said["AWS_ENDPOINT_URL"] == "http://local-aws:4566"
    assert said["AWS_PROFILE"] == "airflow"
    assert "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN" in said  # the CLI's own are still there
    prefix = json.loads(said["AIRFLOW__SECRETS__BACKEND_KWARGS"])["variables_prefix"]
    assert prefix == "/custody/local/airflow/variables"
    volumes = {volume["target"]: volume for volume in service["volumes"]}
    assert volumes["/local-aws"]["read_only"] is True
    for folder in ("dags", "plugins", "include"):
        assert volumes[f"/usr/local/airflow/{folder}"]["source"] == str(REPOSITORY / folder)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        assert Path(said[name]).parent == Path("/local-aws")


def test_the_local_aws_is_reached_from_this_machine_and_astros_network_alone(
    services: dict[str, Any],
) -> None:
    service = services["local-aws"]
    assert list(service["networks"]) == ["airflow"]
    assert [(port["host_ip"], port["target"]) for port in service["ports"]] == [("127.0.0.1", 4566)]
    assert service["environment"]["LOCAL_AWS_LISTEN"] == "0.0.0.0"  # noqa: S104
    mounted = {volume["target"]: volume for volume in service["volumes"]}
    assert mounted["/source"]["source"] == str(REPOSITORY)
    assert mounted["/source"]["read_only"] is True


def test_astro_would_build_nothing_that_it_does_not_build(services: dict[str, Any]) -> None:
    """The CLI starts services and builds none: one with a `build` would not be found."""
    assert [name for name, service in services.items() if "build" in service] == []


def test_what_runs_in_the_service_is_in_the_project(services: dict[str, Any]) -> None:
    service = services["local-aws"]
    for command in (service["command"], service["healthcheck"]["test"]):
        script = REPOSITORY / Path(command[-1]).relative_to("/source")
        assert subprocess.run(["sh", "-n", script], check=False).returncode == 0
